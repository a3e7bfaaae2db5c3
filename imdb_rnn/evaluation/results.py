"""The form of what the stage `evaluate` writes, checked again when it is read."""

from pathlib import Path
from typing import Annotated, Literal, TypeVar

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from imdb_rnn.core import files

CLASSES = ("negative", "positive")  # 0 and 1
Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class Result(BaseModel):
    """What a stage wrote: no other keys, no conversion, finite numbers."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


Row = TypeVar("Row", bound=Result)


class Scores(Result):
    loss: Annotated[float, Field(ge=0)]
    accuracy: Share
    balanced_accuracy: Share
    precision: Share
    recall: Share
    f1: Share
    roc_auc: Share


class Metrics(Result):
    """Scores, and the confidence interval of each test score: [low, high], or None where there is none."""

    best_epoch: Annotated[int, Field(ge=1)]
    test: Scores
    test_intervals: dict[str, Annotated[list[float], Field(min_length=2, max_length=2)] | None]
    validation: Scores | None = None


class Trace(Result):
    """A review as the network read it, with the probability before its first word and after each word."""

    review: Count
    label: Literal[0, 1]
    kind: Literal["correct", "wrong", "undecided"]
    words: list[str]
    known: list[bool]
    probability: list[Share]


class Traces(Result):
    traces: list[Trace]


class HalfLife(Result):
    half_life_words: Annotated[float, Field(ge=0)] | None = None


class SensitivityMetrics(Result):
    sensitivity: HalfLife


class ConfusionCell(Result):
    """A cell of the confusion matrix."""

    label: Literal["negative", "positive"]
    predicted: Literal["negative", "positive"]
    n_reviews: Count


class Slice(Result):
    """Accuracy on a slice of the test reviews, see `slices.measure`."""

    by: Literal["words", "oov"]
    slice: str
    n_reviews: Annotated[int, Field(ge=1)]
    accuracy: Share
    low: Share
    high: Share


class Behaviour(Result):
    """The result of a behaviour test, see `behaviour.measure`."""

    kind: Literal["MFT", "INV", "DIR"]
    test: str
    cases: Annotated[int, Field(ge=1)]
    skipped: Count
    passed: Count
    pass_rate: Share
    low: Share
    high: Share
    failure: str | None
    probability: Share | None
    before: Share | None


def read_rows(form: type[Row], path: Path, stage: str) -> list[Row]:
    """Read a CSV table that `stage` wrote; an empty cell is None. Raises `UserError` if it is missing or damaged."""
    files.require(path, stage)
    try:
        table = pd.read_csv(path, keep_default_na=False, na_values=[""])
        if list(table.columns) != list(form.model_fields):
            raise ValueError(f"it should have the columns {', '.join(form.model_fields)}")
        return [form.model_validate(row) for row in table.astype(object).where(table.notna(), None).to_dict("records")]
    except (OSError, ValueError) as error:  # pandas' and pydantic's errors are ValueErrors
        raise files.damaged(path, stage, error) from error
