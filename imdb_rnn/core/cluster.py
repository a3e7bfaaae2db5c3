"""A Ray cluster: the processors of this machine, or several machines. What runs there is the code of this process."""

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
SECONDS = 10  # for the head of a cluster to answer


@contextmanager
def joined(address: str, code: Sequence[Path] = (), threads: int = 1) -> Iterator[Any]:
    """Join a cluster, and leave it afterwards.

    Args:
        address: host and port of its head; `LOCAL`: one of this machine alone, whose ports listen on loopback.
        code: packages that go to the machines besides this library, whatever is installed there.
        threads: how many each task trains or reads with; it should ask Ray for as many processors.

    Returns:
        Ray.

    Raises:
        UserError: when Ray is not installed, there is no cluster of the same versions of Ray and Python, or the cluster
            fails the body; what fails in a task stays what it is.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if address == LOCAL:
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # a name with a history; it keeps Linux to loopback too
    if address == LOCAL or "RAY_AUTH_TOKEN" in os.environ or _token_path().is_file():
        os.environ.setdefault("RAY_AUTH_MODE", "token")  # Ray does so by itself, but not when it joins
    try:
        import ray
    except ImportError as error:
        raise UserError("Ray is not installed; run `make cluster` first") from error
    if address != LOCAL:
        _require(address)
    environment = {
        "excludes": [".dvc/", "__pycache__/", "runs/", "state/"],  # what the experiments have made is no code
        "py_modules": [str(path) for path in (LIBRARY, *code)],
        "env_vars": {"NUMBA_NUM_THREADS": f"{threads}"},
    }
    local: dict[str, Any] = {"include_dashboard": False, "_node_ip_address": "127.0.0.1"} if address == LOCAL else {}
    try:
        ray.init(address, runtime_env=environment, log_to_driver=False, logging_level=logging.ERROR, **local)
    except (ConnectionError, RuntimeError, ValueError) as error:
        reason = f"{error} {error.__cause__ or ''}"
        remedy = "the token in ~/.ray/auth_token is missing or another one; copy it from the head"
        reason = remedy if "AuthToken" in reason else " ".join(reason.split())[:300]
        raise UserError(f"{address} is no cluster that can be joined: {reason}") from error
    try:
        yield ray
    except ray.exceptions.RayError as error:
        if isinstance(error, ray.exceptions.RayTaskError) and not isinstance(error.cause, ray.exceptions.RayError):
            raise
        reason = " ".join(str(error).split())[:300]
        raise UserError(f"the cluster at {address} failed; run the same command again ({reason})") from error
    finally:
        ray.shutdown()


def _token_path() -> Path:
    return Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray/auth_token")


def _require(address: str) -> None:
    """Ray would wait for many minutes."""
    host, _, port = address.rpartition(":")
    if not (host and port.isdigit()):
        raise UserError(f"{address!r} is no address of a cluster; give host:port, as `ray start --head` prints it")
    try:
        socket.create_connection((host, int(port)), SECONDS).close()
    except (OSError, OverflowError, UnicodeError) as error:
        raise UserError(f"nobody answers at {address} ({error}); start a cluster there: ray start --head") from error
