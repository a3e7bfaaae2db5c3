"""How good predictions are: loss, accuracy and other scores, the confusion matrix, and the points of the curves."""

import numpy as np
import pandas as pd
from sklearn import metrics

from imdb_rnn.decision import predicted
from imdb_rnn.engine.kernels.arithmetic import cross_entropy, probabilities
from imdb_rnn.evaluation import intervals
from imdb_rnn.evaluation.results import CLASSES, ConfusionCell

CURVE_POINTS = 200
BINS = 10  # of the calibration curve


def scores(y: np.ndarray, logits: np.ndarray) -> dict[str, float]:
    """Loss (mean binary cross-entropy), accuracy and the like, and the area under the ROC curve, six decimals.

    Args:
        y: (reviews,), 0 or 1, both present.
        logits: (reviews,), of a positive review.
    """
    probability, decided = probabilities(logits), predicted(logits)
    values = {
        "loss": cross_entropy(y, logits)[0].mean(),
        "accuracy": metrics.accuracy_score(y, decided),
        "balanced_accuracy": metrics.balanced_accuracy_score(y, decided),
        "precision": metrics.precision_score(y, decided, zero_division=0),
        "recall": metrics.recall_score(y, decided, zero_division=0),
        "f1": metrics.f1_score(y, decided, zero_division=0),
        "roc_auc": metrics.roc_auc_score(y, probability),
    }
    return {name: round(float(value), 6) for name, value in values.items()}


def confusion(y: np.ndarray, logits: np.ndarray) -> pd.DataFrame:
    """Count the reviews by label and predicted label: columns label, predicted, n_reviews; four rows."""
    counts = metrics.confusion_matrix(y, predicted(logits), labels=[0, 1])
    rows = [(CLASSES[i], CLASSES[j], int(counts[i, j])) for i in (0, 1) for j in (0, 1)]
    return pd.DataFrame(rows, columns=list(ConfusionCell.model_fields))


def roc(y: np.ndarray, probability: np.ndarray) -> pd.DataFrame:
    """Points of the ROC curve, at most `CURVE_POINTS`: columns fpr, tpr, six decimals."""
    fpr, tpr, _ = metrics.roc_curve(y, probability)
    return _thinned(pd.DataFrame({"fpr": fpr, "tpr": tpr}))


def precision_recall(y: np.ndarray, probability: np.ndarray) -> pd.DataFrame:
    """Points of the precision-recall curve, at most `CURVE_POINTS`: columns recall (ascending), precision."""
    precision, recall, _ = metrics.precision_recall_curve(y, probability)
    return _thinned(pd.DataFrame({"recall": recall[::-1], "precision": precision[::-1]}))


def calibration(y: np.ndarray, probability: np.ndarray) -> pd.DataFrame:
    """Compare probabilities with the share of positive reviews, in `BINS` bins of equal width; empty bins are left out.

    Returns:
        Columns predicted (mean probability), positive (share of positive reviews), low and high (its interval),
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
