"""How good a network is on parts of the test reviews: the short and the long, those of known and of unknown words."""

from itertools import pairwise

import numpy as np
import pandas as pd

from imdb_rnn.engine.ragged import Ragged
from imdb_rnn.evaluation import intervals
from imdb_rnn.text.vocabulary import OOV, PADDING, START
from imdb_rnn.training.decision import is_correct

WORDS = (100, 200, 400)  # where IMDb's reviews are cut into short, usual, long and very long ones
SMALLEST = 0.05  # share of the reviews; if a part has fewer, quartiles take the place of `WORDS`
UNKNOWN_SHARES = (0.02, 0.05, 0.1)
DECIMALS = 6


def unknown_shares(ids: Ragged) -> np.ndarray:
    """The share of unknown words among the words of each review as the network reads it: float64 (reviews,).

    Args:
        ids: start marks and padding are no words; a review of nothing else has a share of 0.
    """
    flat, ends = ids.flat(), np.cumsum(ids.lengths)

    def count(wanted: np.ndarray) -> np.ndarray:
        before = np.concatenate([[0], np.cumsum(wanted)])
        return before[ends] - before[ends - ids.lengths]

    return count(flat == OOV) / np.maximum(count(~np.isin(flat, (PADDING, START))), 1)


def measure(y: np.ndarray, logits: np.ndarray, lengths: np.ndarray, unknown: np.ndarray) -> pd.DataFrame:
    """Accuracy by length and by share of unknown words.

    Args:
        y: (reviews,), 0 or 1, at least one.
        logits: (reviews,), of a positive review.
        lengths: integers (reviews,), in words, of what the network reads.
        unknown: (reviews,), as `unknown_shares` gives them.

    Returns:
        A row for each part that has reviews: by (`words` or `unknown`), slice (`<100`, `100-199`, `>=400`; `<2%`,
        `2-5%`, `>=10%`, where the upper end belongs to the next), reviews, accuracy, low, high (its interval), six
        decimals.
    """
    correct = is_correct(y, logits)
    bounds = _word_bounds(lengths)
    words = [f"<{bounds[0]}", *(f"{low}-{high - 1}" for low, high in pairwise(bounds))]
    percents = [round(100 * share) for share in UNKNOWN_SHARES]
    shares = [f"<{percents[0]}%", *(f"{low}-{high}%" for low, high in pairwise(percents))]
    rows = []
    for by, values, ends, names in (
        ("words", lengths, bounds, [*words, f">={bounds[-1]}"]),
        ("unknown", unknown, UNKNOWN_SHARES, [*shares, f">={percents[-1]}%"]),
    ):
        parts = np.digitize(values, ends)
        for part in np.unique(parts):
            here = correct[parts == part]
            low, high = intervals.of_share(here.sum(), len(here)) or (0.0, 1.0)
            shown = [round(float(value), DECIMALS) for value in (here.mean(), low, high)]
            rows.append((by, names[part], len(here), *shown))
    return pd.DataFrame(rows, columns=["by", "slice", "reviews", "accuracy", "low", "high"])


def _word_bounds(lengths: np.ndarray) -> list[int]:
    """Where the reviews are cut by length: at `WORDS` if each part has its share of them, else at their quartiles."""
    counts = np.bincount(np.digitize(lengths, WORDS), minlength=len(WORDS) + 1)
    if counts.min() >= SMALLEST * len(lengths):
        return list(WORDS)
    # Lengths that occur, not means of two of them
    return np.unique(np.quantile(lengths, (0.25, 0.5, 0.75), method="inverted_cdf")).astype(int).tolist()
