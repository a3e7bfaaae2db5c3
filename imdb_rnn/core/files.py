"""The files of the pipeline: every path, named once, and how files are written (beside, then renamed) and read.

Paths are relative to the project's folder; whoever uses one puts the root that it was handed in front.
"""

import hashlib
import json
import math
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np
import psutil
from pydantic import BaseModel

from imdb_rnn.core.errors import UserError

PARAMS = Path("params.yaml")
CHECKED = Path("data/parameters.checked")
DOWNLOADS = Path("data/downloads")  # kept between runs, verified at every use; DVC does not know it
CHECKPOINTS = Path("data/checkpoints")  # of training; DVC does not know them either
REVIEWS = Path("data/reviews")
PADDED = Path("data/padded")
MODEL = Path("data/model.keras")
DATA_REPORT = Path("results/data_report.json")
HISTORY = Path("results/history.csv")
METRICS = Path("results/metrics.json")
PREDICTIONS = Path("results/predictions.csv")
CONFUSION = Path("results/confusion.csv")
ROC = Path("results/roc.csv")
PRECISION_RECALL = Path("results/precision_recall.csv")
SENSITIVITY_METRICS = Path("results/sensitivity.json")
EXPLANATION = Path("results/explanation")
BEHAVIOUR_METRICS = Path("results/behaviour.json")
SLICES = Path("results/slices.csv")
EXPORT = Path("results/export")
FIGURES = Path("results/figures")
REPORT = Path("results/report")
COMPARE_SENSITIVITY = Path("results/experiments/compare_sensitivity.json")  # in git, written by `make compare`
SWEEP = Path("results/experiments/sweep.csv")  # in git, written by `make sweep`

LONG_NAME = 200  # bytes
Model = TypeVar("Model", bound=BaseModel)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a place beside `path` to write a file or folder to, and move it to `path` once all of it is on disk.

    If the body fails, what it wrote is removed and an older `path` stays as it was. What a killed process left of its
    own attempt is removed first.

    Raises:
        UserError: when the disk is full, the folder is read-only and the like.
    """
    scratch = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_scratch_of_the_dead(path)
        scratch = Path(tempfile.mkdtemp(prefix=f".{_short_name(path)}-{os.getpid()}-", dir=path.parent))
        new = scratch / path.name
        yield new
        for file in [new, *new.rglob("*")] if new.is_dir() else [new]:
            _flush(file)
        old = scratch / "old"
        if path.is_dir():  # a folder cannot be renamed onto one that is not empty
            path.rename(old)
        try:
            new.replace(path)
        except OSError:
            if old.exists():
                old.rename(path)
            raise
        _flush(path.parent)
    except OSError as error:
        reason = error.strerror or f"only a part was written: {error}"  # NumPy's, which has no number
        raise UserError(f"{path} cannot be written ({reason}); free space or allow writing, then run again") from error
    finally:
        if scratch:
            shutil.rmtree(scratch, ignore_errors=True)


def _remove_scratch_of_the_dead(path: Path) -> None:
    for scratch in path.parent.iterdir():
        # Two parts behind the name, so that what belongs to `name-5` is not taken for what process 5 left of `name`.
        named = re.fullmatch(rf"\.{re.escape(_short_name(path))}-([0-9]+)-[^-]+", scratch.name)
        if named and not psutil.pid_exists(int(named[1])):
            shutil.rmtree(scratch, ignore_errors=True)


def _short_name(path: Path) -> str:
    """A file's name, or what stands for one to which nothing can be added: of 255 bytes a system knows no more."""
    name = os.fsencode(path.name)
    return path.name if len(name) < LONG_NAME else hashlib.sha256(name).hexdigest()


def _flush(path: Path) -> None:
    if path.is_dir() and os.name == "nt":
        return  # Windows cannot open a folder
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text with `\\n` line ends, whole or not at all."""
    with replacing(path) as new:
        new.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, values: dict) -> None:
    """Write readable JSON, whole or not at all."""
    write_text(path, json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_text(path: Path) -> str:
    """Read a text file of the project's top folder. Raises `UserError` when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(f"{path}: cannot be read ({reason}); run from the project's top folder") from error


def require(path: Path, stage: str) -> Path:
    """Return `path`, or raise a `UserError` that names the stage that makes it."""
    if not path.exists():
        raise UserError(f"{path} is missing; run `dvc repro {stage}` to make it")
    return path


def read_json(model: type[Model], path: Path, stage: str) -> Model:
    """Read JSON that `stage` wrote as a pydantic model. Raises `UserError` when it is missing or not that."""
    require(path, stage)
    try:
        return model.model_validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise damaged(path, stage, error) from error


def read_array(path: Path, stage: str, *, memory_map: bool = False) -> np.ndarray:
    """Read a `.npy` file that `stage` wrote. Object arrays are refused.

    Args:
        memory_map: whether it is read where and when it is looked at; what is written to it stays in memory.

    Raises:
        UserError: when the file is missing or damaged.
    """
    require(path, stage)
    try:
        with path.open("rb") as file:
            shape, dtype = read_header(file)
            # A header may claim any size, one that overflows too.
            if not dtype.hasobject and file.tell() + math.prod(shape) * dtype.itemsize != path.stat().st_size:
                raise ValueError(f"it should hold {dtype} of shape {shape}, and is {path.stat().st_size} bytes long")
        return np.load(path, mmap_mode="c" if memory_map else None, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise damaged(path, stage, error) from error


def read_header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Read the beginning of a `.npy` file: shape and type of the array. Raises `ValueError` if it is none."""
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"unknown .npy version {version}")
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    return shape, dtype


def damaged(path: Path, stage: str, why: object) -> UserError:
    """The error for a file that exists but does not hold what `stage` writes."""
    return UserError(f"{path} is damaged ({' '.join(str(why).split())}); run `dvc repro {stage}` to make it anew")
