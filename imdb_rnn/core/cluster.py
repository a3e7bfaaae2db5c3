"""Connect to a Ray cluster: the processors of this machine, or several machines. Tasks run the code of this process."""

import logging
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from imdb_rnn.core.errors import UserError

LIBRARY = Path(__file__).parents[1]
LOCAL = "local"
TIMEOUT = 10  # seconds for the head of a cluster to answer; Ray itself would wait for many minutes


@contextmanager
def joined(address: str, code: Sequence[Path] = (), threads: int = 1) -> Iterator[Any]:
    """Connect to a cluster, yield the module `ray`, and disconnect afterwards.

    Args:
        address: host and port of its head; `LOCAL` starts a cluster on this machine that listens on loopback only.
        code: packages that are sent to the machines together with this library, whatever is installed there.
        threads: how many threads each task computes with; the task should ask Ray for as many processors.

    Raises:
        UserError: when Ray is not installed, when there is no cluster with the same versions of Ray and Python, or when
            the cluster fails. An error that is raised inside a task is raised as it is.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if address == LOCAL:
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # an old name; it keeps Linux to loopback too
    token = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray/auth_token")
    if address == LOCAL or "RAY_AUTH_TOKEN" in os.environ or token.is_file():
        os.environ.setdefault("RAY_AUTH_MODE", "token")  # Ray sets it when it starts a cluster, not when it joins one
    try:
        import ray
    except ImportError as error:
        raise UserError("Ray is not installed; run `make cluster` first") from error
    if address != LOCAL:
        _check_address(address)
    environment = {
        "excludes": [".dvc/", "__pycache__/", "runs/", "state/"],  # results of experiments are not code
        "py_modules": [str(path) for path in (LIBRARY, *code)],
        "env_vars": {"NUMBA_NUM_THREADS": f"{threads}"},
    }
    local: dict[str, Any] = {"include_dashboard": False, "_node_ip_address": "127.0.0.1"} if address == LOCAL else {}
    try:
        ray.init(address, runtime_env=environment, log_to_driver=False, logging_level=logging.ERROR, **local)
    except (ConnectionError, RuntimeError, ValueError) as error:
        reason = f"{error} {error.__cause__ or ''}"
        remedy = "the token in ~/.ray/auth_token is missing or a different one; copy it from the head"
        reason = remedy if "AuthToken" in reason else " ".join(reason.split())[:300]
        raise UserError(f"cannot join the cluster at {address}: {reason}") from error
    try:
        yield ray
    except ray.exceptions.RayError as error:
        if isinstance(error, ray.exceptions.RayTaskError) and not isinstance(error.cause, ray.exceptions.RayError):
            raise
        reason = " ".join(str(error).split())[:300]
        raise UserError(f"the cluster at {address} failed; run the same command again ({reason})") from error
    finally:
        ray.shutdown()


def _check_address(address: str) -> None:
    host, _, port = address.rpartition(":")
    if not (host and port.isdigit()):
        raise UserError(f"{address!r} is not a cluster address; give host:port, as `ray start --head` prints it")
    try:
        socket.create_connection((host, int(port)), TIMEOUT).close()
    except (OSError, OverflowError, UnicodeError) as error:
        raise UserError(f"cannot connect to {address} ({error}); start a cluster there: ray start --head") from error
