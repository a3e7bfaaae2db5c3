"""Training with Keras: TensorFlow's gradients and Keras' optimizer, as the original tutorial's `fit` does.

The trained weights depend on the processor, as TensorFlow's results do.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from imdb_rnn import keras_model
from imdb_rnn.core.params import ModelParams, PadParams, TrainParams
from imdb_rnn.decision import num_logits
from imdb_rnn.engine.weights import Weights, from_named
from imdb_rnn.text.encode import Labelled, pad
from imdb_rnn.training.batches import sample_weights


class KerasLearner:
    """See `learner.Learner`."""

    ngram_codes = np.empty(0, np.int64)

    def __init__(
        self, training: Labelled, model: ModelParams, encoding: PadParams, params: TrainParams, steps: int
    ) -> None:
        keras = keras_model.load_keras()
        import tensorflow as tf

        self._encoding, self._training = encoding, training
        self._sample_weights = sample_weights(training.y, params.class_weight).astype(np.float32)
        keras.utils.set_random_seed(params.seed)
        logits = num_logits(int(training.y.max()) + 1)
        self._network = keras_model.build(model, encoding.vocab_size, num_logits=logits)
        self._variables = keras_model.named_variables(self._network, model)
        trained = list(self._variables.values())
        self._averages = [keras.Variable(variable) for variable in trained] if params.weight_averaging else []
        optimizer = _optimizer(keras, params, steps)
        optimizer.build(trained)
        self._state = [*self._network.variables, *optimizer.variables, *self._averages]
        step = partial(self._one_step, tf, optimizer, params.weight_averaging)
        self._step = tf.function(step, jit_compile=True, autograph=False)
        self._tensor = tf.constant

    def _one_step(self, tf: Any, optimizer: Any, decay: float | None, x: Any, y: Any, weights: Any) -> tuple[Any, Any]:
        keras, trained = keras_model.load_keras(), list(self._variables.values())
        with tf.GradientTape() as tape:
            probability = self._network(x, training=True)  # unchanged: Keras takes the loss from the logits behind it
            if probability.shape[1] == 1:
                losses, correct = keras.ops.binary_crossentropy(y, probability), (probability > 0.5) == (y > 0.5)
            else:
                losses = keras.ops.sparse_categorical_crossentropy(y, probability)[:, None]
                correct = keras.ops.argmax(probability, axis=1, keepdims=True) == keras.ops.cast(y, "int32")
            losses = losses * weights
            loss = keras.ops.mean(losses)
        optimizer.apply(tape.gradient(loss, [variable.value for variable in trained]), trained)
        t = keras.ops.cast(optimizer.iterations, "float32")
        for average, variable in zip(self._averages, trained, strict=bool(decay)):
            kept = keras.ops.minimum(decay, (1 + t) / (10 + t))
            average.assign(kept * average + (1 - kept) * variable)
        return keras.ops.sum(losses), keras.ops.sum(correct)

    def learn(self, epoch: int, batches: list[np.ndarray], first: int) -> Iterator[tuple[float, int]]:
        for rows in batches:
            x = pad(self._training.ids.rows(rows), self._encoding.maxlen, self._encoding.padding)
            y = self._training.y[rows, None].astype(np.float32)
            weights = self._sample_weights[rows, None]
            loss, correct = self._step(self._tensor(x), self._tensor(y), self._tensor(weights))
            yield float(loss), int(correct)

    def weights(self) -> Weights:
        variables = self._averages or self._variables.values()
        arrays = {name: variable.numpy() for name, variable in zip(self._variables, variables, strict=True)}
        return from_named(arrays | {"ngrams": np.empty(0, np.float32)})

    def state(self) -> list[np.ndarray]:
        return [np.asarray(variable.numpy()) for variable in self._state]  # of a scalar it gives no array

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
