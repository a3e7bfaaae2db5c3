"""Batches: the order in which reviews are trained on, and how much each review counts."""

import numpy as np

from imdb_rnn.engine.rng import Stream, raw


def shuffled(count: int, batch_size: int, seed: int, epoch: int) -> list[np.ndarray]:
    """Cut the rows from 0 to `count - 1`, in an order drawn for this epoch, into batches; the last may be smaller."""
    order = np.argsort(raw(count, seed, Stream.ORDER, epoch), kind="stable")
    return [order[i : i + batch_size] for i in range(0, count, batch_size)]


def sample_weights(y: np.ndarray, class_weight: str | None) -> np.ndarray:
    """What each review's loss is multiplied by: float64 (reviews,).

    Args:
        y: (reviews,), 0 or 1, both present.
        class_weight: None: 1 for all; `balanced`: n / (2 * count of the label), as in scikit-learn.
    """
    return np.ones(len(y)) if class_weight is None else (len(y) / (2 * np.bincount(y, minlength=2)))[y]
