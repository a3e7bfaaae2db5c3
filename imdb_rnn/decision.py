"""The decision: which class is predicted at a logit, and whether the prediction is correct."""

import numpy as np

THRESHOLD = 0.5  # the probability at a logit of 0; above it a review is predicted positive


def is_positive(logits: np.ndarray) -> np.ndarray:
    """Whether each review is predicted positive: bool, of the shape of `logits`."""
    return logits > 0


def is_correct(y: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """Whether each prediction agrees with its label, 0 or 1: bool, of the shape of `logits`."""
    return is_positive(logits) == (np.asarray(y) == 1)


def margin(y: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """How far each logit is on the side of its label: positive where the prediction is correct."""
    return np.where(np.asarray(y) == 1, logits, -logits)
