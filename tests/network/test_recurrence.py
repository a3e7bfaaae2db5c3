import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.batches import Words, longest_first, unpad
from stages.network import CELLS, keras, tf
from stages.recurrence import Weights, pooled_states, pooled_states_and_gradients

VOCABULARY, DIM, UNITS = 30, 6, 7
POOLINGS = ("last", "max", "mean", "max+mean")
LAYERS = {"simple_rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}


def weights(cell: str, seed: int, layers: int = 1, ways: int = 1) -> tuple[np.ndarray, list[list[Weights]]]:
    """Word vectors, and weights of each layer and direction, none of them zero, of the shapes that Keras gives them."""
    random = np.random.default_rng(seed)

    def direction(inputs: int) -> Weights:
        layer = LAYERS[cell](UNITS)
        layer.build((None, None, inputs))
        values = [random.normal(0, 0.5, weight.shape).astype(np.float32) for weight in layer.get_weights()]
        values[1] *= 0.6  # a larger recurrent kernel is chaotic: it would blow rounding up
        return Weights(*values)

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
    """Pooled states, and the gradients of their product with `dpooled` by vectors and weights, as a flat list."""
    batch, rows = longest_first(unpad(x, mask_padding), np.arange(len(x)))
    kind = CELLS[cell].recurrence
    in_order, gradients = pooled_states_and_gradients(kind, vectors, layers, pooling, batch)
    np.testing.assert_array_equal(pooled_states(kind, vectors, layers, pooling, batch), in_order)
    dvectors, dlayers = gradients(dpooled[rows])
    pooled = np.empty_like(in_order)
    pooled[rows] = in_order
    return pooled, [dvectors, *(array for layer in dlayers for direction in layer for array in direction)]


def keras_own(cell, vectors, layers, pooling, x, dpooled, mask_padding):
    """The same by Keras' layers and TensorFlow's automatic derivatives."""
    embeddings = tf.Variable(vectors)
    stack = []
    for number, layer in enumerate(layers):
        whole = number < len(layers) - 1 or pooling != "last"
        made = LAYERS[cell](UNITS, return_sequences=whole)
        stack.append(keras.layers.Bidirectional(made) if len(layer) == 2 else made)
        stack[-1].build((len(x), x.shape[1], layer[0].kernel.shape[0]))
        stack[-1].set_weights([array for direction in layer for array in direction])
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
    variables = [embeddings, *(variable for layer in stack for variable in layer.trainable_variables)]
    return states.numpy(), [tf.convert_to_tensor(d).numpy() for d in tape.gradient(product, variables)]


def features(ways: int, pooling: str) -> int:
    return ways * UNITS * len(pooling.split("+"))


def assert_same(one: tuple, other: tuple) -> None:
    (pooled, gradients), (expected, expected_gradients) = one, other
    np.testing.assert_allclose(pooled, expected, atol=1e-5)
    for gradient, other_gradient in zip(gradients, expected_gradients, strict=True):
        assert gradient.shape == other_gradient.shape
        np.testing.assert_allclose(gradient, other_gradient, atol=1e-5 * max(1, np.abs(other_gradient).max()))


@pytest.mark.parametrize("mask_padding", [True, False])
@pytest.mark.parametrize("cell", LAYERS)
@settings(max_examples=12, deadline=None)
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


@pytest.mark.parametrize("cell", LAYERS)
def test_at_the_size_of_the_article_too(cell):
    """A batch of the article: 128 reviews of up to 500 words."""
    random = np.random.default_rng(3)
    case = cell, *weights(cell, 3), "last", padded(random.integers(10, 500, 128).tolist(), 3)
    dpooled = random.normal(size=(128, UNITS)).astype(np.float32) / 128
    assert_same(ours(*case, dpooled, True), keras_own(*case, dpooled, True))


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("cell", LAYERS)
def test_a_review_without_words_gives_zeros(cell, pooling):
    batch = Words(np.zeros(0, np.int32), np.zeros(3, np.int64), np.zeros(3, np.int64))
    kind, (vectors, layers) = CELLS[cell].recurrence, weights(cell, 1, layers=2, ways=2)
    pooled, gradients = pooled_states_and_gradients(kind, vectors, layers, pooling, batch)
    np.testing.assert_array_equal(pooled, np.zeros((3, features(2, pooling))))
    dvectors, dlayers = gradients(np.ones_like(pooled))
    assert not dvectors.any()
    assert not any(array.any() for layer in dlayers for direction in layer for array in direction)


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("cell", LAYERS)
def test_what_is_not_a_number_stays_visible(cell, pooling):
    vectors, layers = weights(cell, 1)
    vectors[3] = np.nan
    batch = Words(np.array([1, 3, 2, 1, 2, 1], np.int32), np.array([0, 3]), np.array([3, 3]))
    pooled = pooled_states(CELLS[cell].recurrence, vectors, layers, pooling, batch)
    assert np.isnan(pooled[0]).all()
    assert np.isfinite(pooled[1]).all()
