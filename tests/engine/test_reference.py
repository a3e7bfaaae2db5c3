"""The reference against numerical derivatives, and against Keras."""

from pathlib import Path

import numpy as np
import pytest
from material import model_params, needs_tensorflow, network_of
from networks import (
    CELLS,
    NETWORKS,
    assert_close,
    changed,
    draw,
    learnt_by_keras,
    learnt_by_reference,
    reviews_of,
    with_small_kernels,
)

from imdb_rnn.engine import reference
from imdb_rnn.engine.reference import Review
from imdb_rnn.engine.weights import Weights, named
from imdb_rnn.keras_model import load_keras

MAX_LINES = 200  # so that it can be read in one sitting
REVIEWS = [
    Review(np.array([1, 2, 1]), 1, weight=0.5),
    Review(np.array([3]), 0, feature_mask=2),
    Review(np.array([4, 2, 5, 1]), 1, word_mask=np.array([[2], [0], [2], [0.5]])),
    Review(np.array([], int), 0),
]


def weights_of(dtype: type, classes: int = 2, **values) -> Weights:
    network = network_of(model_params(**values), vocab_size=6, classes=classes)
    return changed(network.weights, lambda array: array.astype(dtype))


@pytest.mark.parametrize(("pooling", "classes"), [("last", 2), ("max", 3), ("mean", 5), ("max+mean", 2)])
@pytest.mark.parametrize("cell", CELLS)
def test_gradients_are_the_derivatives_of_the_loss(cell, pooling, classes):
    """Along a random direction for each array, by central differences."""
    weights = weights_of(np.float64, classes, cell=cell, layers=2, bidirectional=True, pooling=pooling)
    _, gradients = reference.loss_and_gradients(weights, REVIEWS, cell, pooling)
    for number, (name, array) in enumerate(named(weights).items()):
        here, along, losses = array.copy(), np.random.default_rng(number).normal(size=array.shape), []
        for side in (-1e-6, 1e-6):
            array[...] = here + side * along
            losses.append(reference.loss_and_gradients(weights, REVIEWS, cell, pooling)[0])
        array[...] = here
        expected = (losses[1] - losses[0]) / 2e-6
        assert (named(gradients)[name] * along).sum() == pytest.approx(expected, rel=1e-6, abs=1e-9), name


@pytest.mark.parametrize("cell", CELLS)
def test_everything_is_computed_in_the_type_of_the_weights(cell):
    options = cell, "max+mean"
    exact, rounded = (weights_of(dtype, cell=cell, pooling=options[1]) for dtype in (np.float64, np.float32))
    loss, gradients = reference.loss_and_gradients(rounded, REVIEWS[:2], *options)
    expected_loss, expected = reference.loss_and_gradients(exact, REVIEWS[:2], *options)
    assert reference.forward(rounded, REVIEWS[0], *options)[0].dtype == loss.dtype == np.float32
    assert all(array.dtype == np.float32 for array in named(gradients).values())
    assert loss == pytest.approx(expected_loss, rel=1e-5)
    assert_close(gradients, expected)


def test_it_is_short():
    assert len(Path(reference.__file__).read_text(encoding="utf-8").splitlines()) <= MAX_LINES


@pytest.mark.slow
@pytest.mark.xdist_group("keras")
@pytest.mark.parametrize(
    ("kind", "classes"), [*((kind, 2) for kind in NETWORKS if kind != "pairs"), ("gru", 3), ("everything", 5)]
)
@needs_tensorflow
def test_logits_and_gradients_are_those_of_keras(kind, classes):
    network, ids = with_small_kernels(network_of(NETWORKS[kind], classes=classes)), reviews_of(20, 20, 9)
    drawn = draw(network, len(ids))
    (logits, gradients), (expected_logits, expected) = (
        learnt(network, ids, drawn) for learnt in (learnt_by_reference, learnt_by_keras)
    )
    np.testing.assert_allclose(logits, expected_logits, atol=1e-5)
    assert_close(gradients, expected)


@pytest.mark.slow
@pytest.mark.xdist_group("keras")
@needs_tensorflow
def test_steps_of_adam_are_those_of_keras():
    keras = load_keras()
    import tensorflow as tf

    random = np.random.default_rng(1)
    weights = {"a": random.normal(size=(3, 4)), "b": random.normal(size=5)}
    m, v = ({name: np.zeros_like(array) for name, array in weights.items()} for _ in range(2))
    variables = [keras.Variable(array) for array in weights.values()]
    adam = keras.optimizers.Adam(0.01, global_clipnorm=2.0)
    for t in range(1, 6):
        gradients = {name: random.normal(0, t / 5, array.shape) for name, array in weights.items()}
        reference.adam_step(weights, gradients, m, v, t, learning_rate=0.01, clipnorm=2.0)
        adam.apply([tf.constant(gradient, tf.float32) for gradient in gradients.values()], variables)
        for variable, array in zip(variables, weights.values(), strict=True):
            np.testing.assert_allclose(variable.numpy(), array, atol=1e-6)


def test_the_first_step_of_adam_changes_every_weight_by_the_learning_rate():
    weights, m, v = {"a": np.array([1.0, 2.0])}, {"a": np.zeros(2)}, {"a": np.zeros(2)}
    gradients = {"a": np.array([30.0, -40.0]), "frozen": np.ones(3)}
    reference.adam_step(weights, gradients, m, v, 1, learning_rate=0.1, clipnorm=5)
    np.testing.assert_allclose(weights["a"], [0.9, 2.1], rtol=1e-6)
    np.testing.assert_allclose(m["a"], [0.3, -0.4])  # a tenth of the gradient, whose norm was clipped from 50 to 5
