import tracemalloc

import pytest
from material import model_params, network_of
from networks import CELLS, assert_learns_as_reference, draw, learnt_by_engine, ragged, reviews_of

from imdb_rnn.engine.kernels.network import TILE
from imdb_rnn.engine.kernels.recurrence import ACCUMULATORS


@pytest.mark.parametrize("mask_padding", [True, False])
@pytest.mark.parametrize("cell", CELLS)
def test_gradients_of_more_tiles_than_accumulators_are_those_of_the_reference(cell, mask_padding):
    count = (ACCUMULATORS + 3) * TILE + 5
    network = network_of(model_params(cell=cell, layers=2, mask_padding=mask_padding), 20, maxlen=5)
    assert_learns_as_reference(network, reviews_of(20, count, 4))


def test_the_memory_of_gradients_does_not_grow_with_the_batch():
    """100 times as many reviews of one word: activations grow with the words, but the weights are far larger."""
    network, peaks = network_of(model_params(units=256, embedding_dim=16)), []
    for count in (ACCUMULATORS * TILE, 8 * ACCUMULATORS * TILE):
        ids = ragged(*([[1]] * count))
        tracemalloc.start()
        learnt_by_engine(network, ids, draw(network, count))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    of_gradients = ACCUMULATORS * 256 * 256 * 4
    activations = 7 * ACCUMULATORS * TILE * 256 * 4 * 4
    assert of_gradients < peaks[0]
    assert peaks[1] < peaks[0] + 1.5 * activations
