"""How far back a network remembers: how sensitive its output is to each word, by the word's distance from the end."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from imdb_rnn.decision import is_correct
from imdb_rnn.engine.ragged import Ragged
from imdb_rnn.model import Model
from imdb_rnn.text.vocabulary import START

LAST_WORDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
WINDOW = 10  # words in the moving average that gives a half-life; neighbours differ, most in a SimpleRNN


class Sensitivity(NamedTuple):
    """See `gradient_by_distance`, `half_life`, `accuracy_of_last_words`."""

    gradient: pd.DataFrame
    half_life: float | None
    last_words: pd.DataFrame


def measure(network: Model, ids: Ragged, y: np.ndarray) -> Sensitivity:
    """Measure the sensitivity of a network on reviews, ids without padding, with labels y, (reviews,), from 0."""
    gradient = gradient_by_distance(network.gradient_norms(ids), ids)
    last_words = accuracy_of_last_words(network, ids, y)
    return Sensitivity(gradient, half_life(gradient["gradient"].to_numpy()), last_words)


def sample(total: int, count: int) -> np.ndarray:
    """Rows of `count` of `total` reviews, evenly spaced, so of every label and film its share: int64, ascending."""
    return np.linspace(0, total - 1, min(count, total)).round().astype(np.int64)


def has_start_token(ids: Ragged) -> np.ndarray:
    """Whether each review begins with the start token, which truncation may have removed: bool (reviews,)."""
    found = ids.lengths > 0
    found[found] = ids.values[ids.starts[found]] == START
    return found


def gradient_by_distance(norms: Ragged, ids: Ragged) -> pd.DataFrame:
    """Mean norm of the gradient for each distance from the end of the review.

    Args:
        norms: float32, the norm of the gradient of the logit with respect to the vector of each id.
        ids: the reviews; their start tokens are left out.

    Returns:
        Columns k (distance in words, 0 for the last word), gradient (mean over the reviews that have such a word),
        n_reviews (how many do); eight decimals.
    """
    lengths = ids.lengths - has_start_token(ids)
    longest = int(lengths.max(initial=0))
    total, n_reviews = np.zeros(longest), np.zeros(longest, int)
    for row, length in enumerate(lengths):
        total[:length] += norms[row][::-1][:length]
        n_reviews[:length] += 1
    gradient = total / np.maximum(n_reviews, 1)
    return pd.DataFrame({"k": np.arange(longest), "gradient": gradient.round(8), "n_reviews": n_reviews})


def half_life(gradient: np.ndarray, window: int = WINDOW) -> float | None:
    """The distance, in words, at which the gradient has first fallen to half its value at the end of the review.

    The gradient is smoothed by a moving average over `window` words, and interpolated between two distances. A curve
    that falls steeply at first and slowly later, such as a SimpleRNN's, has a longer half-life in a wider window.

    Args:
        gradient: (words,), by distance from the end.

    Returns:
        Words, two decimals; None if the gradient does not fall to half within the length of the reviews.
    """
    if len(gradient) < window:
        return None
    smooth = np.lib.stride_tricks.sliding_window_view(gradient, window).mean(axis=1)
    below = np.flatnonzero(smooth <= smooth[0] / 2)
    if not len(below) or smooth[0] == 0:
        return None
    k = below[0]
    return round(float(k - (smooth[0] / 2 - smooth[k]) / (smooth[k - 1] - smooth[k])), 2)


def accuracy_of_last_words(network: Model, ids: Ragged, y: np.ndarray) -> pd.DataFrame:
    """Accuracy when the network sees only the last words of each review: columns n_words, accuracy, six decimals.

    Args:
        y: (reviews,), classes from 0.
    """
    maxlen = network.encoding.maxlen  # of the last row, which is for whole reviews
    counts = [*(count for count in LAST_WORDS if count < maxlen), maxlen]
    correct = [is_correct(y, network.logits(ids.last(count)), network.threshold) for count in counts]
    rows = [(count, each.mean()) for count, each in zip(counts, correct, strict=True)]
    return pd.DataFrame(rows, columns=["n_words", "accuracy"]).round(6)
