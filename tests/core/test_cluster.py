"""Joining a Ray cluster: what goes wrong is one line, at once."""

import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from imdb_rnn.core import cluster
from imdb_rnn.core.errors import UserError


def joined(address: str) -> None:
    with cluster.joined(address):
        pass


def test_without_ray_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UserError, match="run `make cluster`"):
        joined("head:6379")


@pytest.mark.cluster
@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("head", "'head' is not a cluster address; give host:port"),
        ("head:", "'head:' is not a cluster address"),
        ("ray://head:10001", "cannot connect to ray://head:10001"),
        ("127.0.0.1:99999", "cannot connect to 127.0.0.1:99999"),
    ],
)
def test_what_is_no_address_is_said_at_once(address, fault):
    with pytest.raises(UserError, match=fault):
        joined(address)


@pytest.mark.cluster
def test_where_nobody_listens_is_said_at_once():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=rf"cannot connect to 127\.0\.0\.1:{port} .*ray start --head"):
            joined(f"127.0.0.1:{port}")


PROGRAM = """
import os, sys
from pathlib import Path
from imdb_rnn.core import cluster
with cluster.joined(cluster.LOCAL, threads=3) as ray:
    def asked():
        import imdb_rnn, numba
        return imdb_rnn.__file__, numba.config.NUMBA_NUM_THREADS
    print(*ray.get(ray.remote(asked).remote()), flush=True)
    sys.stdin.read()
print(ray.is_initialized())
"""


@pytest.mark.cluster
@pytest.mark.slow
def test_a_cluster_of_this_machine_has_this_code_and_listens_on_loopback_alone(tmp_path):
    psutil = pytest.importorskip("psutil")
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        file, threads = process.stdout.readline().split()
        assert Path(file).parts[-2:] == ("imdb_rnn", "__init__.py")
        assert not Path(file).is_relative_to(cluster.LIBRARY)  # a copy that went to the worker
        assert threads == "3"
        listening = []
        for member in [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):  # a worker with nothing to do may end meanwhile
                listening += [
                    connection.laddr.ip
                    for connection in member.net_connections("inet")
                    if connection.status == psutil.CONN_LISTEN
                ]
        assert len(listening) > 3
        assert set(listening) <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
        printed, _ = process.communicate()
    assert printed.strip() == "False"
    assert process.returncode == 0


FAULT = """
import os, sys
from imdb_rnn.core import cluster
from imdb_rnn.core.errors import UserError
try:
    with cluster.joined(cluster.LOCAL) as ray:
        task = ray.remote(max_retries=0)({"worker": lambda: os._exit(1), "task": lambda: 1 / 0}[sys.argv[1]])
        ray.get(task.remote())
except (UserError, ZeroDivisionError) as error:
    print(repr(error))
"""


@pytest.mark.cluster
@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("worker", "UserError('the cluster at local failed; run the same command again (The worker died"),
        ("task", "RayTaskError(Zero"),
    ],
)
def test_what_fails_in_the_cluster_is_one_line_and_in_a_task_what_it_is(tmp_path, what, told):
    printed = subprocess.check_output([sys.executable, "-c", FAULT, what], cwd=tmp_path, text=True)
    assert printed.splitlines()[-1].startswith(told)
