"""The form of what the stage `evaluate` writes, checked again when it is read."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from imdb_rnn.core import files

CLASSES = ("negative", "positive")  # 0 and 1, whatever the names of two labels are
Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Ends = Annotated[list[float], Field(min_length=2, max_length=2)]  # low and high, of an interval
Scores = dict[str, Annotated[float, Field(ge=0)]]  # of `metrics.scores`


class Result(BaseModel):
    """What a stage wrote: no other keys, no conversion, finite numbers."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


Row = TypeVar("Row", bound=Result)


def class_names(labels: Sequence[str]) -> Sequence[str]:
    """What classes are called in results and figures: `CLASSES`, or more than two by their labels."""
    return CLASSES if len(labels) == 2 else labels


def distances(y: np.ndarray, predicted: np.ndarray, labels: Sequence[str]) -> dict[str, np.ndarray]:
    """Of labels that are numbers in ascending order, such as stars: how far off each review is. Else nothing."""
    try:
        numbers = np.array(labels, float)
    except ValueError:
        return {}
    if not numbers.size or not np.isfinite(numbers).all() or (np.diff(numbers) <= 0).any():
        return {}
    near = np.abs(predicted - y.astype(int)) <= 1
    return {"mean_absolute_error": np.abs(numbers[predicted] - numbers[y]), "within_one_step": near}


class Metrics(Result):
    """Scores, and the confidence interval of each test score: [low, high], or None where there is none.

    baseline: the test scores of the linear model
    chance: the share of the most frequent class among the test reviews
    above_baseline: how much more accurate the network is than the linear model, with the interval of paired reviews,
        both at a threshold of 0.5
    """

    best_epoch: Annotated[int, Field(ge=1)]
    test: Scores
    test_intervals: dict[str, Ends | None]
    validation: Scores | None = None
    baseline: Scores
    chance: Share
    above_baseline: float
    above_baseline_interval: Ends

    def compared(self) -> Literal["better", "level", "worse"]:
        """What the interval says of the network, compared with the linear model."""
        low, high = self.above_baseline_interval
        return "better" if low > 0 else "worse" if high < 0 else "level"


class Trace(Result):
    """A review as the network read it, with the probability before its first word and after each word.

    Of two classes it is that of a positive review, of more that of the class that is `predicted` in the end.
    """

    review: Count
    label: Count
    kind: Literal["correct", "wrong", "undecided"]
    words: list[str]
    known: list[bool]
    probability: list[Share]
    predicted: Count | None = None


class Traces(Result):
    traces: list[Trace]


class HalfLife(Result):
    half_life_words: Annotated[float, Field(ge=0)] | None = None


class SensitivityMetrics(Result):
    sensitivity: HalfLife


class ConfusionCell(Result):
    """A cell of the confusion matrix."""

    label: str
    predicted: str
    n_reviews: Count


class ClassScores(Result):
    """How well a class is recognised, see `metrics.classes`."""

    label: str
    n_reviews: Count
    precision: Share
    precision_low: Share | None
    precision_high: Share | None
    recall: Share
    recall_low: Share
    recall_high: Share
    f1: Share
    f1_low: Share
    f1_high: Share


class Slice(Result):
    """Accuracy on a slice of the test reviews, see `slices.measure`."""

    by: Literal["words", "oov"]
    slice: str
    n_reviews: Annotated[int, Field(ge=1)]
    accuracy: Share
    low: Share
    high: Share


class Suspect(Result):
    """A training review whose label looks wrong, see `suspects.suspects`."""

    rank: Annotated[int, Field(ge=1)]
    review: Count
    place: str
    label: str
    suggested: str
    probability: Share
    why: str
    opening: str


class CurvePoint(Result):
    """Accuracy by the number of reviews to learn from, see `learning_curve.measure`."""

    reviews: Annotated[int, Field(ge=1)]
    accuracy: Share
    low: Share
    high: Share
    baseline: Share
    baseline_low: Share
    baseline_high: Share
    expected: bool


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
    import pandas as pd

    files.require(path, stage)
    try:
        texts = {
            name: str for name, field in form.model_fields.items() if field.annotation is str
        }  # names may be numbers
        table = pd.read_csv(path, keep_default_na=False, na_values=[""], dtype=texts)
        if list(table.columns) != list(form.model_fields):
            raise ValueError(f"it should have the columns {', '.join(form.model_fields)}")
        return [form.model_validate(row) for row in table.astype(object).where(table.notna(), None).to_dict("records")]
    except (OSError, ValueError) as error:  # pandas' and pydantic's errors are ValueErrors
        raise files.damaged(path, stage, error) from error
