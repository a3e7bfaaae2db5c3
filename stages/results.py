"""What `evaluate`, `explain` and the comparison wrote, read and checked."""

from itertools import product
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, model_validator

from stages import files
from stages.errors import UserError

Share = Annotated[float, Field(ge=0, le=1)]
Finite = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class Scores(BaseModel):
    model_config = Finite
    loss: Annotated[float, Field(ge=0)]
    accuracy: Share
    precision: Share
    recall: Share
    f1: Share
    roc_auc: Share


class Metrics(BaseModel):
    model_config = Finite
    kept_epoch: Annotated[int, Field(ge=1)]
    test: Scores
    validation: Scores | None = None


class Trace(BaseModel):
    """A review as the network read it, with the probability before its first word and after each."""

    model_config = Finite
    review: Annotated[int, Field(ge=0)]
    label: Literal[0, 1]
    kind: Literal["right", "wrong", "undecided"]
    words: list[str]
    known: list[bool]
    probability: list[Share]

    @model_validator(mode="after")
    def _a_probability_after_each_word(self) -> "Trace":
        if not len(self.words) == len(self.known) == len(self.probability) - 1:
            raise ValueError("a review should have a probability before its first word and after each")
        return self


class Traces(BaseModel):
    model_config = Finite
    traces: list[Trace]


class Memory(BaseModel):
    model_config = Finite
    half_life_words: Annotated[float, Field(ge=0)] | None = None


class MemoryMetrics(BaseModel):
    model_config = Finite
    memory: Memory


class StoredNetwork(BaseModel):
    model_config = Finite
    weights: Annotated[int, Field(ge=1)]
    network: dict | None


class NetworkMemory(BaseModel):
    """How far back a network of the comparison remembers.

    Half-lives are by window, in words, and then by seed; the rest is means over the seeds.
    """

    model_config = Finite
    half_life_words: dict[str, Annotated[list[Annotated[float, Field(ge=0)] | None], Field(min_length=1)]]
    gradient: list[Annotated[float, Field(ge=0)]]
    last_words: dict[str, Share]


class ReadTogether(BaseModel):
    """A review that every network of the comparison read, and what each thought of it after each word."""

    model_config = Finite
    review: Annotated[int, Field(ge=0)]
    label: Literal[0, 1]
    kind: Literal["right", "wrong", "divided"]
    words: list[str]
    known: list[bool]
    probability: dict[str, list[Share]]

    @model_validator(mode="after")
    def _a_probability_after_each_word(self) -> "ReadTogether":
        if any(len(of) - 1 != len(self.words) or len(of) - 1 != len(self.known) for of in self.probability.values()):
            raise ValueError("a review should have a probability before its first word and after each")
        return self


class CompareMemory(BaseModel):
    model_config = Finite
    source: str
    networks: dict[str, NetworkMemory]
    traces: list[ReadTogether]


def read_points(path: Path, columns: tuple[str, ...], stage: str = "evaluate") -> pd.DataFrame:
    """Read the points of a curve that `stage` wrote. Raises `UserError` when they are missing or not finite."""
    files.require(path, stage)
    try:
        points = pd.read_csv(path)[list(columns)].astype(float)
        if points.empty or not np.isfinite(points.to_numpy()).all():
            raise ValueError(f"it should be a table of finite {', '.join(columns)}")
    except (OSError, ValueError, KeyError) as error:
        raise files.damaged(path, stage, error) from error
    return points


def read_confusion() -> pd.DataFrame:
    """Read the confusion matrix that `evaluate` wrote. Raises `UserError` when it is not one."""
    path = files.require(files.CONFUSION, "evaluate")
    names = {"negative", "positive"}
    try:
        counts = pd.read_csv(path)
        pairs = list(zip(counts["label"], counts["predicted"], strict=True))
        if set(pairs) != set(product(names, names)) or len(pairs) != 4:
            raise ValueError("it should have a row for each label and predicted label")
        if counts["reviews"].dtype.kind != "i" or counts["reviews"].min() < 0:
            raise ValueError("it should count reviews")
        if not counts.groupby("label")["reviews"].sum().all():
            raise ValueError("a label has no reviews")
    except (OSError, ValueError, KeyError) as error:
        raise files.damaged(path, "evaluate", error) from error
    return counts


ModelType = TypeVar("ModelType", bound=BaseModel)


def _read_json(model: type[ModelType], path: Path, stage: str) -> ModelType:
    files.require(path, stage)
    try:
        return model.model_validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise files.damaged(path, stage, error) from error


def read_metrics() -> Metrics:
    """Read what `evaluate` measured. Raises `UserError` when it is missing or not finite."""
    return _read_json(Metrics, files.METRICS, "evaluate")


def read_predictions() -> tuple[np.ndarray, np.ndarray]:
    """Read label and probability of every test review: int and float64 (reviews,), both labels present.

    Raises:
        UserError: when they are missing or not that.
    """
    points = read_points(files.PREDICTIONS, ("label", "probability"))
    y, probability = points["label"].to_numpy(), points["probability"].to_numpy()
    if set(y) != {0, 1}:
        raise files.damaged(files.PREDICTIONS, "evaluate", "it should have labels 0 and 1, and both of them")
    if probability.min() < 0 or probability.max() > 1:
        raise files.damaged(files.PREDICTIONS, "evaluate", "its probabilities should be from 0 to 1")
    return y.astype(int), probability


def read_memory() -> Memory:
    """Read the half-life. Raises `UserError` when it is missing or damaged."""
    return _read_json(MemoryMetrics, files.MEMORY_METRICS, "explain").memory


def read_traces() -> list[Trace]:
    """Read the reviews that were traced. Raises `UserError` when they are missing or damaged."""
    return _read_json(Traces, files.TRACES, "explain").traces


def read_compare_memory() -> CompareMemory:
    """Read what the networks of the comparison remember. Raises `UserError` when it is missing or damaged."""
    path = files.COMPARE_MEMORY
    try:
        return CompareMemory.model_validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path} cannot be read ({reason}); `git checkout {path}` or run `make compare`") from error


def read_stored_network() -> dict:
    """Read the number of `weights`, and the `network` as the page reads it, or null if the page does not know its cell.

    Raises:
        UserError: when it is missing or damaged.
    """
    return _read_json(StoredNetwork, files.STORED_NETWORK, "explain").model_dump()
