from dataclasses import replace

import numpy as np
import pytest
from material import model_params, network_of
from networks import CELLS, assert_close, changed, draw, learnt_by_engine, learnt_by_reference, ragged

from imdb_rnn.engine.initializers import initial_weights


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
