"""What the comparison trains, and a finished run: a folder with `run.json`, `logits.npy` and a network's model file."""

from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from imdb_rnn.core import files
from imdb_rnn.core.params import Section, parse_yaml, validate
from imdb_rnn.evaluation.results import Result

FOLDER = Path("experiments/compare")
PLAN, RUNS = FOLDER / "params.yaml", FOLDER / "runs"
MODEL = "model.safetensors"
LINEAR = "linear"  # the run that is no network
COMMAND = "make compare"


class Plan(Section):
    networks: Annotated[list[str], Field(min_length=1)]
    seeds: Annotated[list[int], Field(min_length=1)]


class Run(Result):
    """The measurements of a run, besides its logits.

    weights: their number, fixed word embeddings included
    training_seconds: from word ranks to the trained model, with compilation, without importing TensorFlow
    reviews_per_second: test reviews, from word ranks to logits, with compilation
    """

    weights: Annotated[int, Field(ge=1)]
    training_seconds: Annotated[float, Field(ge=0)]
    reviews_per_second: Annotated[int, Field(ge=0)]


def read_plan(root: Path) -> Plan:
    """Read and check the parameters of the comparison. Raises `UserError` when they are missing or not valid."""
    return validate(Plan, parse_yaml(files.read_text(root / PLAN), PLAN), PLAN)


def write_run(folder: Path, run: Run, logits: np.ndarray) -> None:
    """Write a run into its folder, which exists already.

    Args:
        logits: (test reviews,) of two classes, (test reviews, classes) of more.
    """
    np.save(folder / "logits.npy", logits.astype(np.float32))
    files.write_json(folder / "run.json", run.model_dump())


def read_run(folder: Path, reviews: int) -> tuple[Run, np.ndarray]:
    """Read a run and its logits of so many test reviews, float64, see `write_run`.

    Raises:
        UserError: when it is missing or damaged.
    """
    run, path = files.read_json(Run, folder / "run.json", COMMAND), folder / "logits.npy"
    logits = files.read_array(path, COMMAND)
    if logits.shape[:1] != (reviews,) or logits.ndim > 2 or not np.isfinite(logits).all():
        raise files.damaged(path, COMMAND, f"it should hold {reviews} finite numbers")
    return run, logits.astype(float)
