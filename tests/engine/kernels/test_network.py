import numpy as np
import pytest
from material import model_params
from networks import CELLS

from imdb_rnn.engine.engine import Engine
from imdb_rnn.engine.kernels.compiled import compiled
from imdb_rnn.engine.kernels.network import TILE, activations_offset, as_pointers, direction_of, workspace_size
from imdb_rnn.engine.layout import Layout


@compiled
def _offsets(dims, steps, offsets):
    for layer in range(dims.num_layers + 1):
        for direction in range(dims.num_directions):
            offsets[layer, direction] = activations_offset(dims, steps, layer, direction)


@pytest.mark.parametrize("cell", CELLS)
def test_the_activations_of_a_tile_follow_each_other(cell):
    dims, steps = Engine(Layout(model_params(cell=cell, layers=2, bidirectional=True), 9, 0)).dims, 5
    offsets = np.empty((3, 2), np.int64)
    _offsets(dims, steps, offsets)
    states = TILE * dims.units * ((steps + 1) * (1 + dims.has_cell_state) + steps * dims.num_blocks)
    assert offsets.ravel()[:5].tolist() == [states * number for number in range(5)]
    assert workspace_size(dims, steps, 1) == offsets[2, 0] + 2 * steps * TILE * dims.units


@compiled
def _biases(rnn, layer, direction, bias):
    weights = direction_of(as_pointers(rnn), as_pointers(rnn).weights, layer, direction)
    for j in range(len(bias)):
        bias[j] = weights.bias[j]


@pytest.mark.parametrize("cell", CELLS)
def test_compiled_functions_find_the_weights_of_each_direction(cell):
    engine = Engine(Layout(model_params(cell=cell, layers=2, bidirectional=True, units=16), 9, 0))
    flat = np.arange(engine.layout.size, dtype=np.float32)
    weights = engine.layout.split(flat)
    for layer, directions in enumerate(weights.layers):
        for direction, expected in enumerate(directions):
            bias = np.empty(expected.bias.size, np.float32)
            _biases(engine.rnn(flat), layer, direction, bias)
            np.testing.assert_array_equal(bias, expected.bias.ravel())
