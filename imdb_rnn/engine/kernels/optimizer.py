"""The optimiser: Adam, RMSprop or gradient descent with momentum, with clipping, a schedule, and averaged weights.

The formulas are Keras' (keras.optimizers), on one flat array, in float32.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from imdb_rnn.engine.kernels.arithmetic import Array, at, claim
from imdb_rnn.engine.kernels.compiled import compiled
from imdb_rnn.engine.threads import share_out

METHODS = ("adam", "rmsprop", "sgd")
CHUNK = 16_384  # weights that a thread takes at once
VANISHED = np.float32(1e-30)  # smaller moments count as 0: subnormal numbers are slow


@dataclass
class Optimizer:
    """Weights that learn, all flat float32 of one length but for `average` and `second`, which may be empty.

    params: `core.params.TrainParams`, or anything with its attributes
    weights: as they are learnt
    first, second: moments of the gradient: Adam's both, RMSprop's mean square (`second`), the momentum (`first`)
    average: exponential moving average of the weights over the steps, where `params.weight_averaging` asks for it
    done: steps so far
    steps: how many there will be, for the schedule
    """

    params: Any
    steps: int
    weights: np.ndarray
    first: np.ndarray
    second: np.ndarray
    average: np.ndarray
    done: int = 0

    def arrays(self) -> list[np.ndarray]:
        """All arrays that learning goes on from."""
        return [self.weights, self.first, self.second, self.average]

    def used(self) -> np.ndarray:
        """The weights to use: their moving average, or themselves if that is not asked for; a copy."""
        return (self.average if self.params.weight_averaging else self.weights).copy()

    def apply(self, gradient: np.ndarray, square: float) -> None:
        """Take one step; `square` is the square of the gradient's norm."""
        params, t = self.params, self.done + 1
        norm, scale, decay = np.sqrt(square), 1.0, 0.0
        if params.clipnorm is not None and norm > params.clipnorm:
            scale = params.clipnorm / norm
        rate = _rate(params, self.done, self.steps)
        if params.optimizer == "adam":
            rate *= np.sqrt(1 - _power(0.999, t)) / (1 - _power(0.9, t))
        if params.weight_averaging:
            # In the first steps less, so that the weights before training are soon forgotten, as in TensorFlow's
            # `ExponentialMovingAverage`.
            decay = min(params.weight_averaging, (1 + t) / (10 + t))
        share_out(
            _step,
            METHODS.index(params.optimizer),
            self.weights,
            gradient,
            self.first,
            self.second,
            self.average,
            np.float32(rate),
            np.float32(scale),
            np.float32(decay),
        )
        self.done = t


def start(weights: np.ndarray, params: Any, steps: int) -> Optimizer:
    """An optimiser before its first step; `weights` become its own."""
    first, second = np.zeros_like(weights), np.zeros_like(weights)
    average = weights.copy() if params.weight_averaging else weights[:0]
    return Optimizer(params, steps, weights, first, second, average)


def _rate(params: Any, done: int, steps: int) -> float:
    """The step size after so many steps."""
    share = min(done, steps) / steps
    if params.schedule == "linear":
        return params.learning_rate * (1 - share)
    if params.schedule == "cosine":
        return params.learning_rate * (1 + _cos_pi(share)) / 2
    return params.learning_rate


def _cos_pi(x: float) -> float:
    """cos(pi x) for x from 0 to 1, by its Taylor series around 1/2: a library's may differ with the processor."""
    y = (0.5 - x) * np.pi
    term = total = y
    for n in range(2, 30, 2):
        term *= -y * y / (n * (n + 1))
        total += term
    return total


def _power(base: float, exponent: int) -> float:
    """A power by products, for the same reason."""
    result = 1.0
    while exponent:
        result, base, exponent = result * base if exponent % 2 else result, base * base, exponent // 2
    return result


@compiled
def _step(
    queue: Array,
    method: int,
    weights: Array,
    gradient: Array,
    first: Array,
    second: Array,
    average: Array,
    rate: np.float32,
    scale: np.float32,
    decay: np.float32,
) -> None:
    one, epsilon = np.float32(1), np.float32(1e-7)
    while True:
        begin = claim(queue, 0) * CHUNK
        if begin >= len(weights):
            return
        count = min(CHUNK, len(weights) - begin)
        w, g, m, v = at(weights, begin), at(gradient, begin), at(first, begin), at(second, begin)
        if method == 0:
            for i in range(count):
                x = g[i] * scale
                moment = m[i] + (x - m[i]) * np.float32(1 - 0.9)
                m[i] = np.float32(0) if abs(moment) < VANISHED else moment
                mean = v[i] + (x * x - v[i]) * np.float32(1 - 0.999)
                v[i] = np.float32(0) if mean < VANISHED else mean
                w[i] -= m[i] * rate / (np.sqrt(v[i]) + epsilon)
        elif method == 1:
            for i in range(count):
                x = g[i] * scale
                mean = np.float32(0.9) * v[i] + np.float32(1 - 0.9) * (x * x)
                v[i] = np.float32(0) if mean < VANISHED else mean
                w[i] -= rate * x / np.sqrt(v[i] + epsilon)
        else:
            for i in range(count):
                moment = np.float32(0.9) * m[i] - rate * (g[i] * scale)
                m[i] = np.float32(0) if abs(moment) < VANISHED else moment
                w[i] += m[i]
        if len(average):
            a = at(average, begin)
            for i in range(count):
                a[i] = decay * a[i] + (one - decay) * w[i]
