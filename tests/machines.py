"""A Ray cluster of this machine alone, whose nodes stand for machines."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

# As `cluster.joined` does for a cluster of its own; before Ray is loaded
os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
# Else who joins has a token, if a cluster of its own ever made one here, and these nodes have none
os.environ["RAY_AUTH_MODE"] = "disabled"

from ray.cluster_utils import Cluster

NODE = {"num_cpus": 1, "node_ip_address": "127.0.0.1", "object_store_memory": 200 * 2**20}


@contextmanager
def machines(count: int) -> Iterator[Cluster]:
    """So many nodes of one processor each; further ones can be added with `add_node(**NODE)`."""
    cluster = Cluster(initialize_head=True, head_node_args=NODE | {"include_dashboard": False})
    try:
        for _ in range(count - 1):
            cluster.add_node(**NODE)
        yield cluster
    finally:
        cluster.shutdown()
