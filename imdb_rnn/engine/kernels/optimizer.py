"""The optimizer: Adam, RMSprop or gradient descent with momentum, with clipping, a schedule, and averaged weights.

The formulas are those of `keras.optimizers`, on one flat array, in float32.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from imdb_rnn.engine.kernels.arithmetic import Array, atomic_fetch_add, ptr
from imdb_rnn.engine.kernels.compiled import compiled
from imdb_rnn.engine.threads import parallel_for

METHODS = ("adam", "rmsprop", "sgd")
CHUNK = 16_384  # weights that a thread takes at once
FLUSH_TO_ZERO_BELOW = np.float32(1e-30)  # smaller moments count as 0: subnormal numbers are slow


@dataclass
class Optimizer:
    """Weights that are trained, and the optimizer's state; flat float32 arrays of the same length.

    params: `core.params.TrainParams`, or anything with its attributes
    total_steps: how many steps there will be, for the schedule
    weights: the raw weights
    m: first moment of the gradient for Adam, velocity for gradient descent
    v: second moment of the gradient for Adam and RMSprop
    average: exponential moving average of the weights over the steps; empty without `params.weight_averaging`
    step: steps so far
    """

    params: Any
    total_steps: int
    weights: np.ndarray
    m: np.ndarray
    v: np.ndarray
    average: np.ndarray
    step: int = 0

    def arrays(self) -> list[np.ndarray]:
        """All arrays that training resumes from."""
        return [self.weights, self.m, self.v, self.average]

    def averaged_or_raw_weights(self) -> np.ndarray:
        """The weights to use: their moving average with `params.weight_averaging`; a copy."""
        return (self.average if self.params.weight_averaging else self.weights).copy()

    def apply(self, gradient: np.ndarray, squared_norm: float) -> None:
        """Take one step; `squared_norm` is that of the gradient."""
        params, t = self.params, self.step + 1
        norm, scale, decay = np.sqrt(squared_norm), 1.0, 0.0
        if params.clipnorm is not None and norm > params.clipnorm:
            scale = params.clipnorm / norm
        rate = _learning_rate(params, self.step, self.total_steps)
        if params.optimizer == "adam":
            rate *= np.sqrt(1 - _power(0.999, t)) / (1 - _power(0.9, t))
        if params.weight_averaging:
            # Less in the first steps, so that the initial weights are soon forgotten, as in TensorFlow's
            # `ExponentialMovingAverage`.
            decay = min(params.weight_averaging, (1 + t) / (10 + t))
        arrays = Arrays(self.weights, gradient, self.m, self.v, self.average)
        numbers = np.float32(rate), np.float32(scale), np.float32(decay)
        parallel_for(_step, METHODS.index(params.optimizer), arrays, *numbers)
        self.step = t


def start(weights: np.ndarray, params: Any, total_steps: int) -> Optimizer:
    """An optimizer before its first step, which changes `weights` in place."""
    average = weights.copy() if params.weight_averaging else weights[:0]
    return Optimizer(params, total_steps, weights, np.zeros_like(weights), np.zeros_like(weights), average)


def _learning_rate(params: Any, step: int, total_steps: int) -> float:
    """The learning rate after so many steps."""
    share = min(step, total_steps) / total_steps
    if params.schedule == "linear":
        return params.learning_rate * (1 - share)
    if params.schedule == "cosine":
        return params.learning_rate * (1 + _cos_pi(share)) / 2
    return params.learning_rate


def _cos_pi(x: float) -> float:
    """cos(pi x) for x from 0 to 1, by its Taylor series around 1/2: that of a library may differ between CPUs."""
    y = (0.5 - x) * np.pi
    term = total = y
    for n in range(2, 30, 2):
        term *= -y * y / (n * (n + 1))
        total += term
    return total


def _power(base: float, exponent: int) -> float:
    """A power by multiplication, for the same reason."""
    result = 1.0
    while exponent:
        result, base, exponent = result * base if exponent % 2 else result, base * base, exponent // 2
    return result


class Arrays(NamedTuple):
    """See `Optimizer`."""

    weights: Array
    gradient: Array
    m: Array
    v: Array
    average: Array


@compiled
def _step(
    queue: Array, method: int, arrays: Arrays, rate: np.float32, scale: np.float32, average_decay: np.float32
) -> None:
    one, epsilon = np.float32(1), np.float32(1e-7)
    while True:
        begin = atomic_fetch_add(queue, 0) * CHUNK
        if begin >= len(arrays.weights):
            return
        count = min(CHUNK, len(arrays.weights) - begin)
        w, g, m, v = ptr(arrays.weights, begin), ptr(arrays.gradient, begin), ptr(arrays.m, begin), ptr(arrays.v, begin)
        if method == 0:  # Adam: m += (g - m) (1 - 0.9), v += (g^2 - v) (1 - 0.999), w -= rate m / (sqrt(v) + epsilon)
            for i in range(count):
                x = g[i] * scale
                moment = m[i] + (x - m[i]) * np.float32(1 - 0.9)
                m[i] = np.float32(0) if abs(moment) < FLUSH_TO_ZERO_BELOW else moment
                mean = v[i] + (x * x - v[i]) * np.float32(1 - 0.999)
                v[i] = np.float32(0) if mean < FLUSH_TO_ZERO_BELOW else mean
                w[i] -= m[i] * rate / (np.sqrt(v[i]) + epsilon)
        elif method == 1:  # RMSprop: v = 0.9 v + (1 - 0.9) g^2, w -= rate g / sqrt(v + epsilon)
            for i in range(count):
                x = g[i] * scale
                mean = np.float32(0.9) * v[i] + np.float32(1 - 0.9) * (x * x)
                v[i] = np.float32(0) if mean < FLUSH_TO_ZERO_BELOW else mean
                w[i] -= rate * x / np.sqrt(v[i] + epsilon)
        else:  # gradient descent: m = 0.9 m - rate g, w += m
            for i in range(count):
                moment = np.float32(0.9) * m[i] - rate * (g[i] * scale)
                m[i] = np.float32(0) if abs(moment) < FLUSH_TO_ZERO_BELOW else moment
                w[i] += m[i]
        if len(arrays.average):
            a = ptr(arrays.average, begin)
            for i in range(count):
                a[i] = average_decay * a[i] + (one - average_decay) * w[i]
