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
from importlib.metadata import distributions
from pathlib import Path

import numpy as np

from imdb_rnn.core import files
from imdb_rnn.core.fingerprints import code_fingerprint
from imdb_rnn.engine.weights import Weights, from_named, named

ROOT = Path(__file__).parent.parent.parent
CODE = "imdb_rnn/training/loop.py"  # it and what it imports decide what training does
PACKAGES = ("keras", "numba", "numpy", "scipy", "tensorflow")  # the last one is not on every Python
NEWEST, PER_FOLD = 5, 4  # checkpoints that are kept; a fold has one, and one for each smaller share of the others


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
    ngram_codes: see `Learner`
    """

    learner: list[np.ndarray]
    epoch: int = 1
    batches: int = 0
    loss: float = 0.0
    correct: int = 0
    history: list[list[float]] = field(default_factory=list)
    best: Weights | None = None
    ngram_codes: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))

    def next_epoch(self) -> None:
        """Begin the next epoch."""
        self.epoch, self.batches, self.loss, self.correct = self.epoch + 1, 0, 0.0, 0


_FACTS = ("epoch", "batches", "loss", "correct", "history")  # as JSON; the other fields are arrays


def fingerprint(*parts: object) -> str:
    """Tell runs apart: 16 hexadecimal digits of `parts`, of training's code, and of the packages' versions."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(f"{part.dtype} {part.shape} ".encode())
            digest.update(np.ascontiguousarray(part).data)
        else:
            digest.update(f"{part!r} ".encode())
    digest.update(code_fingerprint(ROOT, CODE).encode())
    digest.update(repr([package.version for name in PACKAGES for package in distributions(name=name)]).encode())
    return digest.hexdigest()[:16]


def prune(folder: Path, used: Path, folds: int = 0) -> None:
    """Remove all checkpoints but `used` and the newest others: those of so many folds, and `NEWEST`."""
    with suppress(OSError):  # another process removes them too; a read-only folder is an error when one is written
        others = [path for path in folder.glob("*.npz") if path != used]
        for path in sorted(others, key=lambda path: path.stat().st_mtime)[: -NEWEST - PER_FOLD * folds]:
            path.unlink()


def write(path: Path, state: TrainingState) -> None:
    """Write a checkpoint, whole or not at all."""
    arrays = {f"learner.{number}": array for number, array in enumerate(state.learner)}
    arrays |= {f"best.{name}": array for name, array in (named(state.best) if state.best else {}).items()}
    arrays["ngram_codes"] = state.ngram_codes
    facts = {name: getattr(state, name) for name in _FACTS} | {"arrays": list(arrays)}
    with files.replacing(path) as new, new.open("wb") as file:
        np.savez(file, facts=np.array(json.dumps(facts)), **arrays)  # type: ignore[arg-type]


def read(path: Path) -> TrainingState | None:
    """Read what `write` wrote. None if it is not there, or cannot be read: then a line says so."""
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as archive:
            facts = json.loads(str(archive["facts"]))
            arrays = {name: archive[name] for name in facts.pop("arrays")}
        learner = [array for name, array in arrays.items() if name.startswith("learner.")]
        best = {name.removeprefix("best."): array for name, array in arrays.items() if name.startswith("best.")}
        codes = arrays["ngram_codes"]
        return TrainingState(learner, **facts, best=from_named(best) if best else None, ngram_codes=codes)
    except Exception as error:  # zip, headers and JSON each fail in ways of their own
        print(f"{path} cannot be read ({error}); training starts over and replaces it", file=sys.stderr)
        return None
