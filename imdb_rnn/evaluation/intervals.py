"""How far chance may have moved what was measured on so many test reviews: 95 % intervals.

From `scipy.special`: `scipy.stats` takes half a second to load, for which `explain` and `export` need not wait.
"""

import numpy as np
from scipy import special

from imdb_rnn.engine.kernels.arithmetic import expit, log_losses
from imdb_rnn.training.decision import is_positive

CONFIDENCE = 0.95  # of every interval in the project
Interval = tuple[float, float]


def of_share(count: int, total: int) -> Interval | None:
    """Interval of a share by Wilson's score (Probable Inference, 1927); None for a share of nothing."""
    if total == 0:
        return None
    share, square = count / total, special.ndtri((1 + CONFIDENCE) / 2) ** 2 / total
    middle, half = share + square / 2, np.sqrt(square * (share * (1 - share) + square / 4))
    low, high = float((middle - half) / (1 + square)), float((middle + half) / (1 + square))
    return low if count else 0.0, high if count < total else 1.0


def of_mean(values: np.ndarray) -> Interval:
    """Interval of the mean of (n,) values, by Student's distribution."""
    half = values.std(ddof=1) / np.sqrt(len(values)) * special.stdtrit(len(values) - 1, (1 + CONFIDENCE) / 2)
    return float(values.mean() - half), float(values.mean() + half)


def of_roc_auc(y: np.ndarray, probability: np.ndarray) -> Interval | None:
    """Interval of the area under the ROC curve, by the variance of DeLong, DeLong and Clarke-Pearson (1988).

    Computed from ranks (Sun and Xu, Fast Implementation of DeLong's Algorithm, 2014). None where the reviews tell no
    variance: one of a label, or all of one label above all of the other.
    """
    ranks = _ranks(probability)
    positive, negative = y == 1, y == 0
    m, n = positive.sum(), negative.sum()
    # For each positive review the share of the negative ones below it; for each negative one of the positive above it
    below = (ranks[positive] - _ranks(probability[positive])) / n
    above = 1 - (ranks[negative] - _ranks(probability[negative])) / m
    if min(m, n) < 2 or not below.var() + above.var():
        return None
    half = special.ndtri((1 + CONFIDENCE) / 2) * np.sqrt(below.var(ddof=1) / m + above.var(ddof=1) / n)
    return max(0.0, float(below.mean() - half)), min(1.0, float(below.mean() + half))


def _ranks(values: np.ndarray) -> np.ndarray:
    """The places of (n,) finite values in ascending order, from 1 on; equal ones have the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (counts.cumsum() - (counts - 1) / 2)[place]


def _of_two_shares(some: np.ndarray, of: np.ndarray, others: np.ndarray, of_others: np.ndarray) -> Interval:
    """Interval of the mean of two shares, from theirs (Newcombe, Interval Estimation for the Difference, 1998)."""
    shares = [
        (part.sum() / whole.sum(), of_share(part.sum(), whole.sum()))
        for part, whole in ((some, of), (others, of_others))
    ]
    mean = (shares[0][0] + shares[1][0]) / 2
    half = [np.sqrt(sum((share - ends[side]) ** 2 for share, ends in shares if ends)) / 2 for side in (0, 1)]
    return float(mean - half[0]), float(mean + half[1])


def of_metrics(y: np.ndarray, logits: np.ndarray) -> dict[str, Interval | None]:
    """Intervals of what `metrics.measure` measures, by name.

    Args:
        y: (reviews,), 0 or 1, both present.
        logits: (reviews,), of a positive review.
    """
    probability = expit(logits)
    predicted, positive = is_positive(logits), y == 1
    both, either = np.sum(predicted & positive), np.sum(predicted | positive)
    share = of_share(both, either)
    return {
        "accuracy": of_share(np.sum(predicted == positive), len(y)),
        "balanced_accuracy": _of_two_shares(positive & predicted, positive, ~positive & ~predicted, ~positive),
        "precision": of_share(both, predicted.sum()),
        "recall": of_share(both, positive.sum()),
        # F1 rises with the share of both in either: 2 s / (1 + s)
        "f1": share and (2 * share[0] / (1 + share[0]), 2 * share[1] / (1 + share[1])),
        "roc_auc": of_roc_auc(y, probability),
        "loss": of_mean(log_losses(y, logits)),
    }
