"""The decision: which class is predicted at a review's logits, and whether the prediction is correct.

Logits are (reviews,) for two classes, those of the second one, and (reviews, classes) for more.
"""

import numpy as np

from imdb_rnn.engine.kernels.arithmetic import log

THRESHOLD = 0.5  # of two classes: above this probability the second one is predicted, unless a model says otherwise


def num_logits(classes: int) -> int:
    """How many logits a review has: one for two classes, otherwise one for each."""
    return classes if classes > 2 else 1


def predicted(logits: np.ndarray, threshold: float = THRESHOLD) -> np.ndarray:
    """The class predicted for each review, from 0: int (reviews,). Of equal logits the first one counts.

    Args:
        threshold: of two classes the probability above which the second one is predicted; of more it has no effect.
    """
    return logits.argmax(axis=1) if logits.ndim == 2 else (logits > _logit(threshold)).astype(int)


def is_correct(y: np.ndarray, logits: np.ndarray, threshold: float = THRESHOLD) -> np.ndarray:
    """Whether each prediction agrees with its label, a class from 0: bool (reviews,)."""
    return predicted(logits, threshold) == np.asarray(y)


def margin(y: np.ndarray, logits: np.ndarray, threshold: float = THRESHOLD) -> np.ndarray:
    """How far each label's logit is above the highest of the others: (reviews,), positive where it is predicted.

    Of two classes it is how far the logit is on the label's side of the threshold.
    """
    if logits.ndim == 1:
        above = logits - _logit(threshold)
        return np.where(np.asarray(y) == 1, above, -above)
    is_label = np.arange(logits.shape[1]) == np.asarray(y)[:, None]
    return logits[is_label] - np.where(is_label, -np.inf, logits).max(axis=1)


def _logit(threshold: float) -> float:
    """The logit of a probability, above 0, below 1: of 0.5 exactly 0."""
    one, other = log(np.array([threshold, 1 - threshold])).tolist()
    return one - other
