"""Measure the trained network on reviews that it was not trained on.

In: `data/model.keras`, `data/padded/`, the vocabulary, `results/history.csv`. Out: `results/metrics.json` (for `test`,
and for `validation` where reviews were held out), `results/predictions.csv` with a row for every test review, and the
points of the confusion matrix, the ROC and the precision-recall curve.
"""

import numpy as np
import pandas as pd
from sklearn import metrics

from stages import files, history, network
from stages.batches import unpad
from stages.errors import run
from stages.params import load_params
from stages.reviews import read_padded, read_vocabulary, split_by_position
from stages.vocabulary import RANK_OFFSET, words_of

THRESHOLD = 0.5  # a probability above it means positive
CURVE_POINTS = 200
OPENING_WORDS = 20


def measure(y: np.ndarray, probability: np.ndarray) -> dict[str, float]:
    """Loss (binary cross-entropy), accuracy, precision, recall, F1 and area under the ROC curve, six decimals.

    Args:
        y: (reviews,), 0 or 1, both present.
        probability: (reviews,), that the review is positive.
    """
    predicted = probability > THRESHOLD
    clipped = np.clip(probability, 1e-7, 1 - 1e-7)  # as Keras does, so that the numbers agree with its history
    values = {
        "loss": metrics.log_loss(y, clipped),
        "accuracy": metrics.accuracy_score(y, predicted),
        "precision": metrics.precision_score(y, predicted, zero_division=0),
        "recall": metrics.recall_score(y, predicted, zero_division=0),
        "f1": metrics.f1_score(y, predicted, zero_division=0),
        "roc_auc": metrics.roc_auc_score(y, probability),
    }
    return {name: round(float(value), 6) for name, value in values.items()}


def confusion(y: np.ndarray, probability: np.ndarray) -> pd.DataFrame:
    """Count the reviews of each label and predicted label: columns label, predicted, reviews; four rows."""
    counts = metrics.confusion_matrix(y, probability > THRESHOLD, labels=[0, 1])
    names = ("negative", "positive")
    rows = [(names[i], names[j], int(counts[i, j])) for i in (0, 1) for j in (0, 1)]
    return pd.DataFrame(rows, columns=["label", "predicted", "reviews"])


def roc(y: np.ndarray, probability: np.ndarray) -> pd.DataFrame:
    """Points of the ROC curve, at most `CURVE_POINTS`: columns fpr, tpr, six decimals."""
    fpr, tpr, _ = metrics.roc_curve(y, probability)
    return _thinned(pd.DataFrame({"fpr": fpr, "tpr": tpr}))


def precision_recall(y: np.ndarray, probability: np.ndarray) -> pd.DataFrame:
    """Points of the precision-recall curve, at most `CURVE_POINTS`: columns recall, precision, rising recall."""
    precision, recall, _ = metrics.precision_recall_curve(y, probability)
    return _thinned(pd.DataFrame({"recall": recall[::-1], "precision": precision[::-1]}))


def _thinned(points: pd.DataFrame) -> pd.DataFrame:
    """Keep points evenly spaced along the drawn curve, its ends among them."""
    steps = np.diff(points.to_numpy(), axis=0)
    along = np.concatenate([[0], np.hypot(*steps.T).cumsum()])
    rows = np.unique(np.searchsorted(along, np.linspace(0, along[-1], CURVE_POINTS)))
    return points.iloc[rows].round(6)


def predictions(x: np.ndarray, y: np.ndarray, probability: np.ndarray, vocabulary: list[str]) -> pd.DataFrame:
    """A row for each review, in order.

    Columns: review (row of x), label, predicted (0 or 1), probability (of positive, six decimals), words (that the
    network saw), opening (the first `OPENING_WORDS` of them, as it saw them).
    """
    words = [words_of(row.tolist(), vocabulary) for row in x]
    return pd.DataFrame(
        {
            "review": np.arange(len(y)),
            "label": y,
            "predicted": (probability > THRESHOLD).astype(int),
            "probability": probability.round(6),
            "words": [len(review) for review in words],
            "opening": [" ".join(review[:OPENING_WORDS]) for review in words],
        }
    )


def main() -> None:
    params = load_params()
    validation = params.train.validation
    model, model_params = network.load(files.MODEL)
    x, y = read_padded("test", params.pad.vocab_size)
    vocabulary = read_vocabulary(files.REVIEWS)
    if x.max() - RANK_OFFSET > len(vocabulary):
        raise files.damaged(files.REVIEWS / "vocabulary.txt", "download", f"it has only {len(vocabulary)} words")

    def predict(x: np.ndarray) -> np.ndarray:
        return network.predict(model, model_params, unpad(x, model_params.mask_padding))

    probability = predict(x)
    results = {
        "kept_epoch": history.kept_epoch(history.read_history(), validation),
        "test": measure(y, probability),
    }
    if validation == "holdout":
        x_train, y_train = read_padded("train", params.pad.vocab_size)
        _, held_out = split_by_position(y_train, params.train.validation_fraction, "train.validation_fraction")
        results["validation"] = measure(y_train[held_out], predict(x_train[held_out]))

    tables = {
        files.PREDICTIONS: predictions(x, y, probability, vocabulary),
        files.CONFUSION: confusion(y, probability),
        files.ROC: roc(y, probability),
        files.PRECISION_RECALL: precision_recall(y, probability),
    }
    for path, table in tables.items():
        with files.replacing(path) as new:
            table.to_csv(new, index=False, lineterminator="\n")
    files.write_json(files.METRICS, results)
    print(f"测试准确率: {results['test']['accuracy']:.4f}")
    print(f"Test accuracy: {results['test']['accuracy']:.4f}")


if __name__ == "__main__":
    run(main)
