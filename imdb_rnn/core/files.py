"""The files of the pipeline: every path, named once, and how files are read and written (a temporary one is renamed).

Paths are relative to the project's folder; callers join them to their root.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import numpy as np
from pydantic import BaseModel

from imdb_rnn.core.errors import UserError

PARAMS = Path("params.yaml")
CODE = Path("data/code")  # fingerprints
OWN = Path("data/own")
START = Path("data/start")  # models that training may start from
DOWNLOADS = Path("data/downloads")  # kept between runs, verified at every use; DVC does not know it
CHECKPOINTS = Path("data/checkpoints")  # of training; DVC does not know them either
REVIEWS = Path("data/reviews")
PADDED = Path("data/padded")
BASELINE = Path("data/baseline.npy")
OUT_OF_FOLD = Path("data/out_of_fold")
MODEL = Path("data/model.safetensors")
DATA_REPORT = Path("results/data_report.json")
HISTORY = Path("results/history.csv")
METRICS = Path("results/metrics.json")
PREDICTIONS = Path("results/predictions.csv")
CLASSES = Path("results/classes.csv")
CONFUSION = Path("results/confusion.csv")
ROC = Path("results/roc.csv")
PRECISION_RECALL = Path("results/precision_recall.csv")
CALIBRATION = Path("results/calibration.csv")
SENSITIVITY_METRICS = Path("results/sensitivity.json")
EXPLANATION = Path("results/explanation")
BEHAVIOUR_METRICS = Path("results/behaviour.json")
SLICES = Path("results/slices.csv")
LEARNING_CURVE = Path("results/learning_curve.csv")
SUSPECTS = Path("results/suspects.csv")
EXPORT = Path("results/export")
FIGURES = Path("results/figures")
REPORT = Path("results/report")
COMPARE_SENSITIVITY = Path("results/experiments/compare_sensitivity.json")  # in git, written by `make compare`
SWEEP = Path("results/experiments/sweep.csv")  # in git, written by `make sweep`

TEMPORARY = ".imdb-rnn-tmp-"  # how temporary folders begin
MAX_AGE = 86_400  # seconds after which the temporary folder of a killed process is removed
Model = TypeVar("Model", bound=BaseModel)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path to write a file or folder to, and rename it to `path` if the body succeeds.

    If the body fails, what it wrote is removed and an older `path` stays as it was. A killed process leaves its
    temporary folder next to `path`; the next process that writes there more than a day later removes it. Within the
    body of another `replacing`, for a file of its folder, this is `path` itself.

    Raises:
        UserError: when the disk is full, the folder is read-only and the like.
    """
    if any(part.startswith(TEMPORARY) for part in path.parts):
        yield path
        return
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=path.parent))
        new, old = temporary / "new" / path.name, temporary / "old"
        new.parent.mkdir()
        yield new
        if path.is_dir():  # a folder cannot be renamed onto one that is not empty
            path.rename(old)
        try:
            new.replace(path)
        except OSError:
            if old.exists():
                old.rename(path)
            raise
        _remove_leftovers(temporary)
    except OSError as error:
        reason = error.strerror or f"only a part was written: {error}"  # NumPy's errors have no strerror
        raise UserError(f"{path} cannot be written ({reason}); free space or allow writing, then run again") from error
    finally:
        if temporary:
            shutil.rmtree(temporary, ignore_errors=True)


def _remove_leftovers(temporary: Path) -> None:
    """Remove the temporary folders next to this one that are a day older, by the clock of their file system."""

    def modified(folder: Path) -> float:
        return max(path.stat().st_mtime for path in (folder, *folder.rglob("*")))

    for other in temporary.parent.glob(f"{TEMPORARY}*"):
        with suppress(OSError):  # its writer may finish meanwhile
            if modified(temporary) - modified(other) > MAX_AGE:
                shutil.rmtree(other)


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
    """Return `path`, or raise a `UserError` that names the stage, or the command `make TARGET`, that makes it."""
    if not path.exists():
        raise UserError(f"{path} is missing; run `{_command(stage)}` to make it")
    return path


def _command(stage: str) -> str:
    return stage if stage.startswith("make ") else f"dvc repro {stage}"


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
        memory_map: whether the file is read only where it is accessed; changes of the array stay in memory.

    Raises:
        UserError: when the file is missing or damaged.
    """
    require(path, stage)
    try:
        if memory_map:
            return np.lib.format.open_memmap(path, mode="c")
        with path.open("rb") as file:
            return np.lib.format.read_array(file, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise damaged(path, stage, error) from error


def damaged(path: Path, stage: str, why: object) -> UserError:
    """The error for a file that exists but does not hold what `stage` writes."""
    return UserError(f"{path} is damaged ({' '.join(str(why).split())}); run `{_command(stage)}` to rebuild it")
