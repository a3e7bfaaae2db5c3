"""Batches: in which order reviews are trained on."""

import numpy as np

from imdb_rnn.engine.rng import ORDER, raw


def shuffled(count: int, batch_size: int, seed: int, epoch: int) -> list[np.ndarray]:
    """Cut the rows from 0 to `count - 1`, in an order drawn for this epoch, into batches; the last may be smaller."""
    order = np.argsort(raw(count, seed, ORDER, epoch), kind="stable")
    return [order[i : i + batch_size] for i in range(0, count, batch_size)]
