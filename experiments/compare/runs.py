"""What the comparison trains, and a finished run: a folder with `run.json`, `logits.npy` and a network's model file."""

from pathlib import Path
from typing import Annotated, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import Section, parse_yaml, validate

FOLDER = Path("experiments/compare")
PLAN, RUNS = FOLDER / "params.yaml", FOLDER / "runs"
MODEL = "model.safetensors"
LINEAR = "linear"  # the run that is no network

Form = TypeVar("Form", bound=BaseModel)


class Plan(Section):
    networks: Annotated[list[str], Field(min_length=1)]
    seeds: Annotated[list[int], Field(min_length=1)]


class Run(BaseModel):
    """The measurements of a run, besides its logits.

    weights: their number, fixed word embeddings included
    training_seconds: from word ranks to the trained model, with compilation, without importing TensorFlow
    reviews_per_second: test reviews, from word ranks to logits, with compilation
    """

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
    weights: Annotated[int, Field(ge=1)]
    training_seconds: Annotated[float, Field(ge=0)]
    reviews_per_second: Annotated[int, Field(ge=0)]


def read_plan(root: Path) -> Plan:
    """Read and check the parameters of the comparison. Raises `UserError` when they are missing or not valid."""
    return validate(Plan, parse_yaml(files.read_text(root / PLAN), PLAN), PLAN)


def write_run(folder: Path, run: Run, logits: np.ndarray) -> None:
    """Write a run into its folder, which exists already.

    Args:
        logits: (test reviews,), positive for a positive review.
    """
    np.save(folder / "logits.npy", logits.astype(np.float32))
    files.write_json(folder / "run.json", run.model_dump())


def read_run(folder: Path, reviews: int) -> tuple[Run, np.ndarray]:
    """Read a run and its logits of so many test reviews, float64 (reviews,).

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
    """Read JSON that a stage of the comparison wrote. Raises `UserError` when it is missing or damaged."""
    try:
        return form.model_validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, why: object) -> UserError:
    """The error for a file that is missing, or does not hold what a stage of the comparison writes."""
    return UserError(f"{path} cannot be read ({' '.join(str(why).split())}); run `make compare`")
