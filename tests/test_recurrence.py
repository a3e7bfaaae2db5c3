import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.batches import Words, longest_first, unpad
from stages.network import keras, tf
from stages.recurrence import CELLS, last_states, last_states_and_gradients

VOCABULARY, DIM, UNITS = 30, 6, 7
LAYERS = {"simple_rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}


def weights(cell: str, seed: int) -> list[np.ndarray]:
    """Embeddings, kernel, recurrent kernel and bias, none of them zero, of the shapes that Keras gives them."""
    random = np.random.default_rng(seed)
    layer = LAYERS[cell](UNITS)
    layer.build((None, None, DIM))
    shapes = [(VOCABULARY, DIM), *(weight.shape for weight in layer.get_weights())]
    values = [random.normal(0, 0.5, shape).astype(np.float32) for shape in shapes]
    values[2] *= 0.6  # a larger recurrent kernel is chaotic: it would blow rounding up
    return values


def padded(lengths: list[int], seed: int) -> np.ndarray:
    """Reviews of these lengths, padded in front to one word more than the longest has."""
    random = np.random.default_rng(seed)
    x = np.zeros((len(lengths), max(lengths) + 1), np.int32)
    for row, length in zip(x, lengths, strict=True):
        row[len(row) - length :] = random.integers(1, VOCABULARY, length)
    return x


def ours(cell: str, values: list[np.ndarray], x: np.ndarray, dlast: np.ndarray, mask_padding: bool):
    """Last states, and the gradients of their product with `dlast` by the four weights, in Keras' shapes."""
    embeddings, kernel, recurrent, bias = values
    bias, recurrent_bias = bias if cell == "gru" else (bias, np.zeros(0, np.float32))
    batch, rows = longest_first(unpad(x, mask_padding), np.arange(len(x)))
    sorted_last, gradients = last_states_and_gradients(
        cell, embeddings @ kernel + bias, recurrent, recurrent_bias, batch
    )
    dtable, drecurrent, drecurrent_bias = gradients(dlast[rows])
    last = np.empty_like(sorted_last)
    last[rows] = sorted_last
    dbias = dtable.sum(axis=0)
    return last, [
        dtable @ kernel.T,
        embeddings.T @ dtable,
        drecurrent,
        np.stack([dbias, drecurrent_bias]) if cell == "gru" else dbias,
    ]


def keras_own(cell: str, values: list[np.ndarray], x: np.ndarray, dlast: np.ndarray, mask_padding: bool):
    layer = LAYERS[cell](UNITS)
    layer.build((None, None, DIM))
    layer.set_weights(values[1:])
    embeddings = tf.Variable(values[0])
    with tf.GradientTape() as tape:
        last = layer(tf.gather(embeddings, x), mask=tf.constant(x != 0) if mask_padding else None)
        product = tf.reduce_sum(last * dlast)
    gradients = tape.gradient(product, [embeddings, *layer.trainable_variables])
    return last.numpy(), [tf.convert_to_tensor(gradient).numpy() for gradient in gradients]


@pytest.mark.parametrize("mask_padding", [True, False])
@pytest.mark.parametrize("cell", CELLS)
@settings(max_examples=12, deadline=None)
@given(lengths=st.lists(st.integers(0, 25), min_size=1, max_size=9), seed=st.integers(0, 2**32 - 1))
def test_states_and_gradients_are_those_of_the_keras_layer(cell, mask_padding, lengths, seed):
    values, x = weights(cell, seed), padded(lengths, seed)
    dlast = np.random.default_rng(seed).normal(size=(len(x), UNITS)).astype(np.float32)
    last, gradients = ours(cell, values, x, dlast, mask_padding)
    expected, expected_gradients = keras_own(cell, values, x, dlast, mask_padding)
    np.testing.assert_allclose(last, expected, atol=1e-5)
    for gradient, other in zip(gradients, expected_gradients, strict=True):
        assert gradient.shape == other.shape
        np.testing.assert_allclose(gradient, other, atol=1e-5 * max(1, np.abs(other).max()))


@pytest.mark.parametrize("cell", CELLS)
def test_at_the_size_of_the_article_too(cell):
    """A batch of the article: 128 reviews of up to 500 words."""
    random = np.random.default_rng(3)
    x = padded(random.integers(10, 500, 128).tolist(), 3)
    values = weights(cell, 3)
    dlast = random.normal(size=(len(x), UNITS)).astype(np.float32) / len(x)
    last, gradients = ours(cell, values, x, dlast, True)
    expected, expected_gradients = keras_own(cell, values, x, dlast, True)
    np.testing.assert_allclose(last, expected, atol=1e-5)
    for gradient, other in zip(gradients, expected_gradients, strict=True):
        np.testing.assert_allclose(gradient, other, atol=1e-5 * max(1, np.abs(other).max()))


@pytest.mark.parametrize("cell", CELLS)
def test_a_review_without_words_keeps_the_state_it_starts_with(cell):
    embeddings, kernel, recurrent, bias = weights(cell, 1)
    bias, recurrent_bias = bias if cell == "gru" else (bias, np.zeros(0, np.float32))
    batch = Words(np.zeros(0, np.int32), np.zeros(3, np.int64), np.zeros(3, np.int64))
    states = last_states(cell, embeddings @ kernel + bias, recurrent, recurrent_bias, batch)
    np.testing.assert_array_equal(states, np.zeros((3, UNITS)))


@pytest.mark.parametrize("cell", CELLS)
def test_what_is_not_a_number_stays_visible(cell):
    embeddings, kernel, recurrent, bias = weights(cell, 1)
    bias, recurrent_bias = bias if cell == "gru" else (bias, np.zeros(0, np.float32))
    table = embeddings @ kernel + bias
    table[3] = np.nan
    batch = Words(np.array([1, 3, 2, 1, 2, 1], np.int32), np.array([0, 3]), np.array([3, 3]))
    states = last_states(cell, table, recurrent, recurrent_bias, batch)
    assert np.isnan(states[0]).all()
    assert np.isfinite(states[1]).all()
