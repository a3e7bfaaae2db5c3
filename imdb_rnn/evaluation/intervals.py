"""95 % confidence intervals: how far the choice of the test reviews may have moved a score.

`scipy.stats` takes half a second to import, so it is imported where it is used.
"""

import numpy as np

from imdb_rnn.decision import predicted
from imdb_rnn.engine.kernels.arithmetic import cross_entropy, probabilities

CONFIDENCE = 0.95  # of every interval in the project
Interval = tuple[float, float]


def of_proportion(count: int, total: int) -> Interval:
    """Interval of a proportion, of a total above 0, by Wilson's score (Probable Inference, 1927)."""
    from scipy import stats

    interval = stats.binomtest(int(count), int(total)).proportion_ci(CONFIDENCE, method="wilson")
    return float(interval.low), float(interval.high)


def of_mean(values: np.ndarray) -> Interval:
    """Interval of the mean of (n,) values, by Student's distribution."""
    from scipy import stats

    half = float(stats.sem(values) * stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1))
    return float(values.mean()) - half, float(values.mean()) + half


def of_roc_auc(y: np.ndarray, probability: np.ndarray) -> Interval | None:
    """Interval of the area under the ROC curve, by the variance of DeLong, DeLong and Clarke-Pearson (1988).

    Computed from ranks (Sun and Xu, Fast Implementation of DeLong's Algorithm, 2014). None where the variance cannot be
    estimated: one review of a label, or all reviews of one label above all reviews of the other.
    """
    from scipy import stats

    ranks = stats.rankdata(probability)
    positive, negative = y == 1, y == 0
    m, n = positive.sum(), negative.sum()
    # For each positive review the share of negative ones below it; for each negative review of positive ones above it
    below = (ranks[positive] - stats.rankdata(probability[positive])) / n
    above = 1 - (ranks[negative] - stats.rankdata(probability[negative])) / m
    if min(m, n) < 2 or not below.var() + above.var():
        return None
    half = stats.norm.ppf((1 + CONFIDENCE) / 2) * np.sqrt(below.var(ddof=1) / m + above.var(ddof=1) / n)
    return max(0.0, float(below.mean() - half)), min(1.0, float(below.mean() + half))


def _of_mean_of_proportions(pairs: list[tuple[int, int]]) -> Interval:
    """Interval of the mean of two proportions, pairs of count and total.

    From the intervals of both, after Newcombe (Interval Estimation for the Difference, 1998).
    """
    shares = [(count / total, of_proportion(count, total)) for count, total in pairs]
    mean = sum(share for share, _ in shares) / 2
    half = [np.sqrt(sum((share - ends[side]) ** 2 for share, ends in shares)) / 2 for side in (0, 1)]
    return float(mean - half[0]), float(mean + half[1])


def of_scores(y: np.ndarray, logits: np.ndarray) -> dict[str, Interval | None]:
    """Interval of each score that `metrics.scores` computes, six decimals; None where there is none.

    Args:
        y: (reviews,), 0 or 1, both present.
        logits: (reviews,), of a positive review.
    """
    found, positive = predicted(logits) == 1, y == 1
    true_positives, either = np.sum(found & positive), np.sum(found | positive)
    true_negatives = np.sum(~found & ~positive)
    jaccard = of_proportion(true_positives, either)
    ends = {
        "loss": of_mean(cross_entropy(y, logits)[0]),
        "accuracy": of_proportion(true_positives + true_negatives, len(y)),
        "balanced_accuracy": _of_mean_of_proportions(
            [(true_positives, positive.sum()), (true_negatives, (~positive).sum())]
        ),
        "precision": of_proportion(true_positives, found.sum()) if found.any() else None,
        "recall": of_proportion(true_positives, positive.sum()),
        "f1": (2 * jaccard[0] / (1 + jaccard[0]), 2 * jaccard[1] / (1 + jaccard[1])),
        "roc_auc": of_roc_auc(y, probabilities(logits)),
    }
    return {name: interval and (round(interval[0], 6), round(interval[1], 6)) for name, interval in ends.items()}
