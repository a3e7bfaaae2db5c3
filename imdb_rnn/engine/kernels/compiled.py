"""How functions are compiled, and where Numba keeps the machine code, so that a process need not compile again.

Numba's cache does not see a change in a function that another one calls. So it gets a folder of its own for each state
of the engine's code, below `__pycache__` or, where the package is read-only, below the user's folder for caches.
"""

import hashlib
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numba

HERE = Path(__file__).parent
config: Any = numba.config  # which has no types
# Without fastmath: LLVM may neither reorder nor fuse, and computes the same sum on every CPU.
OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}
INNER_OPTIONS: Any = OPTIONS | {"no_cpython_wrapper": True}


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a function when it is first called, or load what an earlier process compiled.

    Where no folder can be written to, each process compiles.
    """
    before, config.CACHE_DIR = config.CACHE_DIR, cache_folder()  # Numba reads it in `njit`
    try:
        return numba.njit(cache=bool(config.CACHE_DIR), **OPTIONS)(function)
    finally:
        config.CACHE_DIR = before


def inner(function: Callable[..., Any]) -> Any:
    """As `compiled`, for a function that only compiled ones call: its machine code is kept as a part of theirs."""
    return numba.njit(**INNER_OPTIONS)(function)


def inlined(function: Callable[..., Any]) -> Any:
    """As `inner`, for a large function with one caller, whose part it becomes: it is compiled once, not twice."""
    return numba.njit(inline="always", **INNER_OPTIONS)(function)


def is_new(function: str) -> bool:
    """Whether machine code can be kept, and a compiled function has none: the first time that it runs on a machine."""
    return bool(cache_folder()) and not any(Path(cache_folder()).rglob(f"*.{function}-*.nbi"))


@cache
def cache_folder() -> str:
    """The folder for this code, Python and Numba, which is made and can be written to; or an empty string."""
    digest = hashlib.sha256()
    for path in sorted(HERE.rglob("*.py")):
        digest.update(path.read_bytes())
    code = digest.hexdigest()[:12]
    of_user = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111, which never fails
    parents: list[Any] = [config.CACHE_DIR] if config.CACHE_DIR else [HERE / "__pycache__", of_user]
    for parent in parents:
        folder = Path(parent, "imdb_rnn", f"{sys.implementation.cache_tag}-numba{numba.__version__}-{code}")
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            if os.access(folder, os.W_OK):
                for other in folder.parent.iterdir():
                    if not other.name.endswith(code):  # of earlier code
                        shutil.rmtree(other, ignore_errors=True)
                return str(folder)
    return ""
