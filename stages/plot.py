"""Draw the figures.

In: `results/history.csv`, the points that `evaluate` wrote, `results/metrics.json`, the review lengths in
`data/reviews/`. Out: `results/figures/`: training, confusion, roc, precision_recall and lengths, each as PNG and SVG.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from stages import figures, files
from stages.errors import run
from stages.history import read_history
from stages.params import load_params
from stages.reviews import read_reviews


def read_points(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """Read one of the tables that `evaluate` wrote. Raises `UserError` when it is missing or lacks a column."""
    files.require(path, "evaluate")
    try:
        return pd.read_csv(path)[list(columns)]
    except (OSError, ValueError, KeyError) as error:
        raise files.damaged(path, "evaluate", error) from error


def read_metrics() -> tuple[int, float]:
    """Read the kept epoch and the area under the test ROC curve. Raises `UserError` when they are not there."""
    files.require(files.METRICS, "evaluate")
    try:
        metrics = json.loads(files.METRICS.read_text(encoding="utf-8"))
        return int(metrics["kept_epoch"]), float(metrics["test"]["roc_auc"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise files.damaged(files.METRICS, "evaluate", error) from error


def main() -> None:
    params = load_params()
    language, maxlen = params.plots.language, params.pad.maxlen
    history = read_history()
    kept_epoch, area = read_metrics()
    confusion = read_points(files.CONFUSION, ("label", "predicted", "reviews"))
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
