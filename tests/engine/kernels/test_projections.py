import numpy as np
import pytest
from material import model_params, network_of
from networks import CELLS, assert_learns_as_reference, draw, learnt_by_engine, ragged

from imdb_rnn.engine.kernels.projections import ACCUMULATORS, CHUNK, GROUP, projection_sizes


@pytest.mark.parametrize("word_dropout", [0, 0.5])
@pytest.mark.parametrize("cell", CELLS)
def test_gradients_of_more_words_than_a_thread_takes_at_once_are_those_of_the_reference(cell, word_dropout):
    """In number no multiple of anything."""
    vocab_size = 2 * CHUNK + GROUP + 7
    words = np.random.default_rng(1).permutation(np.arange(1, vocab_size))
    ids = ragged(*(words[i : i + 40] for i in range(0, len(words), 40)))
    params = model_params(cell=cell, bidirectional=True, units=16, embedding_dim=16, word_dropout=word_dropout)
    assert_learns_as_reference(network_of(params, vocab_size), ids)


def test_gradients_take_no_more_memory_for_more_words(monkeypatch):
    """And are the same but for rounding, if chunks share an accumulator."""
    network, ids = network_of(model_params(), vocab_size=2 * CHUNK + 9), ragged(np.arange(1, 2 * CHUNK + 9))
    several, *_ = learnt_by_engine(network, ids, draw(network, 1))
    dims = several.dims
    assert projection_sizes(dims, 10 * ACCUMULATORS * CHUNK)[2] == projection_sizes(dims, ACCUMULATORS * CHUNK)[2]
    assert projection_sizes(dims, ACCUMULATORS * CHUNK)[2] == ACCUMULATORS * projection_sizes(dims, CHUNK)[2]
