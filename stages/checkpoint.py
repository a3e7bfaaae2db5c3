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
from stages.params import Section

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


def read(path: Path) -> tuple[dict, dict[str, list[np.ndarray]]] | None:
    """Read what `write` wrote; None if there is none, or if it is damaged, which is told and the file set aside."""
    if not path.exists():
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
                raise ValueError("it is compressed")  # so that reading takes no more memory than the file is long
        with np.load(path, allow_pickle=False) as archive:
            facts = json.loads(str(archive["facts"]))
            arrays: dict[str, list[np.ndarray]] = {}
            for key in archive.files:  # in the order of writing
                if key != "facts":
                    arrays.setdefault(key.split(".")[0], []).append(archive[key])
        return facts, arrays
    except (OSError, ValueError, KeyError, IndexError, EOFError, zipfile.BadZipFile) as error:
        aside = path.with_suffix(".damaged")
        path.replace(aside)
        print(f"the checkpoint is damaged ({error}); it is {aside} now, and training starts anew", file=sys.stderr)
        return None
