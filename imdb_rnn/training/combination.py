"""How the network's logits and the linear part's are combined: what each counts, and a bias.

The three numbers of each logit are stacking (Wolpert, Stacked Generalization, 1992) and temperature, or with more than
two classes vector scaling (Guo and others, On Calibration of Modern Neural Networks, 2017), in one.
"""

from typing import NamedTuple

import numpy as np

from imdb_rnn.engine.kernels.arithmetic import cross_entropy
from imdb_rnn.engine.weights import Weights
from imdb_rnn.training.linear import Choice, Linear

PENALTY = 1.0  # of the squared distance from the start, where one review's loss counts 1
MAX_ROUNDS, MAX_HALVINGS, TOLERANCE = 500, 30, 1e-5


class Combination(NamedTuple):
    """logit = network_weight * network + linear_weight * linear + bias: float64 (logits,) each.

    choice: how the linear part is fitted; None: that is still to be chosen, or there is none
    """

    network_weight: np.ndarray
    linear_weight: np.ndarray
    bias: np.ndarray
    choice: Choice | None = None

    def logits(self, network: np.ndarray, linear: np.ndarray | float = 0.0) -> np.ndarray:
        """Combine logits, (reviews, logits): float64."""
        return self.network_weight * network + self.linear_weight * linear + self.bias

    def weights(self, network: Weights, linear: Linear | None) -> Weights:
        """The weights of a network whose logits are the combined ones."""
        kernel, bias = network.head_kernel * self.network_weight, self.logits(network.head_bias)
        scores = network.ngrams
        if linear:
            bias = self.logits(network.head_bias, linear.bias)
            scores = linear.scores * self.linear_weight
            scores = scores[:, 0] if len(bias) == 1 else scores
        kernel, bias, scores = (np.ascontiguousarray(array, np.float32) for array in (kernel, bias, scores))
        return network._replace(head_kernel=kernel, head_bias=bias, ngrams=scores)


def equal_shares(num_logits: int, has_linear: bool) -> Combination:
    """The mean of both, or the network alone."""
    share = np.full(num_logits, 0.5)
    return Combination(share, share, 0 * share) if has_linear else Combination(2 * share, 0 * share, 0 * share)


def fit_combination(
    y: np.ndarray, network: np.ndarray, linear: np.ndarray | None, sample_weights: np.ndarray
) -> Combination:
    """The weights, from 0, and biases with the lowest cross-entropy, which is penalised a little.

    Newton's method for one number of each logit at a time, halved until the loss falls; the numbers of different logits
    step together, half as far.

    Args:
        y: (reviews,), classes from 0.
        network, linear: (reviews, logits), by fits that have not seen the review; None: there is no linear part.
        sample_weights: float64 (reviews,).
    """
    num_logits = network.shape[1]
    origin = equal_shares(num_logits, linear is not None)
    inputs = {"network_weight": network, "linear_weight": linear, "bias": np.ones_like(network)}
    is_label = y[:, None] == (np.arange(num_logits) if num_logits > 1 else 1)

    def loss_of(found: Combination) -> tuple[float, np.ndarray]:
        losses, dlogits = cross_entropy(y, found.logits(network, 0.0 if linear is None else linear))
        distance = sum(((array - other) ** 2).sum() for array, other in zip(found[:3], origin[:3], strict=True))
        return float((losses * sample_weights).sum() + PENALTY / 2 * distance), dlogits

    found = origin
    loss, dlogits = loss_of(found)
    for _ in range(MAX_ROUNDS):
        largest = 0.0
        for name, x in inputs.items():
            if x is None:
                continue
            old, p, w = getattr(found, name), dlogits + is_label, sample_weights[:, None]
            gradient = (w * dlogits * x).sum(axis=0) + PENALTY * (old - getattr(origin, name))
            step = gradient / ((w * p * (1 - p) * x * x).sum(axis=0) + PENALTY) / min(num_logits, 2)
            if name == "bias" and num_logits > 1:
                step -= step.mean()  # softmax does not see it
            for _ in range(MAX_HALVINGS):
                new = old - step if name == "bias" else np.maximum(old - step, 0)
                tried = found._replace(**{name: new})
                new_loss, new_dlogits = loss_of(tried)
                if new_loss <= loss:
                    found, loss, dlogits = tried, new_loss, new_dlogits
                    largest = max(largest, float(np.abs(new - old).max()))
                    break
                step = step / 2
        if largest < TOLERANCE:
            break
    return found
