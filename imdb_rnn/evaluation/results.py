"""The forms of what `evaluate` and `explain` write, checked again when it is read."""

from itertools import product
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, model_validator

from imdb_rnn.core import files, frames

LABELS = ("negative", "positive")  # 0 and 1
Share = Annotated[float, Field(ge=0, le=1)]


class Result(BaseModel):
    """What a stage wrote: no other keys, no conversion, finite numbers."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


RowType = TypeVar("RowType", bound=Result)


class Scores(Result):
    loss: Annotated[float, Field(ge=0)]
    accuracy: Share
    balanced_accuracy: Share
    precision: Share
    recall: Share
    f1: Share
    roc_auc: Share


class Metrics(Result):
    best_epoch: Annotated[int, Field(ge=1)]
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


class Sensitivity(Result):
    half_life_words: Annotated[float, Field(ge=0)] | None = None


class SensitivityMetrics(Result):
    sensitivity: Sensitivity


class Slice(Result):
    """How good the network is on a part of the test reviews, see `slices.measure`."""

    by: Literal["words", "unknown"]
    slice: str
    reviews: Annotated[int, Field(ge=1)]
    accuracy: Share
    low: Share
    high: Share


class Behaviour(Result):
    """What the network did in a test of its behaviour, see `behaviour.measure`."""

    kind: Literal["MFT", "INV", "DIR"]
    test: str
    cases: Annotated[int, Field(ge=1)]
    left_out: Annotated[int, Field(ge=0)]
    passed: Annotated[int, Field(ge=0)]
    share: Share
    low: Share
    high: Share
    failure: str | None
    probability: Share | None
    before: Share | None

    @model_validator(mode="after")
    def _a_failure_where_not_all_passed(self) -> "Behaviour":
        failed = self.passed < self.cases
        if self.passed > self.cases or failed != (self.failure is not None) or failed != (self.probability is not None):
            raise ValueError("a test should have a failure if a case did not pass, and none otherwise")
        return self


def read_slices(path: Path) -> list[Slice]:
    """Read the accuracy by parts of the test reviews. Raises `UserError` when it is missing or not that."""
    return _read_rows(Slice, path, "evaluate")


def read_behaviour(path: Path) -> list[Behaviour]:
    """Read what the tests of behaviour found, nothing if none was run. Raises `UserError` when it is not that."""
    return _read_rows(Behaviour, path, "explain")


def _read_rows(model: type[RowType], path: Path, stage: str) -> list[RowType]:
    """Read a table that `stage` wrote row by row; an empty cell is None."""
    files.require(path, stage)
    try:
        table = pd.read_csv(path, keep_default_na=False, na_values=[""])
        if list(table.columns) != list(model.model_fields):
            raise ValueError(f"it should have the columns {', '.join(model.model_fields)}")
        table = table.astype(object).where(table.notna(), None)
        return [model.model_validate(row) for row in table.to_dict("records")]
    except (OSError, ValueError) as error:  # pandas' and pydantic's errors are ValueErrors
        raise files.damaged(path, stage, error) from error


def read_confusion(path: Path) -> pd.DataFrame:
    """Read the confusion matrix that `evaluate` wrote. Raises `UserError` when it is not one."""
    files.require(path, "evaluate")
    try:
        counts = pd.read_csv(path)
        pairs = list(zip(counts["label"], counts["predicted"], strict=True))
        if set(pairs) != set(product(LABELS, LABELS)) or len(pairs) != 4:
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
    points = frames.read_points(path, ("label", "logit"), "evaluate")
    y, logits = points["label"].to_numpy(), points["logit"].to_numpy()
    if set(y) != {0, 1}:
        raise files.damaged(path, "evaluate", "it should have labels 0 and 1, and both of them")
    return y.astype(int), logits
