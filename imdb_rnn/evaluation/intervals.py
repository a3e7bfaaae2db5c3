"""95 % confidence intervals: how far the choice of the test reviews may have moved a score.

`scipy.stats` takes half a second to import, so it is imported where it is used.
"""

from collections.abc import Sequence

import numpy as np

from imdb_rnn.decision import THRESHOLD, is_correct, predicted
from imdb_rnn.engine.kernels.arithmetic import cross_entropy, probabilities
from imdb_rnn.evaluation.results import distances

CONFIDENCE = 0.95  # of every interval in the project
Interval = tuple[float, float]


def of_proportion(count: int, total: int) -> Interval:
    """Interval of a proportion, of a total above 0, by Wilson's score (Probable Inference, 1927)."""
    from scipy import stats

    interval = stats.binomtest(int(count), int(total)).proportion_ci(CONFIDENCE, method="wilson")
    return float(interval.low), float(interval.high)


def of_mean(values: np.ndarray) -> Interval | None:
    """Interval of the mean of (n,) values from 0, by Student's distribution; None where nothing varies."""
    from scipy import stats

    if values.min() == values.max():
        return None
    half, mean = float(stats.sem(values) * stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1)), float(values.mean())
    return max(0.0, mean - half), mean + half


def of_difference(correct: np.ndarray, other: np.ndarray) -> Interval:
    """Interval of how much more accurate one model is than another, from bool (reviews,) of the same reviews.

    By Agresti and Min (Simple Improved Confidence Intervals for Comparing Matched Proportions, 2005): Wald's interval
    after half a review is added to each of the four cells.
    """
    from scipy import stats

    n, gained, lost = len(correct) + 2, np.sum(correct & ~other) + 0.5, np.sum(~correct & other) + 0.5
    mean = float(gained - lost) / n
    half = float(stats.norm.ppf((1 + CONFIDENCE) / 2) * np.sqrt((gained + lost) / n - mean**2) / np.sqrt(n))
    return mean - half, mean + half


def of_f1(found: int, either: int) -> Interval:
    """Interval of F1, from that of the share of `found` among the reviews that have the label, or get it, or both."""
    low, high = of_proportion(found, either)
    return 2 * low / (1 + low), 2 * high / (1 + high)


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


def of_scores(
    y: np.ndarray, logits: np.ndarray, labels: Sequence[str] = (), threshold: float = THRESHOLD
) -> dict[str, Interval | None]:
    """Interval of each score that `metrics.scores` computes from the same, six decimals; None where there is none."""
    if logits.ndim == 2:
        ends = _of_many_classes(y, logits, labels)
    else:
        found, positive = predicted(logits, threshold) == 1, y == 1
        true_positives, either = np.sum(found & positive), np.sum(found | positive)
        true_negatives = np.sum(~found & ~positive)
        ends = {
            "loss": of_mean(cross_entropy(y, logits)[0]),
            "ece": None,
            "accuracy": of_proportion(true_positives + true_negatives, len(y)),
            "balanced_accuracy": _of_mean_of_proportions(
                [(true_positives, positive.sum()), (true_negatives, (~positive).sum())]
            ),
            "precision": of_proportion(true_positives, found.sum()) if found.any() else None,
            "recall": of_proportion(true_positives, positive.sum()),
            "f1": of_f1(true_positives, either),
            "roc_auc": of_roc_auc(y, probabilities(logits)),
        }
    return {name: interval and (round(interval[0], 6), round(interval[1], 6)) for name, interval in ends.items()}


def _of_many_classes(y: np.ndarray, logits: np.ndarray, labels: Sequence[str]) -> dict[str, Interval | None]:
    """Of means over the classes by the delta method, from what each review adds to them. The mean area has none."""
    decided, correct, classes = predicted(logits), is_correct(y, logits), logits.shape[1]
    count, found = np.bincount(y, minlength=classes), np.bincount(y[correct], minlength=classes)
    either = count + np.bincount(decided, minlength=classes)
    recall, f1, shares = found / count, 2 * found / either, count / len(y)

    def of_f1s(weights: np.ndarray, added: np.ndarray | float = 0) -> Interval | None:
        slope = weights / either
        return _around(f1 @ weights, added + 2 * slope[y] * correct - (slope * f1)[y] - (slope * f1)[decided])

    ends: dict[str, Interval | None] = {
        "loss": of_mean(cross_entropy(y, logits)[0]),
        "ece": None,
        "accuracy": of_proportion(correct.sum(), len(y)),
        "balanced_accuracy": _around(recall.mean(), (correct - recall[y]) / count[y] / classes),
        "macro_f1": of_f1s(np.full(classes, 1 / classes)),
        "weighted_f1": of_f1s(shares, (f1[y] - f1 @ shares) / len(y)),  # the shares vary too
        "roc_auc": None,
    }
    for name, each in distances(y, decided, labels).items():
        ends[name] = of_proportion(each.sum(), len(y)) if each.dtype == bool else of_mean(each)
    return ends


def _around(share: float, added: np.ndarray) -> Interval | None:
    """Interval of a share, by what each review adds to it beyond the mean; None where nothing varies."""
    from scipy import stats

    half = float(stats.norm.ppf((1 + CONFIDENCE) / 2) * np.sqrt((added**2).sum()))
    return (max(0.0, share - half), min(1.0, share + half)) if half else None
