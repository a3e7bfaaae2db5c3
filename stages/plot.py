"""Draw the figures.

In: `results/history.csv`, the points that `evaluate` wrote, `results/metrics.json`, the review lengths in
`data/reviews/`. Out: `results/figures/`: training, confusion, roc, precision_recall and lengths, each as PNG and SVG.
"""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from stages import figures, files
from stages.errors import run
from stages.history import read_history
from stages.params import load_params
from stages.reviews import read_reviews


def read_points(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """Read the points of a curve that `evaluate` wrote. Raises `UserError` when they are missing or not finite."""
    files.require(path, "evaluate")
    try:
        points = pd.read_csv(path)[list(columns)].astype(float)
        if points.empty or not np.isfinite(points.to_numpy()).all():
            raise ValueError(f"it should be a table of finite {', '.join(columns)}")
    except (OSError, ValueError, KeyError) as error:
        raise files.damaged(path, "evaluate", error) from error
    return points


def read_confusion() -> pd.DataFrame:
    """Read the confusion matrix that `evaluate` wrote. Raises `UserError` when it is not one."""
    path = files.require(files.CONFUSION, "evaluate")
    names = {"negative", "positive"}
    try:
        counts = pd.read_csv(path)
        pairs = list(zip(counts["label"], counts["predicted"], strict=True))
        if set(pairs) != set(product(names, names)) or len(pairs) != 4:
            raise ValueError("it should have a row for each label and predicted label")
        if counts["reviews"].dtype.kind != "i" or counts["reviews"].min() < 0:
            raise ValueError("it should count reviews")
        if not counts.groupby("label")["reviews"].sum().all():
            raise ValueError("a label has no reviews")
    except (OSError, ValueError, KeyError) as error:
        raise files.damaged(path, "evaluate", error) from error
    return counts


def read_metrics() -> tuple[int, float]:
    """Read the kept epoch and the area under the test ROC curve. Raises `UserError` when they are not there."""
    files.require(files.METRICS, "evaluate")
    try:
        metrics = json.loads(files.METRICS.read_text(encoding="utf-8"))
        kept_epoch, area = int(metrics["kept_epoch"]), float(metrics["test"]["roc_auc"])
        if not np.isfinite(area):
            raise ValueError(f"the area under the ROC curve is {area}")
    except (OSError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise files.damaged(files.METRICS, "evaluate", error) from error
    return kept_epoch, area


def main() -> None:
    params = load_params()
    language, maxlen = params.plots.language, params.pad.maxlen
    history = read_history()
    kept_epoch, area = read_metrics()
    confusion = read_confusion()
    positive_share = confusion.loc[confusion["label"] == "positive", "reviews"].sum() / confusion["reviews"].sum()
    roc = read_points(files.ROC, ("fpr", "tpr"))
    precision_recall = read_points(files.PRECISION_RECALL, ("recall", "precision"))
    lengths = np.concatenate([np.diff(read_reviews(files.REVIEWS, name).offsets) for name in ("train", "test")])
    with figures.style(language), files.replacing(files.FIGURES) as new:
        new.mkdir()
        figures.save(figures.training(history, kept_epoch, language), new, "training")
        figures.save(figures.confusion(confusion, language), new, "confusion")
        figures.save(figures.roc(roc, area, language), new, "roc")
        figures.save(figures.precision_recall(precision_recall, positive_share, language), new, "precision_recall")
        figures.save(figures.lengths(lengths, maxlen, language), new, "lengths")
    print(f"5 figures, each as PNG and SVG, in {files.FIGURES}")


if __name__ == "__main__":
    run(main)
