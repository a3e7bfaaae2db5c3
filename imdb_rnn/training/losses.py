"""What an answer means, and whether it is right."""

import numpy as np

THRESHOLD = 0.5  # a probability above it means positive


def is_positive(probability: np.ndarray) -> np.ndarray:
    """Whether a probability of a positive review means that it is one: bool, of the same shape."""
    return probability > THRESHOLD


def is_right(y: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Whether each review is put on the right side of `THRESHOLD`: bool, of the shape of `probability`."""
    return is_positive(probability) == (np.asarray(y) == 1)


def probability_of_label(y: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """The probability that is given to each review's own label."""
    return np.where(np.asarray(y) == 1, probability, 1 - probability)
