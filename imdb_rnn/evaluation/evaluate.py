"""Everything that is measured on the test reviews, each count made once: what the stage `evaluate` writes."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from imdb_rnn.core import files
from imdb_rnn.decision import THRESHOLD, predicted
from imdb_rnn.engine.kernels.arithmetic import probabilities
from imdb_rnn.engine.ragged import Ragged
from imdb_rnn.evaluation import intervals, metrics, slices
from imdb_rnn.evaluation.intervals import Interval
from imdb_rnn.evaluation.results import CLASSES, class_names
from imdb_rnn.evaluation.sensitivity import has_start_token
from imdb_rnn.text.vocabulary import words_of_ids

OPENING_WORDS = 20


class Evaluation(NamedTuple):
    """Scores of the test reviews with their intervals, and tables by the file that each is written to."""

    scores: dict[str, float]
    intervals: dict[str, Interval | None]
    tables: dict[Path, pd.DataFrame]


def evaluate(
    ids: Ragged,
    y: np.ndarray,
    logits: np.ndarray,
    vocabulary: list[str],
    labels: Sequence[str] = CLASSES,
    threshold: float = THRESHOLD,
) -> Evaluation:
    """Evaluate the predictions of a network.

    Args:
        ids: the reviews as the network reads them, without padding.
        y: (reviews,), classes from 0, all present.
        logits: float64 (reviews,) of two classes, (reviews, classes) of more.
        vocabulary: the words that have ids, most frequent first.
        labels: the names of the classes.
        threshold: see `decision.predicted`.
    """
    probability, n_words = probabilities(logits), ids.lengths - has_start_token(ids)
    names = class_names(labels)
    tables = {
        files.PREDICTIONS: predictions(ids, n_words, y, logits, vocabulary, names, threshold),
        files.CLASSES: metrics.classes(y, logits, names, threshold),
        files.CONFUSION: metrics.confusion(y, logits, names, threshold),
        files.ROC: metrics.roc(y, probability),
        files.PRECISION_RECALL: metrics.precision_recall(y, probability),
        files.CALIBRATION: metrics.calibration(*metrics.calibrated(y, logits)),
        files.SLICES: slices.measure(y, logits, n_words, slices.oov_rates(ids, n_words), threshold),
    }
    given = y, logits, labels, threshold
    return Evaluation(metrics.scores(*given), intervals.of_scores(*given), tables)


def predictions(
    ids: Ragged,
    n_words: np.ndarray,
    y: np.ndarray,
    logits: np.ndarray,
    vocabulary: list[str],
    names: Sequence[str],
    threshold: float,
) -> pd.DataFrame:
    """A row for each review, in order.

    Returns:
        Columns review (row of `ids`), label, predicted (0 or 1), probability (of positive) and its logit, six decimals,
        n_words (that the network read), opening (the first `OPENING_WORDS` of them, as the network read them). Of more
        than two classes label and predicted are `names`, the probability is that of predicted, and there is no logit.
    """
    read = ids.first(1 + OPENING_WORDS)  # the start token may come first
    words = (words_of_ids(read[row].tolist(), vocabulary) for row in range(len(ids)))
    decided, probability = predicted(logits, threshold), probabilities(logits).round(6)
    if logits.ndim == 1:
        said = {"label": y, "predicted": decided, "probability": probability, "logit": logits.round(6)}
    else:
        label, named = np.array(names)[y], np.array(names)[decided]
        said = {"label": label, "predicted": named, "probability": probability.max(axis=1)}
    return pd.DataFrame(
        {
            "review": np.arange(len(y)),
            **said,
            "n_words": n_words,
            "opening": [" ".join(opening[:OPENING_WORDS]) for opening in words],
        }
    )
