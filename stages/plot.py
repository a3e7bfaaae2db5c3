"""Draw the figures.

In: `results/history.csv`, the points that `evaluate` wrote, `results/metrics.json`, the review lengths in
`data/reviews/`. Out: `results/figures/`: training, confusion, roc, precision_recall and lengths, each as PNG and SVG.
"""

from pathlib import Path

import numpy as np

from imdb_rnn.core import files, frames
from imdb_rnn.core.params import Params
from imdb_rnn.evaluation.results import ConfusionCell, Metrics, read_rows
from imdb_rnn.reporting import figures
from imdb_rnn.text.corpus import read_reviews
from imdb_rnn.training.history import read_history


def main(params: Params, root: Path) -> None:
    language = params.plots.language
    metrics = files.read_json(Metrics, root / files.METRICS, "evaluate")
    confusion = read_rows(ConfusionCell, root / files.CONFUSION, "evaluate")
    roc = frames.read_points(root / files.ROC, ("fpr", "tpr"), "evaluate")
    precision_recall = frames.read_points(root / files.PRECISION_RECALL, ("recall", "precision"), "evaluate")
    lengths = np.concatenate([read_reviews(root / files.REVIEWS, name).ranks.lengths for name in ("train", "test")])
    names = {cell.label for cell in confusion}
    with figures.style(language, "".join(names)), files.replacing(root / files.FIGURES) as new:
        drawn = {
            "training": figures.training(read_history(root / files.HISTORY), metrics.best_epoch, language),
            "confusion": figures.confusion(confusion, language),
            "roc": figures.roc(roc, metrics.test["roc_auc"], language),
            "precision_recall": figures.precision_recall(precision_recall, len(names), language),
            "lengths": figures.lengths(lengths, params.pad.maxlen, language),
        }
        new.mkdir()
        for name, figure in drawn.items():
            figures.save(figure, new, name)
    print(f"{len(drawn)} figures, each as PNG and SVG, in {files.FIGURES}")
