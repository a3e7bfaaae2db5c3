"""The decision: which class is predicted at a review's logits, and whether the prediction is correct.

Logits are (reviews,) for two classes, those of the second one, and (reviews, classes) for more.
"""

import numpy as np

THRESHOLD = 0.5  # of two classes the probability at a logit of 0; above it the second one is predicted


def num_logits(classes: int) -> int:
    """How many logits a review has: one for two classes, otherwise one for each."""
    return classes if classes > 2 else 1


def predicted(logits: np.ndarray) -> np.ndarray:
    """The class predicted for each review, from 0: int (reviews,). Of equal logits the first one counts."""
    return logits.argmax(axis=1) if logits.ndim == 2 else (logits > 0).astype(int)


def is_correct(y: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """Whether each prediction agrees with its label, a class from 0: bool (reviews,)."""
    return predicted(logits) == np.asarray(y)


def margin(y: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """How far each label's logit is above the highest of the others: (reviews,), positive where it is predicted."""
    if logits.ndim == 1:
        return np.where(np.asarray(y) == 1, logits, -logits)
    is_label = np.arange(logits.shape[1]) == np.asarray(y)[:, None]
    return logits[is_label] - np.where(is_label, -np.inf, logits).max(axis=1)
