import numpy as np
import pytest

from imdb_rnn.network.keras_model import load_keras
from imdb_rnn.training.losses import is_positive, is_right, log_loss, log_loss_gradient, probability_of_label


@pytest.mark.parametrize("size", [0.0, 3.0, 20.0, 100.0, 1000.0])
def test_the_loss_is_exact_however_sure_the_network_is(size):
    """Of a wrong answer the loss is the logit itself, far beyond where a clipped probability would stop it."""
    expected = np.log1p(np.exp(-size))
    np.testing.assert_allclose(log_loss(np.array([1, 0]), np.array([size, -size])), expected, rtol=1e-15)
    np.testing.assert_allclose(log_loss(np.array([0, 1]), np.array([size, -size])), size + expected, rtol=1e-15)


def test_what_is_not_a_number_has_a_loss_that_is_none():
    """And nothing is printed: a loss that is no number is looked for, and said in words."""
    assert np.isnan(log_loss(np.array([0, 1]), np.array([np.nan, np.nan], np.float32))).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_gradient_of_the_loss_is_exact_however_sure_the_network_is(dtype):
    """On both sides: where the answer is wrong it is almost 1, where it is right it is small and not zero."""
    sizes = np.array([0.5, 3, 16.5, 30, 80])
    for y, sign in ((0, 1), (1, -1)):
        gradient = log_loss_gradient(np.full(5, y), sign * sizes.astype(dtype))
        assert gradient.dtype == dtype
        np.testing.assert_allclose(gradient, sign / (1 + np.exp(-sizes)), rtol=1e-6)
        gradient = log_loss_gradient(np.full(5, y), -sign * sizes.astype(dtype))
        np.testing.assert_allclose(gradient, sign * np.exp(-sizes) / (1 + np.exp(-sizes)), rtol=1e-6)
        assert (gradient != 0).all()


@pytest.mark.slow
def test_loss_and_gradient_are_those_of_keras():
    keras, tf = load_keras()
    y, logits = np.array([0, 1, 0, 1, 0, 1], np.float32), np.array([-40, -40, 0.5, 0.5, 30, 30], np.float32)
    variable = tf.Variable(logits)
    with tf.GradientTape() as tape:
        losses = keras.ops.binary_crossentropy(y, variable.value(), from_logits=True)
    np.testing.assert_allclose(log_loss(y, logits), losses.numpy(), rtol=1e-6)
    np.testing.assert_allclose(log_loss_gradient(y, logits), tape.gradient(losses, variable).numpy(), rtol=1e-6)


def test_the_threshold_is_one_half_and_not_above_it():
    assert is_positive(np.array([0.4, 0.5, 0.6])).tolist() == [False, False, True]
    assert is_right(np.array([0, 0, 1]), np.array([0.4, 0.5, 0.6])).tolist() == [True, True, True]
    assert is_right(np.array([1, 1, 0]), np.array([0.4, 0.5, 0.6])).tolist() == [False, False, False]
    assert probability_of_label(np.array([0, 1]), np.array([0.25, 0.75])).tolist() == [0.75, 0.75]
