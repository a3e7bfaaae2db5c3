"""The engine keras is Keras' own `fit`, but for the loop around it. XLA compiles for seconds: there are few cases."""

import shutil

import numpy as np
import pytest
from material import needs_tensorflow
from networks import arrays_of
from tasks import (
    SHORT,
    VOCAB_SIZE,
    WHOLE,
    assert_same_networks,
    fit,
    run,
    small,
    task,
)

from imdb_rnn import keras_model
from imdb_rnn.core.params import PadParams, TrainParams
from imdb_rnn.decision import num_logits
from imdb_rnn.engine.initializers import initial_weights
from imdb_rnn.keras_model import build, load_keras
from imdb_rnn.text.encode import Labelled, unpad
from imdb_rnn.training import checkpoint, loop
from imdb_rnn.training.batches import sample_weights
from imdb_rnn.training.keras_learner import KerasLearner

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("keras"), needs_tensorflow]

SHORT_KERAS = SHORT | {"engine": "keras"}
STEPS = 3 * 9  # three epochs of nine batches


def of_sums(optimizer: type) -> type:
    """The same optimizer, given the sum of the gradients of a repeated word; Keras' own gets them one by one."""
    import tensorflow as tf

    class OfSums(optimizer):
        def apply(self, gradients, variables=None):
            super().apply([tf.convert_to_tensor(gradient) for gradient in gradients], variables)

    return OfSums


def assert_fit_trains_the_same(
    monkeypatch, model, params, optimizer, keras_model=build, jit_compile="auto", count=WHOLE, classes=2
) -> None:
    """Train here and, from the same initial weights over the same batches, with Keras' own `fit`.

    Args:
        keras_model: makes Keras' model.
        jit_compile: Keras' own; what dropout draws depends on it.
        count: of the reviews; for a last batch that is smaller Keras makes another graph, which takes a second.
    """
    keras = load_keras()
    (x, y), validation = task(count, 1, classes), task(100, 2, classes)
    x[::3, :3] = 0
    in_order = [np.arange(len(x))[i : i + 32] for i in range(0, len(x), 32)]
    monkeypatch.setattr("imdb_rnn.training.loop.shuffled", lambda *_: in_order)
    network, history = fit((x, y), validation, model, params)

    keras.utils.set_random_seed(params.seed)
    theirs = keras_model(model, VOCAB_SIZE)
    weights = theirs.weights
    if params.engine == "compiled":
        initial = initial_weights(model, VOCAB_SIZE, params.seed, num_logits(classes))
        for variable, array in zip(weights, arrays_of(initial), strict=False):
            variable.assign(array)
    loss = "binary_crossentropy" if classes == 2 else "sparse_categorical_crossentropy"
    theirs.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"], jit_compile=jit_compile)
    average, steps = [variable.numpy() for variable in weights], 0

    class Averaging(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            nonlocal average, steps
            steps += 1
            decay = min(params.weight_averaging or 0, (1 + steps) / (10 + steps))
            average = [decay * a + (1 - decay) * variable.numpy() for a, variable in zip(average, weights, strict=True)]

    plain = theirs.fit(
        x,
        y,
        batch_size=32,
        epochs=3,
        shuffle=False,
        validation_data=None if params.weight_averaging else validation,
        verbose=0,
        callbacks=[Averaging()],
        class_weight=dict(zip(y.tolist(), sample_weights(y, params.class_weight).tolist(), strict=True)),
    ).history
    assert len(plain) == (2 if params.weight_averaging else 4)
    for name, values in plain.items():
        np.testing.assert_allclose(history[name], values, atol=1e-5, err_msg=name)
    for array, same in zip(arrays_of(network.weights)[:-1], average, strict=True):
        # What is left of gradients that cancel is rounded in another way by the compiled engine.
        np.testing.assert_allclose(array, same, atol=1e-6 if params.engine == "keras" else 1e-4)
    assert history["loss"].iloc[-1] < history["loss"].iloc[0] - 1e-3, "nothing was learnt, so nothing is shown"


@pytest.mark.parametrize(
    ("engine", "name", "classes"),
    [("compiled", "Adam", 2), ("keras", "RMSprop", 2), ("compiled", "Adam", 3), ("keras", "RMSprop", 5)],
)
def test_training_is_keras_own_fit(monkeypatch, engine, name, classes):
    """The article's network and its `fit`, over padding that is read, with nothing of ours around it."""
    keras = load_keras()

    def plain(*_):
        return keras.Sequential(
            [
                keras.Input((None,), dtype="int32"),
                keras.layers.Embedding(VOCAB_SIZE, 8),
                keras.layers.SimpleRNN(8),
                keras.layers.Dense(1, "sigmoid") if classes == 2 else keras.layers.Dense(classes, "softmax"),
            ]
        )

    options = {"engine": engine, "optimizer": name.lower(), "clipnorm": None, "class_weight": "balanced"}
    method = getattr(keras.optimizers, name)
    optimizer = method(0.01) if engine == "keras" else of_sums(method)(0.01)
    params, model = TrainParams(**SHORT | options), small(mask_padding=False)
    assert_fit_trains_the_same(monkeypatch, model, params, optimizer, plain, count=WHOLE + 12, classes=classes)


def test_dropout_clipping_and_averages_are_keras_own_fit_s(monkeypatch):
    """Where Keras has XLA compile, as the engine does: without, TensorFlow makes other random numbers of a seed."""
    keras = load_keras()
    optimizer = keras.optimizers.Adam(
        keras.optimizers.schedules.PolynomialDecay(0.01, STEPS, end_learning_rate=0.0), global_clipnorm=0.1
    )
    params = TrainParams(**SHORT_KERAS | {"schedule": "linear", "weight_averaging": 0.8})
    model = small(dropout=0.3, pooling="mean")
    assert_fit_trains_the_same(monkeypatch, model, params, optimizer, jit_compile=True)


def test_momentum_and_a_cosine_are_keras_own_fit_s(monkeypatch):
    keras = load_keras()
    optimizer = keras.optimizers.SGD(
        keras.optimizers.schedules.CosineDecay(0.01, STEPS), momentum=0.9, global_clipnorm=0.1
    )
    params = TrainParams(**SHORT_KERAS | {"schedule": "cosine", "optimizer": "sgd"})
    assert_fit_trains_the_same(monkeypatch, small(pooling="max"), params, optimizer)


def test_a_sure_and_wrong_answer_is_corrected_as_fast_as_the_logit_says(monkeypatch):
    """As in Keras' `fit`, which takes the loss from the logit, for a probability of almost 0 is clipped."""
    model, build = small(), keras_model.build

    def sure(*arguments, **options):
        built = build(*arguments, **options)
        keras_model.named_variables(built, model)["head.bias"].assign([-30])
        return built

    monkeypatch.setattr(keras_model, "build", sure)
    params = TrainParams(engine="keras", optimizer="sgd", learning_rate=1.0, clipnorm=None)
    x = np.array([[0, 5, 6, 7], [0, 0, 0, 8]], np.int32)
    learning = KerasLearner(
        Labelled(unpad(x), np.ones(2)), model, PadParams(vocab_size=VOCAB_SIZE, maxlen=4), params, 1
    )
    ((loss, right),) = learning.learn(1, [np.arange(2)], 0)
    assert loss == pytest.approx(2 * 30, abs=4)
    assert right == 0
    assert learning.weights().head_bias == pytest.approx([-29], abs=1e-5)


def test_training_goes_on_from_a_checkpoint_as_if_it_was_not_stopped(tmp_path, monkeypatch, capfd):
    """Of the middle of an epoch, so that dropout has to go on with what it would have drawn, as the averages do."""
    options = {"engine": "keras", "epochs": 2, "batch_size": 50, "schedule": "cosine", "weight_averaging": 0.9}
    model = small(dropout=0.5)
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1)
    write, path, early = checkpoint.write, tmp_path / "whole.npz", tmp_path / "early.npz"

    def keep_one(written, state):
        write(written, state)
        if (state.epoch, state.batches) == (2, 3):
            shutil.copy(path, early)

    monkeypatch.setattr(checkpoint, "write", keep_one)
    network, history = run(model, checkpoint=path, **options)
    assert "AutoGraph" not in capfd.readouterr().err  # whose warning shows all environment variables
    monkeypatch.setattr(checkpoint, "write", write)
    again, history_again = run(model, checkpoint=early, **options)
    assert history_again.equals(history)
    assert_same_networks(again, network)
    for one, other in zip(*(np.load(file).values() for file in (path, early)), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_seed_decides_the_initial_weights_whatever_the_process_has_drawn():
    keras = load_keras()
    x, y = task(40, 1)

    def initial_weights(seed):
        encoding = PadParams(vocab_size=VOCAB_SIZE, maxlen=8)
        learning = KerasLearner(Labelled(unpad(x), y), small(), encoding, TrainParams(engine="keras", seed=seed), 10)
        return arrays_of(learning.weights())[:-1]

    once, again, other = initial_weights(1), initial_weights(1), initial_weights(2)
    keras.utils.set_random_seed(1)
    theirs = keras_model.build(small(), VOCAB_SIZE).trainable_variables
    for number, (array, same, variable) in enumerate(zip(once, again, theirs, strict=True)):
        np.testing.assert_array_equal(array, same)
        np.testing.assert_array_equal(array, variable.numpy())
        assert (array != other[number]).any() == (array.ndim == 2)  # biases are zero
