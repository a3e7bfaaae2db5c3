"""The engine keras is Keras' own `fit`, but for the loop around it. XLA compiles for seconds: there are few cases."""

import shutil

import numpy as np
import pytest
from networks import arrays_of
from tasks import (
    SHORT,
    VOCAB_SIZE,
    WHOLE,
    assert_keras_trains_the_same,
    assert_same_networks,
    by_lot,
    fit,
    run,
    small,
    task,
)

from imdb_rnn import keras_model
from imdb_rnn.core.params import PadParams, TrainParams
from imdb_rnn.engine.kernels.arithmetic import log_losses
from imdb_rnn.keras_model import load_keras
from imdb_rnn.text.encode import Labelled, unpad
from imdb_rnn.training import checkpoint, loop
from imdb_rnn.training.keras_learner import KerasLearner

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("keras")]

SHORT_KERAS = SHORT | {"engine": "keras"}
STEPS = 3 * 9  # three epochs of nine batches


def test_training_is_keras_own_fit(monkeypatch):
    """The article's network, its optimiser and its `fit`, over padding that is read, with nothing of ours around it."""
    keras = load_keras()

    def plain():
        return keras.Sequential(
            [
                keras.Input((None,), dtype="int32"),
                keras.layers.Embedding(VOCAB_SIZE, 8),
                keras.layers.SimpleRNN(8),
                keras.layers.Dense(1, activation="sigmoid"),
            ]
        )

    params = TrainParams(**SHORT_KERAS | {"optimizer": "rmsprop", "clipnorm": None, "class_weight": "balanced"})
    optimizer = keras.optimizers.RMSprop(0.01)
    model = small(mask_padding=False)
    assert_keras_trains_the_same(monkeypatch, model, params, keras_model=plain, optimizer=optimizer, count=WHOLE + 12)


def test_dropout_clipping_and_averages_are_keras_own_fit_s(monkeypatch):
    """Where Keras has XLA compile, as the engine does: without, TensorFlow makes other random numbers of a seed."""
    keras = load_keras()
    optimizer = keras.optimizers.Adam(
        keras.optimizers.schedules.PolynomialDecay(0.01, STEPS, end_learning_rate=0.0), global_clipnorm=0.1
    )
    params = TrainParams(**SHORT_KERAS | {"schedule": "linear", "weight_averaging": 0.8})
    model = small(dropout=0.3, pooling="mean")
    assert_keras_trains_the_same(monkeypatch, model, params, optimizer=optimizer, jit_compile=True)


def test_momentum_and_a_cosine_are_keras_own_fit_s(monkeypatch):
    keras = load_keras()
    optimizer = keras.optimizers.SGD(
        keras.optimizers.schedules.CosineDecay(0.01, STEPS), momentum=0.9, global_clipnorm=0.1
    )
    params = TrainParams(**SHORT_KERAS | {"schedule": "cosine", "optimizer": "sgd"})
    assert_keras_trains_the_same(monkeypatch, small(pooling="max"), params, optimizer=optimizer)


def test_a_sure_and_wrong_answer_is_corrected_as_fast_as_the_logit_says(monkeypatch):
    """As in Keras' `fit`, which takes the loss from the logit, for a probability of almost 0 is clipped."""
    model, build = small(), keras_model.build

    def sure(*arguments):
        built = build(*arguments)
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


def test_training_goes_on_from_a_checkpoint_as_if_it_was_not_stopped(tmp_path, monkeypatch):
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
    monkeypatch.setattr(checkpoint, "write", write)
    again, history_again = run(model, checkpoint=early, **options)
    assert history_again.equals(history)
    assert_same_networks(again, network)
    for one, other in zip(*(np.load(file).values() for file in (path, early)), strict=True):
        np.testing.assert_array_equal(one, other)


def test_patience_and_the_best_epoch_are_the_loop_s():
    x, y = by_lot(356)
    params = TrainParams(engine="keras", epochs=12, batch_size=64, learning_rate=0.05, patience=2, seed=3)
    network, history = fit((x[:256], y[:256]), (x[256:], y[256:]), small(), params)
    best = history["val_loss"].idxmin() + 1
    assert len(history) == best + 2 < 12
    assert network.best_epoch == best
    loss = log_losses(y[256:], network.logits(unpad(x[256:]))).mean()
    assert loss == pytest.approx(history["val_loss"].min(), abs=1e-6)


def test_the_seed_decides_the_initial_weights_whatever_the_process_has_drawn():
    keras = load_keras()
    x, y = task(40, 1)

    def initial_weights(seed):
        encoding = PadParams(vocab_size=VOCAB_SIZE, maxlen=8)
        learning = KerasLearner(Labelled(unpad(x), y), small(), encoding, TrainParams(engine="keras", seed=seed), 10)
        return arrays_of(learning.weights())[:-1]

    once, again, other = initial_weights(1), initial_weights(1), initial_weights(2)
    keras.utils.set_random_seed(1)
    theirs = keras_model.build(small(), VOCAB_SIZE, np.empty(0, np.int64)).trainable_variables
    for number, (array, same, variable) in enumerate(zip(once, again, theirs, strict=True)):
        np.testing.assert_array_equal(array, same)
        np.testing.assert_array_equal(array, variable.numpy())
        assert (array != other[number]).any() == (array.ndim == 2)  # biases are zero
