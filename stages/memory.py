"""How far back a network remembers: what the words of a review, counted from its end, still do to the answer."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from stages.batches import Words
from stages.vocabulary import PADDING, START

Read = Callable[[Words], np.ndarray]  # reviews without padding to the probability of each, float64 (reviews,)

LAST_WORDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
WINDOW = 10  # words, of the means of which a half-life is taken; neighbours differ, most in a SimpleRNN


def sample(total: int, count: int) -> np.ndarray:
    """Rows of `count` of `total` reviews, evenly spaced, so of every label and film its part: int64, ascending."""
    return np.linspace(0, total - 1, min(count, total)).round().astype(np.int64)


def without_start(words: Words) -> Words:
    """The reviews without their start mark, which those that were cut at the front do not have."""
    is_start = (words.lengths > 0) & (np.append(words.tokens, 0)[words.starts] == START)
    return Words(words.tokens, words.starts + is_start, words.lengths - is_start)


def gradient_by_distance(norms: list[np.ndarray], words: Words) -> pd.DataFrame:
    """Mean size of the gradient for each distance from the end of the review.

    Args:
        norms: for each review float32 (tokens,), how much the answer changes with each token's vector.
        words: the reviews, whose padding and start marks are left out.

    Returns:
        Columns k (words back, 0 for the last word), gradient (mean over the reviews that have such a word), reviews
        (how many these are).
    """
    longest = words.lengths.max(initial=0)
    total, reviews = np.zeros(longest), np.zeros(longest, int)
    for review, start in zip(norms, words.starts, strict=True):
        tokens = words.tokens[start : start + len(review)]
        backwards = review[(tokens != PADDING) & (tokens != START)][::-1]
        total[: len(backwards)] += backwards
        reviews[: len(backwards)] += 1
    is_there = reviews > 0
    return pd.DataFrame({"k": np.arange(longest), "gradient": total / np.maximum(reviews, 1), "reviews": reviews})[
        is_there
    ]


def half_life(gradient: np.ndarray, window: int = WINDOW) -> float | None:
    """The distance, in words, at which the gradient has first fallen to half of what it is at the end of the review.

    Compared are means over `window` words: those from k on with those from 0 on; between two k it is interpolated. A
    curve that falls steeply at first and slowly later, as a SimpleRNN's does, has a longer half-life in a wider window.

    Args:
        gradient: (words,), by distance from the end.

    Returns:
        Words; None where it does not fall to half, as far as the reviews are long.
    """
    if len(gradient) < window:
        return None
    smooth = np.convolve(gradient, np.full(window, 1 / window), "valid")
    below = np.flatnonzero(smooth <= smooth[0] / 2)
    if not len(below) or smooth[0] == 0:
        return None
    k = below[0]
    return float(k - (smooth[0] / 2 - smooth[k]) / (smooth[k - 1] - smooth[k]))


def last(words: Words, count: int) -> Words:
    """The last `count` words of each review, or all of one that has fewer."""
    lengths = np.minimum(words.lengths, count)
    return Words(words.tokens, words.starts + words.lengths - lengths, lengths)


def accuracy_of_last_words(read: Read, words: Words, y: np.ndarray, maxlen: int) -> pd.DataFrame:
    """Accuracy when everything is hidden but the last words of each review: columns words, accuracy.

    Args:
        y: (reviews,), 0 or 1.
        maxlen: the last row is for so many words, which is all of them.
    """
    counts = [count for count in LAST_WORDS if count < maxlen]
    rows = [(count, np.mean((read(last(words, count)) > 0.5) == y)) for count in counts]
    rows.append((maxlen, np.mean((read(words) > 0.5) == y)))
    return pd.DataFrame(rows, columns=["words", "accuracy"])


def trace(read: Read, words: Words, row: int) -> np.ndarray:
    """What the network says of a review that ends before its first word, after it, after the second and so on.

    Returns:
        float64 (words + 1,), probabilities. A start mark is there from the beginning and not counted.
    """
    counted = without_start(words)
    start = words.lengths[row] - counted.lengths[row]
    lengths = np.arange(start, words.lengths[row] + 1)
    return read(Words(words.tokens, np.full(len(lengths), words.starts[row]), lengths))
