"""How functions are compiled, and how the machine code is kept on disk, so that a process need not compile again.

Numba's own disk cache does not see a change in a function that another one calls, and forgets functions that are made
in functions. Here the machine code belongs to all code of this package and of `training`: any change of it, another
processor or version of Numba means another file.
"""

import hashlib
import inspect
import os
import pickle
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numba
from numba.core import caching, codegen, compiler, serialize
from numba.core.runtime import rtsys

HERE = Path(__file__).parent
FOLDER = HERE / "__pycache__/compiled"
# Without fastmath: LLVM may neither reorder nor fuse, and does the same sum on every processor.
OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a function when it is first called, or take what an earlier process compiled."""
    dispatcher = numba.njit(**OPTIONS)(function)
    dispatcher._cache = _OnDisk(function, _code())
    return dispatcher


def inner(function: Callable[..., Any]) -> Any:
    """As `compiled`, for a function that only compiled ones call: it becomes machine code as a part of these alone."""
    return numba.njit(**OPTIONS, no_cpython_wrapper=True, pipeline_class=_Inner)(function)  # type: ignore[call-overload]


class _Inner(compiler.Compiler):
    def __init__(self, typing: Any, target: Any, library: None, *rest: Any) -> None:
        super().__init__(typing, target, _Part(target.codegen(), "part"), *rest)


class _Part(codegen.JITCodeLibrary):
    """An inner function as LLVM knows it. Numba would optimise it here, and again in each function that calls it."""

    def _optimize_functions(self, module: Any) -> None: ...

    def _optimize_final_module(self) -> None: ...

    def _finalize_final_module(self) -> None:
        self._finalized = True

    @property
    def codegen(self) -> Any:
        return self

    def set_env(self, name: str, env: Any) -> None: ...


def is_on_disk(name: str) -> bool:
    """Whether there is machine code of this code's function of that name, for whatever types and processor."""
    return any(FOLDER.glob(f"{name}-{_code()}-*.compiled"))


def can_be_kept() -> bool:
    """Whether machine code can be written to the disk, where another process finds it."""
    with suppress(OSError):
        FOLDER.mkdir(parents=True, exist_ok=True)
        return os.access(FOLDER, os.W_OK)
    return False


@cache
def _code() -> str:
    """A fingerprint of the code whose functions are compiled, and of what compiles it.

    Taken when the code is imported, for a file may change while the process runs.
    """
    digest = hashlib.sha256(f"{numba.__version__} {os.name}".encode())
    for path in sorted(path for folder in (HERE.parent,) for path in folder.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


class _OnDisk(caching._Cache):
    """What Numba asks for machine code before it compiles; a file for each function and types of its arguments."""

    def __init__(self, function: Callable[..., Any], code: str) -> None:
        self._function, self._code = function, code

    @property
    def cache_path(self) -> str:
        return str(FOLDER)

    def enable(self) -> None: ...

    def disable(self) -> None: ...

    def flush(self) -> None: ...

    def _path(self, signature: Any, codegen: Any) -> Path:
        # It may be of a file that `_code` does not know, and so may the functions that it takes from where it is made.
        functions = [self._function, *(cell.cell_contents.py_func for cell in self._function.__closure__ or ())]
        files = [(function.__qualname__, Path(inspect.getfile(function)).read_bytes()) for function in functions]
        key = repr((self._function.__module__, files, signature, codegen.magic_tuple()))
        name = f"{self._function.__qualname__.replace('.<locals>', '')}-{self._code}-"
        return FOLDER / f"{name}{hashlib.sha256(key.encode()).hexdigest()[:20]}.compiled"

    def load_overload(self, signature: Any, target_context: Any) -> Any:
        rtsys.initialize(target_context)  # `refresh`, for code that is to be compiled, loads most of Numba and SciPy
        with suppress(Exception):  # no file, or not a whole one: it is compiled anew
            payload = pickle.loads(self._path(signature, target_context.codegen()).read_bytes())
            return compiler.CompileResult._rebuild(target_context, *payload)
        return None

    def save_overload(self, signature: Any, result: Any) -> None:
        with suppress(OSError):  # a folder that cannot be written to: each process compiles
            FOLDER.mkdir(parents=True, exist_ok=True)
            for old in FOLDER.iterdir():
                if self._code not in old.name:
                    old.unlink(missing_ok=True)
            path = self._path(signature, result.codegen)
            new = path.with_suffix(f".{os.getpid()}")
            new.write_bytes(serialize.dumps(result._reduce()))
            new.replace(path)
