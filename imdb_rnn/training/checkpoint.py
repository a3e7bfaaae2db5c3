"""What training keeps on disk, so that it can go on after it was stopped, however it was stopped.

A checkpoint is named by a fingerprint of everything that training depends on, so that one of other parameters, reviews
or code is never used. It stays when training has ended, since DVC takes the results over only after that; the newest
few are kept.
"""

import hashlib
import json
import sys
import time
import zipfile
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np

from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import Section

SUBPACKAGES = ("core", "text", "engine", "training")  # whose code decides what training does
PACKAGES = ("keras", "numba", "numpy", "scipy", "tensorflow")
NEWEST, DAYS = 5, 30  # checkpoints that are kept, and for how long


@dataclass
class TrainingState:
    """Where training stands.

    epoch: the one under way, from 1
    batches: how many of its batches are done
    loss: sum of the losses of the reviews in these
    right: how many of them were put on the right side
    history: a row for each finished epoch, with `history.COLUMNS`
    kept: weights of the epoch that is kept so far; none before the first
    learner: what `Learner.state` gives
    """

    learner: list[np.ndarray]
    epoch: int = 1
    batches: int = 0
    loss: float = 0.0
    right: int = 0
    history: list[list[float]] = field(default_factory=list)
    kept: list[np.ndarray] = field(default_factory=list)

    def next_epoch(self) -> None:
        """Begin the next epoch."""
        self.epoch, self.batches, self.loss, self.right = self.epoch + 1, 0, 0.0, 0


LIBRARY = Path(__file__).parent.parent
_FACTS = ("epoch", "batches", "loss", "right", "history")  # as JSON; the other fields are lists of arrays


def fingerprint(*parts: Section | np.ndarray | int) -> str:
    """Tell runs apart: 16 hexadecimal digits of `parts`, of the library's code, and of the packages' versions."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(f"{part.dtype} {part.shape} ".encode())
            digest.update(np.ascontiguousarray(part).data)
        else:
            digest.update(f"{part!r} ".encode())
    for path in sorted(path for package in SUBPACKAGES for path in (LIBRARY / package).rglob("*.py")):
        digest.update(path.read_bytes())
    digest.update(repr([version(name) for name in PACKAGES]).encode())
    return digest.hexdigest()[:16]


def path_of(folder: Path, identity: str) -> Path:
    """Where the checkpoint of the run with this fingerprint is, if there is one."""
    return folder / f"{identity}.npz"


def prune(folder: Path, used: Path) -> None:
    """Remove all checkpoints but `used` and the `NEWEST`, and those that were not written for `DAYS` days."""

    def written(path: Path) -> float:
        return path.stat().st_mtime

    checkpoints = [path for path in folder.glob("*.*") if path.suffix in (".npz", ".damaged") and path != used]
    checkpoints.sort(key=written, reverse=True)
    long_ago = time.time() - DAYS * 24 * 3600
    for path in {*checkpoints[NEWEST:], *(path for path in checkpoints if written(path) < long_ago)}:
        with suppress(OSError):  # that nothing can be written here is an error when a checkpoint is
            path.unlink()


def write(path: Path, state: TrainingState) -> None:
    """Write a checkpoint, whole or not at all."""
    facts = {name: getattr(state, name) for name in _FACTS}
    arrays = {f"learner.{place}": array for place, array in enumerate(state.learner)}
    arrays |= {f"kept.{place}": array for place, array in enumerate(state.kept)}
    with files.replacing(path) as new, new.open("wb") as file:
        np.savez(file, facts=np.array(json.dumps(facts)), **arrays)  # type: ignore[arg-type]


def read(path: Path, expected: TrainingState) -> TrainingState | None:
    """Read what `write` wrote; None if there is none, or if it is damaged, which is said and the file set aside.

    Args:
        expected: a state whose arrays have the shapes and types that this training has, in `kept` too.

    Raises:
        UserError: when the file is there but may not be read.
    """
    if not path.exists():
        return None
    named = {f"learner.{place}": array for place, array in enumerate(expected.learner)}
    of_kept = {f"kept.{place}": array for place, array in enumerate(expected.kept)}
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if member.compress_type != zipfile.ZIP_STORED:
                    raise ValueError("it is compressed")
                if member.filename == "facts.npy":
                    continue
                with archive.open(member) as file:  # before memory is taken, for a header may claim any size
                    shape, dtype = files.read_header(file)
                array = (named | of_kept)[member.filename.removesuffix(".npy")]
                if (shape, dtype) != (array.shape, array.dtype):
                    raise ValueError(f"{member.filename} is not what this training has")
        with np.load(path, allow_pickle=False) as archive:
            facts = json.loads(str(archive["facts"]))
            return TrainingState(
                learner=[archive[name] for name in named],
                kept=[archive[name] for name in of_kept] if facts["history"] else [],
                **{name: facts[name] for name in _FACTS},
            )
    except Exception as error:  # zip, headers and JSON each fail in ways of their own
        if isinstance(error, PermissionError):
            raise UserError(f"{path} cannot be read ({error.strerror}); allow reading, or remove it") from error
        aside = path.with_suffix(".damaged")
        path.replace(aside)
        print(f"the checkpoint is damaged ({error}); it is {aside} now, and training starts anew", file=sys.stderr)
        return None
