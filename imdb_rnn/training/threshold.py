"""The probability above which the second of two classes is predicted, chosen for a score on out-of-fold predictions."""

from typing import Any

import numpy as np

from imdb_rnn.core.errors import UserError
from imdb_rnn.decision import THRESHOLD
from imdb_rnn.engine.kernels.arithmetic import probabilities

DECIMALS = 6  # of the probabilities that are told apart, as in `results/predictions.csv`


def require_two_classes(y: np.ndarray, rule: Any) -> None:
    """Raise a `UserError` if a threshold is to be chosen, and labels, classes from 0, are of more than two."""
    if rule and y.max() > 1:
        raise UserError(
            f"params.yaml: train.threshold is for two labels, the reviews have {y.max() + 1}; set it to null"
        )


def choose(y: np.ndarray, logits: np.ndarray, rule: Any) -> float:
    """The threshold at which predictions score highest; of several the nearest to 0.5.

    It is midway between two neighbouring probabilities, rounded as long as it stays between them; or 0.5 if that does.

    Args:
        y: (reviews,), 0 or 1, both present.
        logits: float64 (reviews,), of reviews that the model has not learnt from.
        rule: `accuracy`, `f1`, `balanced_accuracy`, or `{"precision": x}`: the highest recall with at least that
            precision; None: 0.5.

    Raises:
        UserError: when no threshold has that precision.
    """
    if not rule:
        return THRESHOLD
    probability = probabilities(logits).round(DECIMALS)
    lower, first = np.unique(np.sort(probability), return_index=True)  # thresholds from each on, before the next one
    lower, upper = np.append(0.0, lower), np.append(lower, 1.0)
    positive = y[np.argsort(probability, kind="stable")] == 1
    below = np.append(0, np.append(first[1:], len(y)))  # how many reviews are predicted the first class
    hits = positive.sum() - np.append(0, np.cumsum(positive))[below]
    valid = np.flatnonzero(lower < upper)
    values = _scores(hits[valid], len(y) - below[valid], int(positive.sum()), len(y), rule)
    best = valid[values == values.max()]
    lower, upper = lower[best], upper[best]
    thresholds = np.where((lower < THRESHOLD) & (upper > THRESHOLD), THRESHOLD, (lower + upper) / 2)
    nearest = np.abs(thresholds - THRESHOLD).argmin()
    rounded = [round(float(thresholds[nearest]), decimals) for decimals in range(1, DECIMALS + 2)]
    return next(threshold for threshold in rounded if lower[nearest] < threshold < upper[nearest])


def _scores(hits: np.ndarray, found: np.ndarray, positive: int, reviews: int, rule: Any) -> np.ndarray:
    """The score of each threshold.

    Args:
        hits: how many of the reviews that are predicted the second class, `found`, have it, of `positive` in all.
    """
    true_negatives = reviews - positive - (found - hits)
    if rule == "accuracy":
        return (hits + true_negatives) / reviews
    if rule == "f1":
        return 2 * hits / (found + positive)
    if rule == "balanced_accuracy":
        return (hits / positive + true_negatives / (reviews - positive)) / 2
    precision = hits / np.maximum(found, 1)
    if precision.max() < rule["precision"]:
        reached = f"the highest precision on folds is {precision.max():.4f}"
        raise UserError(f"params.yaml: train.threshold: {reached}; ask for less than {rule['precision']}")
    return np.where(precision >= rule["precision"], hits / positive, -1)
