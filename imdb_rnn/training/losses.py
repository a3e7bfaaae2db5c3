"""What training lowers and what it counts: the loss of each review, its gradient, and whether the answer is right."""

import numpy as np
from scipy.special import expit, log_expit

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


def log_loss(y: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """Binary cross-entropy of each review, in nats: float, of the shape of `logits`.

    From the logit, so that it never stops growing, and never becomes infinite, however sure a wrong answer is.
    """
    return -log_expit(np.where(np.asarray(y) == 1, logits, -logits))


def log_loss_gradient(y: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """The gradient of each review's `log_loss` with respect to its logit: float, of the shape of `logits`.

    That is the probability minus the label, but not computed so, for 1 minus almost 1 is nothing but rounding.
    """
    return np.where(np.asarray(y) == 1, -expit(-logits), expit(logits))
