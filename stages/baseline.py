"""Fit a linear model to the training reviews, for the network to be compared with.

In: `data/reviews/`. Out: `data/baseline.npy`: the model's logits for the test reviews, float64 (test reviews,) or, of
more than two classes, (test reviews, classes). It reads whole reviews and all words, so it is not fitted again when the
network's settings change.
"""

from pathlib import Path

import numpy as np

from imdb_rnn.core import files
from imdb_rnn.core.params import Params
from imdb_rnn.decision import is_correct
from imdb_rnn.text.corpus import read_reviews, read_vocabulary
from imdb_rnn.training.baseline import baseline


def main(_: Params, root: Path) -> None:
    training, test = (read_reviews(root / files.REVIEWS, name) for name in ("train", "test"))
    logits = baseline(training, test.ranks, len(read_vocabulary(root / files.REVIEWS)))
    with files.replacing(root / files.BASELINE) as new:
        np.save(new, logits)
    print(f"a linear model (TF-IDF, logistic regression): test accuracy {is_correct(test.labels, logits).mean():.4f}")
