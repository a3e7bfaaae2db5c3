"""One finished run of the comparison: a folder with `run.json` and `logits.npy`, and of a network its `model.keras`."""

from pathlib import Path
from typing import Annotated, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError

FOLDER = Path("experiments/compare")
PLAN, RUNS = FOLDER / "params.yaml", FOLDER / "runs"
MODEL = "model.keras"
LINEAR = "linear"  # the run that is no network

Form = TypeVar("Form", bound=BaseModel)


class Run(BaseModel):
    """What a run tells besides its answers.

    weights: how many numbers it has, those of fixed word vectors too
    training_seconds: from word ranks to the trained model; compilation counts, importing TensorFlow does not
    reviews_per_second: test reviews, from word ranks to logits; compilation counts
    """

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
    weights: Annotated[int, Field(ge=1)]
    training_seconds: Annotated[float, Field(ge=0)]
    reviews_per_second: Annotated[int, Field(ge=0)]


def write_run(folder: Path, run: Run, logits: np.ndarray) -> None:
    """Write a run into its folder, which is there.

    Args:
        logits: (test reviews,), of a positive review.
    """
    np.save(folder / "logits.npy", logits.astype(np.float32))
    files.write_json(folder / "run.json", run.model_dump())


def read_run(folder: Path, reviews: int) -> tuple[Run, np.ndarray]:
    """Read a run on so many test reviews, and its logits, float64 (reviews,).

    Raises:
        UserError: when it is missing or damaged.
    """
    run, path = read_form(Run, folder / "run.json"), folder / "logits.npy"
    try:
        logits = np.load(path, allow_pickle=False)
        if logits.shape != (reviews,) or not np.isfinite(logits).all():
            raise ValueError(f"it should hold {reviews} finite numbers")
    except (OSError, ValueError, EOFError) as error:
        raise unreadable(path, error) from error
    return run, logits.astype(float)


def read_form(form: type[Form], path: Path) -> Form:
    """Read JSON that a stage of the comparison wrote. Raises `UserError` when it is missing or not that."""
    try:
        return form.model_validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, why: object) -> UserError:
    """The error for a file that is missing, or does not hold what a stage of the comparison writes."""
    return UserError(f"{path} cannot be read ({' '.join(str(why).split())}); run `make compare`")
