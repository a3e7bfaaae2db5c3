import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from material import ROOT
from networks import CELLS, ragged

from imdb_rnn.network.cells import cell_named
from imdb_rnn.network.keras_model import load_keras
from imdb_rnn.network.model import single_threaded_blas
from imdb_rnn.network.recurrence import Direction, pooled_states, pooled_states_and_back
from imdb_rnn.reviews.encode import unpad
from imdb_rnn.reviews.ragged import from_lengths
from imdb_rnn.training.batches import longest_first

pytestmark = pytest.mark.slow

VOCABULARY, DIM, UNITS = 30, 6, 7
POOLINGS = ("last", "max", "mean", "max+mean")


def weights(cell: str, seed: int, layers: int = 1, ways: int = 1) -> tuple[np.ndarray, list[list[Direction]]]:
    """Word vectors, and weights of each layer and direction, none of them zero."""
    random = np.random.default_rng(seed)
    columns, recurrent_bias = cell_named(cell).gates * UNITS, cell_named(cell).recurrent_bias

    def direction(inputs: int) -> Direction:
        shapes = (inputs, columns), (UNITS, columns), (2, columns) if recurrent_bias else (columns,)
        values = [random.normal(0, 0.5, shape).astype(np.float32) for shape in shapes]
        values[1] *= 0.6  # a larger recurrent kernel is chaotic: it would blow rounding up
        return Direction(*values)

    vectors = random.normal(0, 0.5, (VOCABULARY, DIM)).astype(np.float32)
    return vectors, [[direction(ways * UNITS if number else DIM) for _ in range(ways)] for number in range(layers)]


def padded(lengths: list[int], seed: int) -> np.ndarray:
    """Reviews of these lengths, padded in front to one word more than the longest has."""
    random = np.random.default_rng(seed)
    x = np.zeros((len(lengths), max(lengths) + 1), np.int32)
    for row, length in zip(x, lengths, strict=True):
        row[len(row) - length :] = random.integers(1, VOCABULARY, length)
    return x


def ours(cell, vectors, layers, pooling, x, dpooled, mask_padding):
    """Pooled states; and the gradients of their product with `dpooled`, of vectors and then of weights, as a list."""
    ids = unpad(x) if mask_padding else from_lengths(x.ravel(), np.full(len(x), x.shape[1]))
    batch, rows = longest_first(ids, np.arange(len(x)))
    arguments = cell_named(cell), vectors, layers, pooling, batch
    with single_threaded_blas():  # as whoever calls it does: more threads might add up in another order
        in_order, back = pooled_states_and_back(*arguments)
        np.testing.assert_array_equal(pooled_states(*arguments), in_order)
        dvectors, dlayers = back(dpooled[rows])
    pooled = np.empty_like(in_order)
    pooled[rows] = in_order
    return pooled, [dvectors, *(array for layer in dlayers for direction in layer for array in direction)]


def keras_own(cell, vectors, layers, pooling, x, dpooled, mask_padding):
    """The same by Keras' layers and TensorFlow's automatic derivatives."""
    keras, tf = load_keras()
    embeddings = tf.Variable(vectors)
    stack = []
    for number, layer in enumerate(layers):
        whole = number < len(layers) - 1 or pooling != "last"
        made = getattr(keras.layers, cell_named(cell).layer)(UNITS, return_sequences=whole)
        stack.append(keras.layers.Bidirectional(made) if len(layer) == 2 else made)
        stack[-1].build((len(x), x.shape[1], layer[0].kernel.shape[0]))
        stack[-1].set_weights([array for direction in layer for array in direction])
    variables = [embeddings, *(variable for layer in stack for variable in layer.trainable_variables)]

    @tf.function
    def pooled_and_gradients() -> tuple:
        mask = tf.constant(x != 0) if mask_padding else None
        with tf.GradientTape() as tape:
            states = tf.gather(embeddings, x)
            for layer in stack:
                states = layer(states, mask=mask)
            if pooling != "last":
                counted = tf.cast(tf.ones(x.shape) if mask is None else mask, tf.float32)[:, :, None]
                words = tf.reduce_sum(counted, axis=1)
                highest = tf.reduce_max(tf.where(counted > 0, states, -2.0), axis=1)
                highest = tf.where(words > 0, highest, 0.0)
                mean = tf.reduce_sum(states * counted, axis=1) / tf.maximum(words, 1.0)
                parts = {"max": highest, "mean": mean}
                states = tf.concat([parts[name] for name in pooling.split("+")], axis=1)
            product = tf.reduce_sum(states * dpooled)
        return states, [tf.convert_to_tensor(gradient) for gradient in tape.gradient(product, variables)]

    pooled, gradients = pooled_and_gradients()
    return pooled.numpy(), [gradient.numpy() for gradient in gradients]


def features(ways: int, pooling: str) -> int:
    return ways * UNITS * len(pooling.split("+"))


def assert_same(one: tuple, other: tuple) -> None:
    (pooled, gradients), (expected, expected_gradients) = one, other
    np.testing.assert_allclose(pooled, expected, atol=1e-5)
    for gradient, other_gradient in zip(gradients, expected_gradients, strict=True):
        assert gradient.shape == other_gradient.shape
        np.testing.assert_allclose(gradient, other_gradient, atol=1e-5 * max(1, np.abs(other_gradient).max()))


@pytest.mark.parametrize("mask_padding", [True, False])
@pytest.mark.parametrize("cell", CELLS)
@settings(max_examples=8)
@given(
    lengths=st.lists(st.integers(0, 25), min_size=1, max_size=9),
    layers=st.integers(1, 3),
    ways=st.integers(1, 2),
    pooling=st.sampled_from(POOLINGS),
    seed=st.integers(0, 2**32 - 1),
)
def test_states_and_gradients_are_those_of_the_keras_layers(cell, mask_padding, lengths, layers, ways, pooling, seed):
    case = cell, *weights(cell, seed, layers, ways), pooling, padded(lengths, seed)
    dpooled = np.random.default_rng(seed).normal(size=(len(lengths), features(ways, pooling))).astype(np.float32)
    assert_same(ours(*case, dpooled, mask_padding), keras_own(*case, dpooled, mask_padding))


@pytest.mark.parametrize("cell", CELLS)
def test_at_the_size_of_the_article_too(cell):
    """A batch of the article: 128 reviews of up to 500 words."""
    random = np.random.default_rng(3)
    case = cell, *weights(cell, 3), "last", padded(random.integers(10, 500, 128).tolist(), 3)
    dpooled = random.normal(size=(128, UNITS)).astype(np.float32) / 128
    assert_same(ours(*case, dpooled, True), keras_own(*case, dpooled, True))


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("cell", CELLS)
def test_a_review_without_words_gives_zeros(cell, pooling):
    vectors, layers = weights(cell, 1, layers=2, ways=2)
    pooled, back = pooled_states_and_back(cell_named(cell), vectors, layers, pooling, ragged([], [], []))
    np.testing.assert_array_equal(pooled, np.zeros((3, features(2, pooling))))
    dvectors, dlayers = back(np.ones_like(pooled))
    assert not dvectors.any()
    assert not any(array.any() for layer in dlayers for direction in layer for array in direction)


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("cell", CELLS)
def test_what_is_not_a_number_stays_visible(cell, pooling):
    vectors, layers = weights(cell, 1)
    vectors[3] = np.nan
    pooled = pooled_states(cell_named(cell), vectors, layers, pooling, ragged([1, 3, 2], [1, 2, 1]))
    assert np.isnan(pooled[0]).all()
    assert np.isfinite(pooled[1]).all()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_after_a_fork_both_processes_read_on():
    """Threads do not survive a fork, so a child that took over its parent's would wait for them for ever."""
    script = """if True:
        import os, sys
        from networks import ragged
        from material import model_params, network_of
        network, ids = network_of(model_params()), ragged([1, 5, 6], [1, 7])
        before = network.predict_proba(ids).tolist()
        child = os.fork()
        if child == 0:
            os._exit(network.predict_proba(ids).tolist() != before)
        same = network.predict_proba(ids).tolist() == before
        sys.exit(not same or os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    # In a process group of its own, so that a child that hangs is ended with it
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", script],
        env=os.environ | {"PYTHONPATH": path},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.communicate(timeout=60)[1] == ""
        assert process.returncode == 0
    finally:
        if process.poll() is None:
            os.killpg(process.pid, 9)
            process.communicate()
