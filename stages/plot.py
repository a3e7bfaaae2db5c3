"""Draw the figures.

In: `results/history.csv`, the points that `evaluate` wrote, `results/metrics.json`, the review lengths in
`data/reviews/`. Out: `results/figures/`: training, confusion, roc, precision_recall and lengths, each as PNG and SVG.
"""

import numpy as np

from stages import figures, files, results
from stages.errors import run
from stages.history import read_history
from stages.params import load_params
from stages.reviews import read_reviews


def main() -> None:
    params = load_params()
    language, maxlen = params.plots.language, params.pad.maxlen
    history = read_history()
    metrics = results.read_metrics()
    kept_epoch, area = metrics.kept_epoch, metrics.test.roc_auc
    confusion = results.read_confusion()
    positive_share = confusion.loc[confusion["label"] == "positive", "reviews"].sum() / confusion["reviews"].sum()
    roc = results.read_points(files.ROC, ("fpr", "tpr"))
    precision_recall = results.read_points(files.PRECISION_RECALL, ("recall", "precision"))
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
