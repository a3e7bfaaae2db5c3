"""Learning by Keras: TensorFlow's gradients and Keras' optimiser, as the article's `fit` does.

Its bytes depend on the processor, as TensorFlow's do.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from imdb_rnn import keras_model
from imdb_rnn.core.params import ModelParams, PadParams, TrainParams
from imdb_rnn.model import Network
from imdb_rnn.text.encode import Labelled, pad
from imdb_rnn.training.batches import sample_weights


class KerasLearner:
    """See `learner.Learner`."""

    def __init__(
        self, training: Labelled, model: ModelParams, encoding: PadParams, params: TrainParams, steps: int
    ) -> None:
        keras, tf = keras_model.load_keras(computing=True)
        self._model, self._encoding, self._training = model, encoding, training
        self._weights = sample_weights(training.y, params.class_weight).astype(np.float32)
        with keras_model.seeding:
            keras.utils.set_random_seed(params.seed)
            self._keras = keras_model.build(model, encoding.vocab_size, np.empty(0, np.int64))
        self._learnt = keras_model.variables(self._keras, model)
        self._averages = [keras.Variable(variable) for variable in self._learnt] if params.weight_averaging else []
        optimizer = _optimizer(keras, params, steps)
        optimizer.build(self._learnt)
        self._state = [*self._keras.variables, *optimizer.variables, *self._averages]
        self._step = tf.function(partial(self._one_step, optimizer, params.weight_averaging), jit_compile=True)
        self._tensor = tf.constant

    def _one_step(self, optimizer: Any, decay: float | None, x: Any, y: Any, weights: Any) -> tuple[Any, Any]:
        keras, tf = keras_model.load_keras(computing=True)
        with tf.GradientTape() as tape:
            probability = self._keras(x, training=True)  # as it is: Keras takes the loss from the logits behind it
            losses = keras.ops.binary_crossentropy(y, probability) * weights
            loss = keras.ops.mean(losses)
        optimizer.apply(tape.gradient(loss, [variable.value for variable in self._learnt]), self._learnt)
        t = keras.ops.cast(optimizer.iterations, "float32")
        for average, weight in zip(self._averages, self._learnt, strict=bool(decay)):
            kept = keras.ops.minimum(decay, (1 + t) / (10 + t))
            average.assign(kept * average + (1 - kept) * weight)
        return keras.ops.sum(losses), keras.ops.sum(keras.ops.equal(probability > 0.5, y > 0.5))

    def learn(self, epoch: int, batches: list[np.ndarray], first: int) -> Iterator[tuple[float, int]]:
        for rows in batches:
            x = pad(self._training.ids.rows(rows), self._encoding.maxlen, self._encoding.padding)
            y = self._training.y[rows, None].astype(np.float32)
            loss, right = self._step(self._tensor(x), self._tensor(y), self._tensor(self._weights[rows, None]))
            yield float(loss), int(right)

    def network(self, best_epoch: int) -> Network:
        weights = keras_model.weights_of(self._averages or self._learnt, self._model)
        return Network(self._model, self._encoding, weights, np.empty(0, np.int64), [], best_epoch, {})

    def state(self) -> list[np.ndarray]:
        return [np.asarray(variable.numpy()) for variable in self._state]  # of a number it gives no array

    def restore(self, state: list[np.ndarray]) -> None:
        for variable, value in zip(self._state, state, strict=True):
            variable.assign(value)


def _optimizer(keras: Any, params: TrainParams, steps: int) -> Any:
    schedules = keras.optimizers.schedules
    rate = {
        "constant": lambda: params.learning_rate,
        "linear": lambda: schedules.PolynomialDecay(params.learning_rate, steps, end_learning_rate=0.0),
        "cosine": lambda: schedules.CosineDecay(params.learning_rate, steps),
    }[params.schedule]()
    method = {
        "adam": keras.optimizers.Adam,
        "rmsprop": keras.optimizers.RMSprop,
        "sgd": partial(keras.optimizers.SGD, momentum=0.9),
    }[params.optimizer]
    return method(rate, global_clipnorm=params.clipnorm)
