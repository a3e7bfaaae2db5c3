"""How good predictions are: loss, accuracy and other scores, the confusion matrix, and the points of the curves."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from sklearn import metrics

from imdb_rnn.decision import predicted
from imdb_rnn.engine.kernels.arithmetic import cross_entropy, probabilities
from imdb_rnn.evaluation import intervals
from imdb_rnn.evaluation.results import ClassScores, ConfusionCell, as_numbers

CURVE_POINTS = 200
BINS = 10  # of the calibration curve


def scores(y: np.ndarray, logits: np.ndarray, labels: Sequence[str] = ()) -> dict[str, float]:
    """Loss (mean cross-entropy), accuracy and the like, and the area under the ROC curve, six decimals.

    Of more than two classes there are means of F1 over the classes in place of precision, recall and F1, and the area
    is the mean of the areas of each class against the rest.

    Args:
        y: (reviews,), classes from 0, all present.
        logits: (reviews,) of two classes, (reviews, classes) of more.
        labels: the names of the classes. Of more than two that are numbers, in ascending order, the scores have
            `mean_absolute_error`, in their unit, and `within_one_step`, the share that is no more than one class off.
    """
    probability, decided = probabilities(logits), predicted(logits)
    values = {
        "loss": cross_entropy(y, logits)[0].mean(),
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
        means = {
            f"{mean}_f1": metrics.f1_score(y, decided, average=mean, zero_division=0) for mean in ("macro", "weighted")
        }
        values |= {**means, "roc_auc": np.mean(areas)}
        numbers = as_numbers(labels)
        if numbers is not None:
            values["mean_absolute_error"] = np.abs(numbers[decided] - numbers[y]).mean()
            values["within_one_step"] = (np.abs(decided - y.astype(int)) <= 1).mean()
    return {name: round(float(value), 6) for name, value in values.items()}


def confusion(y: np.ndarray, logits: np.ndarray, names: Sequence[str]) -> pd.DataFrame:
    """Count the reviews by label and predicted label, each one of `names`: columns label, predicted, n_reviews."""
    counts = metrics.confusion_matrix(y, predicted(logits), labels=range(len(names)))
    rows = [(names[i], names[j], int(count)) for (i, j), count in np.ndenumerate(counts)]
    return pd.DataFrame(rows, columns=list(ConfusionCell.model_fields))


def classes(y: np.ndarray, logits: np.ndarray, names: Sequence[str]) -> pd.DataFrame:
    """How well each class is recognised: a row of `ClassScores` for each of `names`, six decimals.

    A class that is never predicted has a precision of 0 without an interval.
    """
    counts = metrics.confusion_matrix(y, predicted(logits), labels=range(len(names)))
    rows = []
    for k, (found, of_label, of_predicted) in enumerate(
        zip(counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0), strict=True)
    ):
        precision = (
            [found / of_predicted, *intervals.of_proportion(found, of_predicted)] if of_predicted else [0, None, None]
        )
        recall = [found / of_label, *intervals.of_proportion(found, of_label)]
        f1 = [2 * found / (of_label + of_predicted), *intervals.of_f1(found, of_label + of_predicted - found)]
        rows.append([names[k], of_label, *precision, *recall, *f1])
    return pd.DataFrame(rows, columns=list(ClassScores.model_fields)).round(6)


def roc(y: np.ndarray, probability: np.ndarray) -> pd.DataFrame:
    """Points of the ROC curve, at most `CURVE_POINTS`: columns fpr, tpr, six decimals.

    Args:
        probability: (reviews,) of two classes, (reviews, classes) of more; of these the curve is the mean of the curves
            of each class against the rest.
    """
    if probability.ndim == 2:
        return _over_classes(roc, y, probability)
    fpr, tpr, _ = metrics.roc_curve(y, probability)
    return _thinned(pd.DataFrame({"fpr": fpr, "tpr": tpr}))


def precision_recall(y: np.ndarray, probability: np.ndarray) -> pd.DataFrame:
    """Points of the precision-recall curve: columns recall (ascending), precision. Everything else as of `roc`."""
    if probability.ndim == 2:
        return _over_classes(precision_recall, y, probability)
    precision, recall, _ = metrics.precision_recall_curve(y, probability)
    return _thinned(pd.DataFrame({"recall": recall[::-1], "precision": precision[::-1]}))


def _over_classes(curve: Callable[..., pd.DataFrame], y: np.ndarray, probability: np.ndarray) -> pd.DataFrame:
    """The mean of the curves of each class against the rest, at the same places for all."""
    curves = [curve(y == k, of_class) for k, of_class in enumerate(probability.T)]
    across, up = curves[0].columns
    places = np.linspace(0, 1, CURVE_POINTS - 1)
    heights = np.mean([np.interp(places, points[across], points[up]) for points in curves], axis=0)
    points = pd.DataFrame({across: places, up: heights}).round(6)
    return pd.concat([curves[0].iloc[:1], points], ignore_index=True)  # where all curves begin


def calibration(y: np.ndarray, probability: np.ndarray) -> pd.DataFrame:
    """Compare probabilities with the share of positive reviews, in `BINS` bins of equal width; empty bins are left out.

    Args:
        y: (reviews,), 1 where the class that has the probability is the right one.

    Returns:
        Columns predicted (mean probability), positive (share of reviews with y = 1), low and high (its interval),
        n_reviews; six decimals.
    """
    bins = np.minimum((probability * BINS).astype(int), BINS - 1)
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
