"""The optimiser: Keras' own, with clipping, a schedule, and the moving average of the weights."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from imdb_rnn.base.params import TrainParams
from imdb_rnn.network.branches import Weights
from imdb_rnn.network.keras_model import load_keras


class Optimizer:
    """Weights that learn. It owns them, and whatever the method of learning keeps besides."""

    def __init__(self, weights: Weights, params: TrainParams, steps: int) -> None:
        """Start from `weights`; `steps` is how many there will be, for the schedule."""
        keras, tf = load_keras()
        rate = {
            "constant": lambda: params.learning_rate,
            "linear": lambda: keras.optimizers.schedules.PolynomialDecay(
                params.learning_rate, steps, end_learning_rate=0.0
            ),
            "cosine": lambda: keras.optimizers.schedules.CosineDecay(params.learning_rate, steps),
        }[params.schedule]()
        method = {
            "adam": keras.optimizers.Adam,
            "rmsprop": keras.optimizers.RMSprop,
            "sgd": partial(keras.optimizers.SGD, momentum=0.9),
        }[params.optimizer]
        self._learnt = [keras.Variable(array) for array in weights]
        self._averages = [keras.Variable(array) for array in weights] if params.weight_averaging else self._learnt
        optimizer = method(rate, global_clipnorm=params.clipnorm)
        optimizer.build(self._learnt)
        self._state = [*self._learnt, *optimizer.variables]
        if params.weight_averaging:
            self._state += self._averages
        self._constant = tf.constant
        self._update = tf.function(self._step_of(optimizer, params.weight_averaging), jit_compile=True)

    def _step_of(self, optimizer: Any, decay: float | None) -> Callable[[list], None]:
        _, tf = load_keras()

        def step(gradients: list) -> None:
            optimizer.apply(gradients, self._learnt)
            if decay is None:
                return
            t = tf.cast(optimizer.iterations.value, tf.float32)
            kept = tf.minimum(decay, (1 + t) / (10 + t))
            for average, weight in zip(self._averages, self._learnt, strict=True):
                average.assign(kept * average.value + (1 - kept) * weight.value)

        return step

    def apply(self, gradients: Weights) -> None:
        """Take one step, with the gradients with respect to the weights."""
        self._update([self._constant(gradient) for gradient in gradients])

    def weights(self) -> Weights:
        """The weights as they are learnt."""
        return [variable.numpy() for variable in self._learnt]

    def averages(self) -> Weights:
        """The weights to use: their moving average over the steps, or themselves if that is not asked for.

        In the first steps t the decay is (1 + t) / (10 + t), if that is smaller, so that the weights before training
        are soon forgotten (as in TensorFlow's `ExponentialMovingAverage`).
        """
        return [variable.numpy() for variable in self._averages]

    def state(self) -> list[np.ndarray]:
        """All that learning goes on from."""
        return [variable.numpy() for variable in self._state]

    def restore(self, state: list[np.ndarray]) -> None:
        """Go back to what `state` gave."""
        for variable, value in zip(self._state, state, strict=True):
            variable.assign(value)
