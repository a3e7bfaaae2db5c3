"""The reviews that training learns from: which are held out, in which batches they come, how much each counts."""

import numpy as np

from imdb_rnn.core.params import TrainParams
from imdb_rnn.engine.rng import Stream, raw
from imdb_rnn.text.encode import Labelled
from imdb_rnn.text.split import split_by_position


def hold_out(reviews: Labelled, params: TrainParams) -> tuple[Labelled, Labelled]:
    """Divide training reviews for `validation: holdout`.

    Returns:
        The reviews to train on, and the reviews to validate with: of each label the last `params.validation_fraction`.

    Raises:
        UserError: when a part would have no review of a label.
    """
    rows, held_out = split_by_position(reviews.y, params.validation_fraction, "train.validation_fraction")
    return reviews.rows(rows), reviews.rows(held_out)


def shuffled(count: int, batch_size: int, seed: int, epoch: int) -> list[np.ndarray]:
    """Cut the rows from 0 to `count - 1`, in an order drawn for this epoch, into batches; the last may be smaller."""
    order = np.argsort(raw(count, seed, Stream.ORDER, epoch), kind="stable")
    return [order[i : i + batch_size] for i in range(0, count, batch_size)]


def sample_weights(y: np.ndarray, class_weight: str | None) -> np.ndarray:
    """What each review's loss is multiplied by: float64 (reviews,).

    Args:
        y: (reviews,), classes from 0, all present.
        class_weight: None: 1 for all; `balanced`: n / (classes * count of the class), as in scikit-learn.
    """
    if class_weight is None:
        return np.ones(len(y))
    counts = np.bincount(y)
    return (len(y) / (len(counts) * counts))[y]
