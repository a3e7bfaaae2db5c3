"""Rows of sparse features: the n-grams of texts, each with a weight; TF-IDF for one."""

from typing import NamedTuple

import numpy as np

from imdb_rnn.engine.kernels.arithmetic import Array, log
from imdb_rnn.engine.kernels.compiled import compiled
from imdb_rnn.engine.ragged import Ragged, from_lengths


class Features(NamedTuple):
    """n rows, in which most features are 0.

    columns: int32, the features of each row that are not
    values: float32, of these features, each at the place in which `columns.values` has its column
    """

    columns: Ragged
    values: np.ndarray

    def rows(self, chosen: np.ndarray) -> "Features":
        """Some of the rows, in the order of `chosen`; not copied."""
        return Features(self.columns.rows(chosen), self.values)


def inverse_document_frequency(columns: Ragged, count: int) -> np.ndarray:
    """How rare each of `count` n-grams is: log((1 + rows) / (1 + rows that have it)) + 1, float64 (count,).

    As scikit-learn's `TfidfVectorizer` has it.

    Args:
        columns: the indices of each row's distinct n-grams, as `ngrams.look_up` returns them.
    """
    return log((1.0 + len(columns)) / (1.0 + np.bincount(columns.flat(), minlength=count))) + 1.0


def weighted(columns: Ragged, weights: np.ndarray) -> Features:
    """The weights of each row's n-grams, scaled to a Euclidean norm of 1; where all are 0 they remain 0.

    With `inverse_document_frequency` for weights this is TF-IDF that does not count how often a row has an n-gram:
    scikit-learn's `TfidfVectorizer(binary=True)`.

    Args:
        columns: the indices of each row's distinct n-grams, int32.
        weights: (n-grams,).
    """
    rows = from_lengths(columns.flat(), columns.lengths)
    values = np.asarray(weights, np.float64)[rows.values]
    _normalize(values, rows.starts, rows.lengths)
    return Features(rows, values.astype(np.float32))


@compiled
def _normalize(values: Array, starts: Array, lengths: Array) -> None:
    for r in range(len(starts)):
        row = values[starts[r] : starts[r] + lengths[r]]
        square = 0.0
        for x in row:
            square += x * x
        if square > 0:
            norm = np.sqrt(square)
            for i in range(len(row)):
                row[i] /= norm


def side_by_side(first: Features, second: Features, count: int) -> Features:
    """Features of two kinds, of the same rows, as one.

    Args:
        count: how many features the first kind has; those of the second follow.
    """
    total = first.columns.lengths + second.columns.lengths
    columns, values = from_lengths(np.empty(total.sum(), np.int32), total), np.empty(total.sum(), np.float32)
    is_first = np.arange(len(values)) < np.repeat(columns.starts + first.columns.lengths, total)
    for part, places, offset in ((first, is_first, 0), (second, ~is_first, count)):
        columns.values[places] = part.columns.flat() + offset
        values[places] = Ragged(part.values, part.columns.starts, part.columns.lengths).flat()
    return Features(columns, values)


def composed(columns: Ragged, parts: Ragged) -> Features:
    """The parts of each row's features, and how many of these features have them, as the characters of words.

    Args:
        columns: distinct in each row.
        parts: of each feature its distinct parts, int32.
    """
    sizes = np.append(0, np.cumsum(parts.lengths[columns.flat()]))
    ends = np.cumsum(columns.lengths)
    all_parts, counts = parts.rows(columns.flat()).flat(), np.zeros(sizes[-1], np.float32)
    starts, lengths = sizes[ends - columns.lengths], np.empty(len(columns), np.int64)
    _count_distinct(all_parts, starts, sizes[ends], lengths, counts)
    return Features(Ragged(all_parts, starts, lengths), counts)


@compiled
def _count_distinct(values: Array, starts: Array, ends: Array, lengths: Array, counts: Array) -> None:
    """Sort each row's values, write the distinct ones to its beginning, and next to them how often each occurs."""
    for r in range(len(starts)):
        last = starts[r] - 1
        for value in np.sort(values[starts[r] : ends[r]]):
            if last >= starts[r] and values[last] == value:
                counts[last] += np.float32(1)
            else:
                last += 1
                values[last], counts[last] = value, np.float32(1)
        lengths[r] = last + 1 - starts[r]
