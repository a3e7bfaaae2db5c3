"""What training keeps on disk while it runs, so that it can go on after it was stopped, however it was stopped.

A checkpoint is named by a fingerprint of everything that training depends on, so that one of other parameters, reviews
or code is never used; it stays where it is until the user deletes it or goes back to what it belongs to.
"""

import hashlib
import json
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import numpy as np

from stages import files
from stages.errors import UserError
from stages.params import Section

VARIABLES = "variables"  # the name of the arrays that every checkpoint holds
PACKAGES = ("keras", "numba", "numpy", "scipy", "tensorflow")


def fingerprint(*parts: Section | np.ndarray | int | Path) -> str:
    """Tell runs apart: 16 hexadecimal digits of `parts`, the project's code that is imported, and the packages.

    Args:
        parts: parameters, arrays, numbers, and files (the caller's own, which is not imported where it is the program
            that runs), in an order that the caller keeps to.
    """
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(f"{part.dtype} {part.shape} ".encode())
            digest.update(np.ascontiguousarray(part))
        elif isinstance(part, Path):
            digest.update(part.read_bytes())
        else:
            digest.update(f"{part!r} ".encode())
    for name in sorted(sys.modules):
        if name.startswith("stages."):
            digest.update(Path(sys.modules[name].__file__).read_bytes())
    digest.update(repr([version(name) for name in PACKAGES]).encode())
    return digest.hexdigest()[:16]


def path_of(identity: str) -> Path:
    """Where the checkpoint of the run with this fingerprint is, if there is one."""
    return files.CHECKPOINTS / f"{identity}.npz"


def write(path: Path, facts: dict, arrays: dict[str, list[np.ndarray]]) -> None:
    """Write a checkpoint, whole or not at all.

    Args:
        facts: anything that is JSON.
        arrays: lists of arrays, by name.
    """
    named = {f"{name}.{place}": array for name, of in arrays.items() for place, array in enumerate(of)}
    with files.replacing(path) as new, new.open("wb") as file:
        np.savez(file, facts=np.array(json.dumps(facts)), **named)


def read(path: Path, expected: dict[str, list[np.ndarray]]) -> tuple[dict, dict[str, list[np.ndarray]]] | None:
    """Read what `write` wrote; None if there is none, or if it is damaged, which is told and the file set aside.

    Args:
        expected: arrays of the shapes and types that it should hold, by name; but for `VARIABLES` a name's may also be
            missing altogether.

    Raises:
        UserError: when the file is there but may not be read.
    """
    if not path.exists():
        return None
    try:
        named = {f"{name}.{place}": array for name, of in expected.items() for place, array in enumerate(of)}
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if member.compress_type != zipfile.ZIP_STORED:
                    raise ValueError("it is compressed")
                if member.filename == "facts.npy":
                    continue
                with archive.open(member) as file:  # before memory is taken, for a header may claim any size
                    shape, dtype = files.read_header(file)
                array = named[member.filename.removesuffix(".npy")]
                if (shape, dtype) != (array.shape, array.dtype):
                    raise ValueError(f"{member.filename} is not what this training has")
        with np.load(path, allow_pickle=False) as archive:
            facts = json.loads(str(archive["facts"]))
            arrays = {}
            for name, of in expected.items():
                places = [f"{name}.{place}" for place in range(len(of))]
                if places[0] in archive.files or name == VARIABLES:
                    arrays[name] = [archive[place] for place in places]
        return facts, arrays
    except Exception as error:  # zip, headers and JSON each fail in ways of their own
        if isinstance(error, PermissionError):
            raise UserError(f"{path} cannot be read ({error.strerror}); allow reading, or remove it") from error
        aside = path.with_suffix(".damaged")
        path.replace(aside)
        print(f"the checkpoint is damaged ({error}); it is {aside} now, and training starts anew", file=sys.stderr)
        return None
