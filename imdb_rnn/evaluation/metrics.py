"""How good predictions are: loss, accuracy and other scores, the confusion matrix, and the points of the curves."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from sklearn import metrics

from imdb_rnn.decision import THRESHOLD, is_correct, predicted
from imdb_rnn.engine.kernels.arithmetic import cross_entropy, probabilities
from imdb_rnn.evaluation import intervals
from imdb_rnn.evaluation.results import ClassScores, ConfusionCell, distances

CURVE_POINTS = 200
BINS = 10  # of the calibration curve


def scores(
    y: np.ndarray, logits: np.ndarray, labels: Sequence[str] = (), threshold: float = THRESHOLD
) -> dict[str, float]:
    """Loss (mean cross-entropy), calibration error, accuracy and the like, area under the ROC curve; six decimals.

    Args:
        y: (reviews,), classes from 0, all present.
        logits: (reviews,) of two classes, (reviews, classes) of more: then F1 and the area, of each class against the
            rest, are means over the classes.
        labels: the names of the classes. If more than two are ascending numbers, the scores have the mean absolute
            error in their unit, and the share that is no more than one class off.
        threshold: see `decision.predicted`.
    """
    probability, decided = probabilities(logits), predicted(logits, threshold)
    values = {
        "loss": cross_entropy(y, logits)[0].mean(),
        "ece": expected_calibration_error(*calibrated(y, logits)),
        "accuracy": metrics.accuracy_score(y, decided),
        "balanced_accuracy": metrics.balanced_accuracy_score(y, decided),
    }
    if logits.ndim == 1:
        values |= {
            "precision": metrics.precision_score(y, decided, zero_division=0),
            "recall": metrics.recall_score(y, decided, zero_division=0),
            "f1": metrics.f1_score(y, decided, zero_division=0),
            "roc_auc": metrics.roc_auc_score(y, probability),
        }
    else:
        areas = [metrics.roc_auc_score(y == k, of_class) for k, of_class in enumerate(probability.T)]
        f1 = metrics.f1_score(y, decided, average=None, labels=range(len(areas)), zero_division=0)
        weighted = np.average(f1, weights=np.bincount(y))
        values |= {"macro_f1": f1.mean(), "weighted_f1": weighted, "roc_auc": np.mean(areas)}
        values |= {name: each.mean() for name, each in distances(y, decided, labels).items()}
    return {name: round(float(value), 6) for name, value in values.items()}


def beside_baseline(y: np.ndarray, logits: np.ndarray, baseline: np.ndarray, labels: Sequence[str] = ()) -> dict:
    """What `results.Metrics` has of the baseline, and of how the network compares with it, six decimals.

    Args:
        logits, baseline: of the network and of the baseline, both compared at a threshold of 0.5; for the rest see
            `scores`.
    """
    correct, other = is_correct(y, logits), is_correct(y, baseline)
    interval = intervals.of_difference(correct, other)
    return {
        "baseline": scores(y, baseline, labels),
        "chance": round(float(np.bincount(y).max() / len(y)), 6),
        "above_baseline": round(float(correct.mean() - other.mean()), 6),
        "above_baseline_interval": [round(end, 6) for end in interval],
    }


def confusion(y: np.ndarray, logits: np.ndarray, names: Sequence[str], threshold: float = THRESHOLD) -> pd.DataFrame:
    """Count the reviews by label and predicted label, each one of `names`: columns label, predicted, n_reviews."""
    counts = metrics.confusion_matrix(y, predicted(logits, threshold), labels=range(len(names)))
    rows = [(names[i], names[j], int(count)) for (i, j), count in np.ndenumerate(counts)]
    return pd.DataFrame(rows, columns=list(ConfusionCell.model_fields))


def classes(y: np.ndarray, logits: np.ndarray, names: Sequence[str], threshold: float = THRESHOLD) -> pd.DataFrame:
    """`ClassScores` of each of `names`, six decimals; one that is never predicted has precision 0 without interval."""
    counts = metrics.confusion_matrix(y, predicted(logits, threshold), labels=range(len(names)))
    rows = []
    for name, found, n, m in zip(names, counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0), strict=True):
        precision = [found / m, *intervals.of_proportion(found, m)] if m else [0, None, None]
        recall = [found / n, *intervals.of_proportion(found, n)]
        rows.append([name, n, *precision, *recall, 2 * found / (n + m), *intervals.of_f1(found, n + m - found)])
    return pd.DataFrame(rows, columns=list(ClassScores.model_fields)).round(6)


def roc(y: np.ndarray, probability: np.ndarray) -> pd.DataFrame:
    """Points of the ROC curve, at most `CURVE_POINTS`: columns fpr, tpr, six decimals.

    Of probabilities (reviews, classes) it is the mean of the curves of each class against the rest.
    """
    if probability.ndim == 2:
        return _over_classes(roc, y, probability)
    fpr, tpr, _ = metrics.roc_curve(y, probability)
    return _thinned(pd.DataFrame({"fpr": fpr, "tpr": tpr}))


def precision_recall(y: np.ndarray, probability: np.ndarray) -> pd.DataFrame:
    """Points of the precision-recall curve, as of `roc`: columns recall (ascending), precision."""
    if probability.ndim == 2:
        return _over_classes(precision_recall, y, probability)
    precision, recall, _ = metrics.precision_recall_curve(y, probability)
    return _thinned(pd.DataFrame({"recall": recall[::-1], "precision": precision[::-1]}))


def _over_classes(curve: Callable[..., pd.DataFrame], y: np.ndarray, probability: np.ndarray) -> pd.DataFrame:
    """The mean of the curves of each class against the rest, at the same places for all."""
    curves = [curve(y == k, of_class) for k, of_class in enumerate(probability.T)]
    places = np.linspace(0, 1, CURVE_POINTS)
    heights = np.mean([np.interp(places, *points.to_numpy().T) for points in curves], axis=0)
    return pd.DataFrame(np.stack([places, heights], axis=1), columns=curves[0].columns).round(6)


def calibrated(y: np.ndarray, logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What should agree, both (reviews,): whether something is true of each review, and the probability of that.

    Of two classes it is that the review is positive, of more that the predicted class is correct.
    """
    probability = probabilities(logits)
    return (y, probability) if logits.ndim == 1 else (is_correct(y, logits), probability.max(axis=1))


def expected_calibration_error(y: np.ndarray, probability: np.ndarray) -> float:
    """The mean distance of the bins of `calibration` from the diagonal, weighted by their reviews.

    Guo, Pleiss, Sun and Weinberger, On Calibration of Modern Neural Networks (2017). Args as of `calibration`.
    """
    return float(np.abs(np.bincount(_bins(probability), probability - y)).sum() / len(y))


def _bins(probability: np.ndarray) -> np.ndarray:
    """The bin of each review, from 0: int (reviews,)."""
    return np.minimum((probability * BINS).astype(int), BINS - 1)


def calibration(y: np.ndarray, probability: np.ndarray) -> pd.DataFrame:
    """Compare probabilities with shares of reviews, in `BINS` bins of equal width; empty bins are left out.

    Args:
        y, probability: see `calibrated`.

    Returns:
        Columns predicted (mean probability), positive (share of reviews with y = 1), low and high (its interval),
        n_reviews; six decimals.
    """
    bins = _bins(probability)
    rows = []
    for chosen in np.unique(bins):
        here = bins == chosen
        interval = intervals.of_proportion(y[here].sum(), here.sum())
        rows.append((probability[here].mean(), y[here].mean(), *interval, here.sum()))
    return pd.DataFrame(rows, columns=["predicted", "positive", "low", "high", "n_reviews"]).round(6)


def _thinned(points: pd.DataFrame) -> pd.DataFrame:
    """Keep points evenly spaced along the drawn curve, its ends among them."""
    steps = np.diff(points.to_numpy(), axis=0)
    along = np.concatenate([[0], np.sqrt((steps * steps).sum(axis=1)).cumsum()])
    rows = np.unique(np.searchsorted(along, np.linspace(0, along[-1], CURVE_POINTS)))
    return points.iloc[rows].round(6)
