"""How accuracy grows with the number of reviews to learn from, and what twice as many are likely to bring."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from imdb_rnn.core.errors import UserError
from imdb_rnn.decision import is_correct
from imdb_rnn.evaluation.intervals import of_proportion
from imdb_rnn.evaluation.results import CurvePoint
from imdb_rnn.text.corpus import Reviews
from imdb_rnn.training.baseline import baseline
from imdb_rnn.training.batches import Splits

SHARES = 1 / 64, 1 / 16, 1 / 4  # of the reviews in the other folds
SPREAD = 2 / 3  # the gain of a doubling was within this share of what was expected in 26 of 27 cases on five tables


def measure(
    training: Reviews,
    words: int,
    split: Callable[[float], Splits],
    logits: np.ndarray,
    predict: Callable[[float], np.ndarray],
) -> pd.DataFrame:
    """Measure network and linear model on all training reviews, each predicted from a share of the other folds.

    Shares with fewer than two reviews of a class are left out, and so are those from which a network cannot learn.

    Args:
        training: whole reviews.
        words: how many the vocabulary has.
        split: gives for one of `SHARES`, or 1, what is learnt from and what is predicted, as `batches.splits` does.
        logits: of the training reviews, out of fold, learnt from all reviews of the other folds.
        predict: gives the same for one of `SHARES`.

    Returns:
        The columns of `CurvePoint`, a row for each share, and `expected` for twice the reviews, if that can be said.
    """
    y, measured = training.labels, []
    for share in (*SHARES, 1):
        parts = split(share)
        reviews = round(np.mean([len(learnt) for learnt, _ in parts]))
        if min(np.bincount(y[learnt]).min() for learnt, _ in parts) < 2:
            print(f"learning curve: nothing for {reviews:,} reviews, of a class there would be fewer than two")
            continue
        try:
            of_share = logits if share == 1 else predict(share)
        except UserError as error:
            print(f"learning curve: nothing for {reviews:,} reviews ({error})")
            continue
        of_baseline = np.empty_like(logits)
        for learnt, rows in parts:
            known = Reviews(training.ranks.rows(learnt), y[learnt])
            of_baseline[rows] = baseline(known, training.ranks.rows(rows), words)
        correct = [int(is_correct(y, each).sum()) for each in (of_share, of_baseline)]
        ends = [(count / len(y), *of_proportion(count, len(y))) for count in correct]
        measured.append([reviews, *(round(value, 6) for value in (*ends[0], *ends[1])), False])
    if len(measured) > 1 and is_quarter(measured[-2][0] / measured[-1][0]):
        measured.append(expected(*measured[-2:]))
    return pd.DataFrame(measured, columns=[*CurvePoint.model_fields])


def is_quarter(share: float) -> bool:
    """Whether two points are a factor of four apart; of many small classes more is learnt than the share says."""
    return 0.2 < share < 0.3


def expected(quarter: list, whole: list) -> list:
    """The point at twice the reviews: each doubling divides the error by as much as in the last two.

    That is a power law (Hestness and others, Deep Learning Scaling is Predictable, Empirically, 2017) through the last
    two points. On five tables it came closer to held-back points than half the last step or a law through three points.
    If the intervals of these two points overlap, more reviews may also bring nothing.
    """
    point = [2 * whole[0]]
    for column in (1, 4):
        before, now = 1 - quarter[column], 1 - whole[column]
        gain = now * (1 - np.sqrt(now / before)) if now < before else 0.0
        is_certain = whole[column + 1] > quarter[column + 2]  # what the last reviews brought is more than chance
        parts = 1, 1 - SPREAD if is_certain else 0, 1 + SPREAD
        point += [round(min(1.0, 1 - now + part * gain), 6) for part in parts]
    return [*point, True]


def summary(curve: pd.DataFrame) -> str:
    """What twice as many reviews are likely to bring, in a line."""
    if not curve["expected"].any():
        return "learning curve: too few reviews to say what more would bring"
    now, then = curve.iloc[-2], curve.iloc[-1]
    gain, low, high = (then[["accuracy", "low", "high"]].astype(float) - now["accuracy"]).tolist()
    if not gain:
        return "learning curve: the last reviews did not raise the accuracy, so more would hardly do so"
    return f"with twice as many reviews the accuracy would be about {gain:.4f} higher ({low:.4f} to {high:.4f})"
