"""Rows of unlike length, as one flat array: a set of reviews, a batch of them, their n-grams."""

from dataclasses import dataclass

import numpy as np

PADDING = 0  # the id that fills a row


@dataclass(frozen=True)
class Ragged:
    """n rows of any length, 0 too.

    values: all that the rows are cut from; parts of it may be in several rows or in none
    starts: int64 (n,), where in `values` each row begins
    lengths: int64 (n,)
    """

    values: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, row: int) -> np.ndarray:
        """One row; the values are not copied."""
        return self.values[self.starts[row] : self.starts[row] + self.lengths[row]]

    def rows(self, chosen: np.ndarray) -> "Ragged":
        """Some of the rows, in the order of `chosen`; the values are not copied."""
        return Ragged(self.values, self.starts[chosen], self.lengths[chosen])

    def first(self, count: int) -> "Ragged":
        """The first `count` values of each row, or all of one that has fewer; not copied."""
        return Ragged(self.values, self.starts, np.minimum(self.lengths, count))

    def last(self, count: int) -> "Ragged":
        """The last `count` values of each row, or all of one that has fewer; not copied."""
        lengths = np.minimum(self.lengths, count)
        return Ragged(self.values, self.starts + self.lengths - lengths, lengths)

    def flat(self) -> np.ndarray:
        """The values of all rows, one row behind the other, and no others: a copy."""
        ends = np.cumsum(self.lengths)
        if (self.starts == ends - self.lengths).all():  # the rows are contiguous
            return self.values[: self.lengths.sum()].copy()
        within = np.arange(self.lengths.sum()) - np.repeat(ends - self.lengths, self.lengths)
        return self.values[np.repeat(self.starts, self.lengths) + within]


def from_lengths(values: np.ndarray, lengths: np.ndarray) -> Ragged:
    """Cut `values`, in which the rows are concatenated, into rows."""
    lengths = np.asarray(lengths, np.int64)
    return Ragged(values, np.cumsum(lengths) - lengths, lengths)


def from_offsets(values: np.ndarray, offsets: np.ndarray) -> Ragged:
    """Cut `values` into rows: row i is `values[offsets[i]:offsets[i + 1]]`; offsets are integers (n + 1,)."""
    offsets = offsets.astype(np.int64)  # differences of unsigned ones are never negative
    return Ragged(values, offsets[:-1], np.diff(offsets))


NO_ROWS = from_lengths(np.empty(0, np.int32), np.empty(0, np.int64))
