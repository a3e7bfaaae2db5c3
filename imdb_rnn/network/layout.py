"""How a batch is laid out for the recurrence: in parts, each step by step instead of review by review.

First comes every review's first word, then the second words of those that have one, and so on. Arrays of the shape
(words, ...) have their rows in this order.
"""

from typing import NamedTuple

import numpy as np

from imdb_rnn.network.activations import Array, compiled
from imdb_rnn.reviews.ragged import Ragged

# A batch is cut into so many parts, each run by a thread of its own. It is not the number of CPUs, because that would
# change the order of sums and with it the last bits of the result.
PARTS = 2


class Part(NamedTuple):
    """Some reviews of a batch, longest first, laid out step by step.

    words: int32 (words in all,), ids, or rows of a table
    sizes: int64 (steps,), the number of reviews that have a word at each step
    lengths: int64 (reviews,)
    """

    words: np.ndarray
    sizes: np.ndarray
    lengths: np.ndarray


def part_of(batch: Ragged, number: int) -> Part:
    """Every `PARTS`-th review of a batch, which is sorted by length, longest first."""
    lengths = batch.lengths[number::PARTS]
    sizes = np.searchsorted(-lengths, -np.arange(lengths.max(initial=0)))
    words = np.empty(sizes.sum(), np.int32)
    _lay_out(batch.values, batch.starts[number::PARTS].copy(), sizes, words)
    return Part(words, sizes, lengths)


@compiled
def _lay_out(values: Array, starts: Array, sizes: Array, words: Array) -> None:
    here = 0
    for t in range(len(sizes)):
        for r in range(sizes[t]):
            words[here + r] = values[starts[r] + t]
        here += sizes[t]


def number_words(parts: list[Part], vocab_size: int) -> np.ndarray:
    """Replace each id by the number of its first occurrence among the distinct ids; return these, in that order."""
    distinct, number_of, count = np.empty(vocab_size, np.int32), np.full(vocab_size, -1, np.int32), 0
    for part in parts:
        count = _number(part.words, number_of, distinct, count)
    return distinct[:count]


@compiled
def _number(words: Array, number_of: Array, distinct: Array, count: int) -> int:
    for i in range(len(words)):
        word = words[i]
        if number_of[word] < 0:
            number_of[word] = count
            distinct[count] = word
            count += 1
        words[i] = number_of[word]
    return count


def mirror(part: Part) -> np.ndarray:
    """Where each row's word stands when the reviews are read from their ends: int64 (words,); its own inverse."""
    begins = np.cumsum(part.sizes) - part.sizes
    step = np.repeat(np.arange(len(part.sizes)), part.sizes)
    review = np.arange(len(part.words)) - begins[step]
    return begins[part.lengths[review] - 1 - step] + review


def states_after(before: np.ndarray, last: np.ndarray, part: Part) -> np.ndarray:
    """The states after the steps, from those before them, (words, units), and the last ones, (reviews, units).

    What row r finds before step t + 1 is what it had after step t.
    """
    step = np.repeat(np.arange(len(part.sizes)), part.sizes)
    row = np.arange(len(part.words))
    review = row - (np.cumsum(part.sizes) - part.sizes)[step]
    is_last = step == part.lengths[review] - 1
    after = before[np.where(is_last, 0, row + part.sizes[step])]
    after[is_last] = last[review[is_last]]
    return after
