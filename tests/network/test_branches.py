import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from material import model_params, network_of
from networks import NETWORKS, ragged

from imdb_rnn.network import branches
from imdb_rnn.network.branches import Ngrams, Recurrent, dropout_mask
from imdb_rnn.network.keras_model import load_keras

pytestmark = pytest.mark.slow

BATCH = ragged([4, 5, 6, 7, 4], [8, 9, 4], [5, 5])


@pytest.mark.parametrize("kind", NETWORKS)
def test_the_logit_is_the_sum_of_the_branches_with_and_without_the_way_back(kind):
    parts = network_of(NETWORKS[kind]).branches()
    alone = np.array([branch.logits(weights, BATCH) for branch, weights in parts])
    logits, back = branches.logits_and_back(parts, BATCH, None)
    np.testing.assert_array_equal(branches.logits(parts, BATCH), alone.sum(axis=0))
    np.testing.assert_array_equal(logits, alone.sum(axis=0))
    gradients = back(np.ones(3, np.float32))
    assert [[array.shape for array in of_branch] for of_branch in gradients] == [
        [array.shape for array in weights] for _, weights in parts
    ]


def test_ngrams_add_the_products_of_prior_and_weight_of_what_a_review_has():
    branch = Ngrams(2, 10, np.array([4, 5, 45]), np.array([1, -2, 3], np.float32))
    weights = [np.array([0.5, 0.25, 2], np.float32)]
    logits, back = branch.logits_and_back(weights, ragged([4, 5, 4], [5, 5], [7]), None)
    assert logits.tolist() == [0.5 - 0.5 + 6, -0.5, 0]
    assert branch.logits(weights, ragged([7], [4])).tolist() == [0, 0.5]
    (gradient,) = back(np.array([1, 10, 100], np.float32))
    assert gradient.tolist() == [1, -2 * 11, 3]


@given(rate=st.sampled_from([0.3, 0.9]), seed=st.integers(0, 2**32 - 1))
def test_the_dropout_mask_hides_its_share_and_keeps_the_mean(rate, seed):
    mask = dropout_mask(np.random.default_rng(seed), (500, 200), rate)
    assert np.mean(mask == 0) == pytest.approx(rate, abs=0.01)
    assert mask.mean() == pytest.approx(1, abs=0.05)
    assert len(np.unique(mask)) == 2


def test_nothing_is_hidden_at_rate_zero_or_when_nothing_may_be_drawn():
    assert dropout_mask(np.random.default_rng(1), (5, 2), 0.0) == 1
    assert dropout_mask(None, (5, 2), 0.5) == 1


def test_what_is_hidden_is_hidden_on_the_way_back_too(monkeypatch):
    """Gradients with masks that are known, beside TensorFlow's derivatives of a network with the same masks."""
    keras, tf = load_keras()
    random = np.random.default_rng(1)
    params = model_params(embedding_dim=8, units=64, embedding_dropout=0.5, dropout=0.5)
    masks = {shape: random.integers(0, 2, shape).astype(np.float32) * 2 for shape in ((12, 1), (20, 64))}
    monkeypatch.setattr(branches, "dropout_mask", lambda _, shape, rate: masks[shape])
    x, dlogits = random.integers(1, 12, (20, 8), dtype=np.int32), random.normal(size=20).astype(np.float32)
    # As small as weights are before training, so that rounding is not blown up
    weights = [array * np.float32(0.2) for array in network_of(params, vocab_size=12).weights]
    logits, back = Recurrent(params).logits_and_back(weights, ragged(*x), random)

    vectors, *of_layer, kernel, bias = (tf.Variable(array) for array in weights)
    layer = keras.layers.SimpleRNN(64)
    layer.build((20, 8, 8))
    layer.set_weights([variable.numpy() for variable in of_layer])
    with tf.GradientTape() as tape:
        states = layer(tf.gather(vectors * masks[12, 1], x))
        expected = ((states * masks[20, 64]) @ kernel + bias)[:, 0]
        product = tf.reduce_sum(expected * dlogits)
    np.testing.assert_allclose(logits, expected.numpy(), atol=1e-6)
    gradients = tape.gradient(
        product, [vectors, *(variable.value for variable in layer.trainable_variables), kernel, bias]
    )
    for gradient, other in zip(back(dlogits), gradients, strict=True):
        np.testing.assert_allclose(gradient, tf.convert_to_tensor(other).numpy(), atol=1e-6)
