"""What an answer means, and whether it is right."""

import numpy as np

THRESHOLD = 0.5  # a probability above it means positive


def review_weights(y: np.ndarray, class_weight: str | None) -> np.ndarray:
    """What each review's loss is multiplied by: float64 (reviews,).

    Args:
        y: (reviews,), 0 or 1, both present.
        class_weight: None: 1 for all; `balanced`: n / (2 count of the label), as scikit-learn has it.
    """
    return np.ones(len(y)) if class_weight is None else (len(y) / (2 * np.bincount(y, minlength=2)))[y]


def is_positive(probability: np.ndarray) -> np.ndarray:
    """Whether a probability of a positive review means that it is one: bool, of the same shape."""
    return probability > THRESHOLD


def is_right(y: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Whether each review is put on the right side of `THRESHOLD`: bool, of the shape of `probability`."""
    return is_positive(probability) == (np.asarray(y) == 1)


def probability_of_label(y: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """The probability that is given to each review's own label."""
    return np.where(np.asarray(y) == 1, probability, 1 - probability)
