"""Batches: in which order reviews are trained on, and each batch sorted by length, as the recurrence wants it."""

import numpy as np

from imdb_rnn.reviews.ragged import Ragged


def shuffled(count: int, batch_size: int, seed: int, epoch: int) -> list[np.ndarray]:
    """Cut the rows from 0 to `count - 1`, in an order drawn for this epoch, into batches; the last may be smaller."""
    order = np.random.default_rng((seed, epoch)).permutation(count)
    return [order[i : i + batch_size] for i in range(0, count, batch_size)]


def longest_first(ids: Ragged, rows: np.ndarray) -> tuple[Ragged, np.ndarray]:
    """Choose some reviews, sorted by length; return them, and their rows in that order."""
    rows = rows[np.argsort(-ids.lengths[rows], kind="stable")]
    return ids.rows(rows), rows
