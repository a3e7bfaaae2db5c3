"""Accuracy on slices of the test reviews: by length, and by the share of out-of-vocabulary (OOV) words."""

from itertools import pairwise

import numpy as np
import pandas as pd

from imdb_rnn.decision import THRESHOLD, is_correct
from imdb_rnn.engine.ragged import Ragged
from imdb_rnn.evaluation import intervals
from imdb_rnn.evaluation.results import Slice
from imdb_rnn.text.vocabulary import OOV

WORD_BOUNDS = (100, 200, 400)  # lengths that divide IMDb's reviews into short, usual, long and very long ones
SMALLEST = 0.05  # share of the reviews; if a slice has fewer, quartiles replace `WORD_BOUNDS`
OOV_BOUNDS = (0.02, 0.05, 0.1)


def oov_rates(ids: Ragged, n_words: np.ndarray) -> np.ndarray:
    """The share of OOV words among the words of each review: float64 (reviews,); 0 for a review without words.

    Args:
        ids: without padding. They may be memory-mapped: one review at a time is read.
        n_words: integers (reviews,), the lengths of the reviews without their start tokens.
    """
    n_oov = np.array([np.count_nonzero(ids[row] == OOV) for row in range(len(ids))])
    return n_oov / np.maximum(n_words, 1)


def measure(
    y: np.ndarray, logits: np.ndarray, n_words: np.ndarray, oov: np.ndarray, threshold: float = THRESHOLD
) -> pd.DataFrame:
    """Accuracy by length and by OOV rate.

    Args:
        y: (reviews,), classes from 0, at least one.
        logits: (reviews,) of two classes, (reviews, classes) of more.
        n_words: integers (reviews,), of the part that the network reads.
        oov: (reviews,), see `oov_rates`.
        threshold: see `decision.predicted`.

    Returns:
        A row for each slice that has reviews: by (`words` or `oov`), slice (`<100`, `100-199`, `>=400`; `<2%`, `2-5%`,
        `>=10%`, each without its upper end), n_reviews, accuracy, low, high (its interval), six decimals.
    """
    correct = is_correct(y, logits, threshold)
    word_bounds, percents = _word_bounds(n_words), [round(100 * bound) for bound in OOV_BOUNDS]
    words = [
        f"<{word_bounds[0]}",
        *(f"{low}-{high - 1}" for low, high in pairwise(word_bounds)),
        f">={word_bounds[-1]}",
    ]
    rates = [f"<{percents[0]}%", *(f"{low}-{high}%" for low, high in pairwise(percents)), f">={percents[-1]}%"]
    rows = []
    for by, values, bounds, names in (("words", n_words, word_bounds, words), ("oov", oov, OOV_BOUNDS, rates)):
        slices = np.digitize(values, bounds)
        for number in np.unique(slices):
            here = correct[slices == number]
            interval = intervals.of_proportion(here.sum(), len(here))
            rows.append((by, names[number], len(here), here.mean(), *interval))
    return pd.DataFrame(rows, columns=list(Slice.model_fields)).round(6)


def _word_bounds(n_words: np.ndarray) -> list[int]:
    """`WORD_BOUNDS` if each slice then has its share of the reviews, else the quartiles of their lengths."""
    counts = np.bincount(np.digitize(n_words, WORD_BOUNDS), minlength=len(WORD_BOUNDS) + 1)
    if counts.min() >= SMALLEST * len(n_words):
        return list(WORD_BOUNDS)
    # Lengths that occur, not means of two of them
    return np.unique(np.quantile(n_words, (0.25, 0.5, 0.75), method="inverted_cdf")).astype(int).tolist()
