"""Draw the figures.

In: `results/history.csv`, the points that `evaluate` wrote, `results/metrics.json`, the review lengths in
`data/reviews/`. Out: `results/figures/`: training, confusion, roc, precision_recall and lengths, each as PNG and SVG.
"""

from pathlib import Path

import numpy as np

from imdb_rnn.core import files, frames
from imdb_rnn.core.params import Params
from imdb_rnn.core.stage import run
from imdb_rnn.evaluation.results import Metrics, read_confusion
from imdb_rnn.reporting import figures
from imdb_rnn.text.corpus import read_reviews
from imdb_rnn.training.history import read_history


def main(params: Params, root: Path) -> None:
    language, maxlen = params.plots.language, params.pad.maxlen
    history = read_history(root / files.HISTORY)
    metrics = files.read_json(Metrics, root / files.METRICS, "evaluate")
    confusion = read_confusion(root / files.CONFUSION)
    positive_share = confusion.loc[confusion["label"] == "positive", "reviews"].sum() / confusion["reviews"].sum()
    roc = frames.read_points(root / files.ROC, ("fpr", "tpr"), "evaluate")
    precision_recall = frames.read_points(root / files.PRECISION_RECALL, ("recall", "precision"), "evaluate")
    lengths = np.concatenate([read_reviews(root / files.REVIEWS, name).ranks.lengths for name in ("train", "test")])
    with figures.style(language), files.replacing(root / files.FIGURES) as new:
        new.mkdir()
        figures.save(figures.training(history, metrics.best_epoch, language), new, "training")
        figures.save(figures.confusion(confusion, language), new, "confusion")
        figures.save(figures.roc(roc, metrics.test.roc_auc, language), new, "roc")
        figures.save(figures.precision_recall(precision_recall, positive_share, language), new, "precision_recall")
        figures.save(figures.lengths(lengths, maxlen, language), new, "lengths")
    print(f"5 figures, each as PNG and SVG, in {files.FIGURES}")


if __name__ == "__main__":
    run(main, reads=("pad.maxlen", "plots.language"))
