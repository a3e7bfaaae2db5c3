"""How far back a network remembers: what the words of a review, counted from its end, still do to the answer."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from imdb_rnn.engine.ragged import Ragged
from imdb_rnn.text.vocabulary import START
from imdb_rnn.training.decision import is_correct, margin

Logits = Callable[[Ragged], np.ndarray]  # reviews without padding to the logit of each, float64 (reviews,)

LAST_WORDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
WINDOW = 10  # words, of the means of which a half-life is taken; neighbours differ, most in a SimpleRNN
RIGHT, WRONG, UNDECIDED = 2, 3, 2  # reviews of each label that are traced


def sample(total: int, count: int) -> np.ndarray:
    """Rows of `count` of `total` reviews, evenly spaced, so of every label and film its share: int64, ascending."""
    return np.linspace(0, total - 1, min(count, total)).round().astype(np.int64)


def has_start_token(ids: Ragged) -> np.ndarray:
    """Whether each review begins with the start token, which truncation may have removed: bool (reviews,)."""
    found = ids.lengths > 0
    found[found] = ids.values[ids.starts[found]] == START
    return found


def gradient_by_distance(norms: Ragged, ids: Ragged) -> pd.DataFrame:
    """Mean size of the gradient for each distance from the end of the review.

    Args:
        norms: float32, how much the answer changes with the vector of each id.
        ids: the reviews; their start marks are left out.

    Returns:
        Columns k (words back, 0 for the last word), gradient (mean over the reviews that have such a word), reviews
        (how many these are).
    """
    lengths = ids.lengths - has_start_token(ids)
    longest = int(lengths.max(initial=0))
    total, reviews = np.zeros(longest), np.zeros(longest, int)
    for row, length in enumerate(lengths):
        total[:length] += norms[row][::-1][:length]
        reviews[:length] += 1
    return pd.DataFrame({"k": np.arange(longest), "gradient": total / np.maximum(reviews, 1), "reviews": reviews})


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
    smooth = np.lib.stride_tricks.sliding_window_view(gradient, window).mean(axis=1)
    below = np.flatnonzero(smooth <= smooth[0] / 2)
    if not len(below) or smooth[0] == 0:
        return None
    k = below[0]
    return float(k - (smooth[0] / 2 - smooth[k]) / (smooth[k - 1] - smooth[k]))


def accuracy_of_last_words(logits_of: Logits, ids: Ragged, y: np.ndarray, maxlen: int) -> pd.DataFrame:
    """Accuracy when everything is hidden but the last words of each review: columns words, accuracy.

    Args:
        y: (reviews,), 0 or 1.
        maxlen: the last row is for so many words, which is all of them.
    """
    counts = [*(count for count in LAST_WORDS if count < maxlen), maxlen]
    rows = [(count, is_correct(y, logits_of(ids.last(count))).mean()) for count in counts]
    return pd.DataFrame(rows, columns=["words", "accuracy"])


def choose_traced(y: np.ndarray, logits: np.ndarray) -> list[tuple[int, str]]:
    """Choose reviews worth following word by word, as rows, each with its kind.

    Kinds: `right` (the surest correct predictions), `wrong` (the surest wrong ones), `undecided` (of the rest, those
    with a logit nearest 0). A review is chosen once; there are fewer of a kind if there are no more.

    Args:
        y: (reviews,), 0 or 1.
        logits: (reviews,).
    """
    sureness, correct = margin(y, logits), is_correct(y, logits)

    def first(order: np.ndarray, count: int) -> list[int]:
        return [int(row) for label in (0, 1) for row in order[y[order] == label][:count]]

    surest = np.argsort(-sureness, kind="stable")
    rights = first(surest[correct[surest]], RIGHT)
    surest = surest[::-1]
    wrongs = first(surest[~correct[surest]], WRONG)
    nearest = np.argsort(np.abs(logits), kind="stable")
    rest = first(nearest[~np.isin(nearest, [*rights, *wrongs])], UNDECIDED)
    kinds = {"right": rights, "wrong": wrongs, "undecided": rest}
    return [(row, kind) for kind, rows in kinds.items() for row in rows]
