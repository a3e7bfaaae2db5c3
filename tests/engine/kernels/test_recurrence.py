from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from material import model_params, network_of
from networks import (
    ALL_AT_ONCE,
    CELLS,
    VOCAB_SIZE,
    assert_close,
    changed,
    draw,
    learnt_by_engine,
    learnt_by_reference,
    ragged,
)

from imdb_rnn.engine.weights import initial_weights

POOLINGS = ("last", "max", "mean", "max+mean")


def test_gradients_of_long_reviews_are_those_of_the_reference():
    """A batch of the article's size: reviews of up to 500 words, and a network of 32 units."""
    random = np.random.default_rng(3)
    network = network_of(model_params(embedding_dim=32, units=32), vocab_size=1000)
    weights = initial_weights(network.params, 1000, seed=1)
    network = replace(network, weights=weights._replace(embeddings=10 * weights.embeddings))
    ids = ragged(*(random.integers(1, 1000, length) for length in random.integers(10, 501, 40)))
    drawn = draw(network, len(ids))
    engine, logits, _, _ = learnt_by_engine(network, ids, drawn)
    expected_logits, expected = learnt_by_reference(network, ids, drawn)
    np.testing.assert_allclose(logits, expected_logits, atol=1e-5)
    assert_close(engine.layout.split(engine.gradient), expected)


@pytest.mark.parametrize("cell", CELLS)
@given(
    texts=st.lists(st.lists(st.integers(1, VOCAB_SIZE - 1), max_size=9), min_size=2, max_size=40),
    chosen=st.integers(0, 39),
)
def test_what_is_said_of_a_review_is_the_same_to_the_bit_in_whatever_company(cell, texts, chosen):
    network = network_of(model_params(**ALL_AT_ONCE | {"cell": cell, "layers": 2, "ngrams": 0}))
    alone = ragged(texts[chosen % len(texts)])
    assert network.logits(ragged(*texts))[chosen % len(texts)] == network.logits(alone)[0]


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("cell", CELLS)
def test_what_is_not_a_number_stays_visible(cell, pooling):
    network = network_of(model_params(cell=cell, pooling=pooling, layers=2, bidirectional=True))
    network.weights.embeddings[3] = np.nan
    logits = network.logits(ragged([1, 3, 2], [1, 2, 1], [], [3]))
    assert np.isnan(logits).tolist() == [True, False, False, True]


@pytest.mark.parametrize("cell", CELLS)
def test_a_gradient_that_has_vanished_is_zero(cell):
    """Not one of the tiny numbers that make every operation slow."""
    network = network_of(model_params(cell=cell), vocab_size=400)
    network = replace(network, weights=changed(network.weights, lambda array: array * np.float32(0.3)))
    engine, *_ = learnt_by_engine(network, ragged(np.arange(1, 400)), draw(network, 1))
    lengths = np.abs(engine.layout.split(engine.gradient).embeddings[1:]).max(axis=1)
    assert lengths[0] == 0 < lengths[-1]
    vanished = int(np.argmax(lengths > 0))
    assert lengths[vanished:].all()
    assert not lengths[:vanished].any()
    gradient = np.abs(engine.gradient)
    assert not ((gradient > 0) & (gradient < np.finfo(np.float32).tiny)).any()


def test_the_first_of_the_highest_states_gets_the_gradient_of_the_maximum():
    """A network without memory, for which a word is as high at each place."""
    network = network_of(model_params(pooling="max"))
    network.weights.layers[0][0].recurrent_kernel[:] = 0
    norms = network.gradient_norms(ragged([7, 7, 7], [7]))
    assert norms[0].tolist() == [norms[1][0], 0, 0]
    assert norms[1][0] > 0
