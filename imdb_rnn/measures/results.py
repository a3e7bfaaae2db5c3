"""The forms of what `evaluate` and `explain` write, checked again when it is read."""

from itertools import product
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, model_validator

from imdb_rnn.base import files
from imdb_rnn.measures.metrics import NAMES

Share = Annotated[float, Field(ge=0, le=1)]


class Result(BaseModel):
    """What a stage wrote: no other keys, no conversion, finite numbers."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class Scores(Result):
    loss: Annotated[float, Field(ge=0)]
    accuracy: Share
    precision: Share
    recall: Share
    f1: Share
    roc_auc: Share


class Metrics(Result):
    kept_epoch: Annotated[int, Field(ge=1)]
    test: Scores
    validation: Scores | None = None


class Trace(Result):
    """A review as the network read it, with the probability before its first word and after each."""

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


class Traces(Result):
    traces: list[Trace]


class Memory(Result):
    half_life_words: Annotated[float, Field(ge=0)] | None = None


class MemoryMetrics(Result):
    memory: Memory


def read_confusion(path: Path) -> pd.DataFrame:
    """Read the confusion matrix that `evaluate` wrote. Raises `UserError` when it is not one."""
    files.require(path, "evaluate")
    try:
        counts = pd.read_csv(path)
        pairs = list(zip(counts["label"], counts["predicted"], strict=True))
        if set(pairs) != set(product(NAMES, NAMES)) or len(pairs) != 4:
            raise ValueError("it should have a row for each label and predicted label")
        if counts["reviews"].dtype.kind != "i" or counts["reviews"].min() < 0:
            raise ValueError("it should count reviews")
        if not counts.groupby("label")["reviews"].sum().all():
            raise ValueError("a label has no reviews")
    except (OSError, ValueError, KeyError) as error:
        raise files.damaged(path, "evaluate", error) from error
    return counts


def read_predictions(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read label and logit of every test review: int and float64 (reviews,), both labels present.

    Raises:
        UserError: when they are missing or not that.
    """
    points = files.read_points(path, ("label", "logit"), "evaluate")
    y, logits = points["label"].to_numpy(), points["logit"].to_numpy()
    if set(y) != {0, 1}:
        raise files.damaged(path, "evaluate", "it should have labels 0 and 1, and both of them")
    return y.astype(int), logits
