"""Checkpoints: what training keeps on disk, so that it can resume after it was stopped, however it was stopped.

A checkpoint is named by a fingerprint of everything that training depends on, so that a checkpoint of other parameters,
reviews or code is never used. It stays when training has finished, since DVC commits the results only after that; the
newest few are kept.
"""

import hashlib
import json
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np

from imdb_rnn.core import files
from imdb_rnn.core.fingerprints import code_fingerprint
from imdb_rnn.core.params import Section
from imdb_rnn.engine.weights import Weights, from_named, named

ROOT = Path(__file__).parent.parent.parent
CODE = "imdb_rnn/training/loop.py"  # it and what it imports decide what training does
PACKAGES = ("keras", "numba", "numpy", "scipy", "tensorflow")
NEWEST = 5  # checkpoints that are kept


@dataclass
class TrainingState:
    """Where training stands.

    learner: what `Learner.state` gives
    epoch: the current one, from 1
    batches: how many of its batches are done
    loss: sum of the losses of the reviews in these batches
    correct: how many of these reviews were predicted correctly
    history: a row for each finished epoch, with `history.COLUMNS`
    best: weights of the best epoch so far; None before the first epoch is finished
    """

    learner: list[np.ndarray]
    epoch: int = 1
    batches: int = 0
    loss: float = 0.0
    correct: int = 0
    history: list[list[float]] = field(default_factory=list)
    best: Weights | None = None

    def next_epoch(self) -> None:
        """Begin the next epoch."""
        self.epoch, self.batches, self.loss, self.correct = self.epoch + 1, 0, 0.0, 0


_FACTS = ("epoch", "batches", "loss", "correct", "history")  # as JSON; the other fields are arrays


def fingerprint(*parts: Section | np.ndarray | int) -> str:
    """Tell runs apart: 16 hexadecimal digits of `parts`, of training's code, and of the packages' versions."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(f"{part.dtype} {part.shape} ".encode())
            digest.update(np.ascontiguousarray(part).data)
        else:
            digest.update(f"{part!r} ".encode())
    digest.update(code_fingerprint(ROOT, CODE).encode())
    digest.update(repr([version(name) for name in PACKAGES]).encode())
    return digest.hexdigest()[:16]


def prune(folder: Path, used: Path) -> None:
    """Remove all checkpoints but `used` and the `NEWEST` others."""
    others = [path for path in folder.glob("*.*") if path.suffix in (".npz", ".damaged") and path != used]
    for path in sorted(others, key=lambda path: path.stat().st_mtime)[:-NEWEST]:
        with suppress(OSError):  # that nothing can be written here is an error when a checkpoint is
            path.unlink()


def write(path: Path, state: TrainingState) -> None:
    """Write a checkpoint, whole or not at all."""
    facts = {name: getattr(state, name) for name in _FACTS}
    arrays = {f"learner.{number}": array for number, array in enumerate(state.learner)}
    if state.best:
        arrays |= {f"best.{name}": array for name, array in named(state.best).items()}
    with files.replacing(path) as new, new.open("wb") as file:
        np.savez(file, facts=np.array(json.dumps(facts)), **arrays)  # type: ignore[arg-type]


def read(path: Path, first: TrainingState, weights: Weights) -> TrainingState | None:
    """Read what `write` wrote.

    Args:
        first: the state in which this training begins.
        weights: with the shapes that this training has.

    Returns:
        None if there is no checkpoint, or if it cannot be read; then it is renamed, with a line that says so.
    """
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as archive:
            facts = json.loads(str(archive["facts"]))
            learner = [archive[f"learner.{number}"] for number in range(len(first.learner))]
            best = from_named({name: archive[f"best.{name}"] for name in named(weights)}) if facts["history"] else None
        found = [*learner, *named(best or weights).values()]
        for array, expected in zip(found, [*first.learner, *named(weights).values()], strict=True):
            if (array.shape, array.dtype) != (expected.shape, expected.dtype):
                raise ValueError(f"{array.dtype} {array.shape} instead of {expected.dtype} {expected.shape}")
        return TrainingState(learner, **{name: facts[name] for name in _FACTS}, best=best)
    except Exception as error:  # zip, headers and JSON each fail in ways of their own
        damaged = path.with_suffix(".damaged")
        path.replace(damaged)
        print(f"the checkpoint cannot be read ({error}); it is {damaged} now, training starts over", file=sys.stderr)
        return None
