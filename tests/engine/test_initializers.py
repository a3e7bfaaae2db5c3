import hashlib

import numpy as np
import pytest
from material import model_params
from networks import CELLS, NETWORKS, VOCAB_SIZE, arrays_of

from imdb_rnn.engine.initializers import initial_weights
from imdb_rnn.engine.kernels.cells import CELLS as CELLS_BY_NAME
from imdb_rnn.engine.layout import Layout
from imdb_rnn.engine.weights import Weights, named


def first(**values) -> Weights:
    return initial_weights(model_params(**values), VOCAB_SIZE, seed=3)


@pytest.mark.parametrize("kind", NETWORKS)
def test_the_initial_weights_are_those_of_a_network_without_ngrams(kind):
    params = NETWORKS[kind]
    shapes = {name: (block.shape, np.float32) for name, block in Layout(params, VOCAB_SIZE, 0).blocks.items()}
    arrays = named(initial_weights(params, VOCAB_SIZE, seed=3))
    assert {name: (array.shape, array.dtype) for name, array in arrays.items()} == shapes
    assert list(arrays) == list(shapes)


@pytest.mark.parametrize("cell", CELLS)
def test_the_initial_weights_have_the_distributions_that_keras_draws_from(cell):
    """Uniform vectors and kernels, orthogonal recurrent kernels, and biases of 0, or of 1 for what an LSTM forgets."""
    units, gates = 40, CELLS_BY_NAME[cell].num_gates
    weights = first(cell=cell, units=units, embedding_dim=60, layers=2, bidirectional=True)

    def assert_uniform(array: np.ndarray, bound: float) -> None:
        assert bound * 0.95 < np.abs(array).max() <= bound
        assert array.mean() == pytest.approx(0, abs=5 * bound / np.sqrt(3 * array.size))
        assert array.var() == pytest.approx(bound**2 / 3, rel=5 * np.sqrt(0.8 / array.size))

    assert_uniform(weights.embeddings, 0.05)
    assert_uniform(weights.head_kernel, np.sqrt(6 / (2 * units + 1)))
    assert weights.head_bias.tolist() == [0]
    for kernel, recurrent, bias in (direction for layer in weights.layers for direction in layer):
        assert_uniform(kernel, np.sqrt(6 / sum(kernel.shape)))
        np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(units), atol=1e-6)
        expected = np.zeros(bias.shape)
        if cell == "lstm":
            expected[units : 2 * units] = 1
        np.testing.assert_array_equal(bias, expected)
        assert recurrent.shape == (units, gates * units)
    drawn = [array for array in arrays_of(weights) if array.any() and len(np.unique(array)) > 2]
    assert len({tuple(array.ravel()[:3]) for array in drawn}) == len(drawn) == 10


def test_the_directions_of_an_orthogonal_matrix_are_all_as_likely():
    """Its rows are points of a sphere, of which second and fourth moments are known."""
    params = model_params(cell="lstm", units=1, embedding_dim=1)
    rows = np.concatenate(
        [initial_weights(params, 1, seed).layers[0][0].recurrent_kernel for seed in range(1000)]
    ).astype(np.float64)
    np.testing.assert_allclose(rows.mean(axis=0), 0, atol=0.05)
    np.testing.assert_allclose(rows.T @ rows / len(rows), np.eye(4) / 4, atol=0.03)
    np.testing.assert_allclose((rows**4).mean(axis=0), 3 / (4 * 6), atol=0.02)


def test_seeds_differ_and_one_gives_the_same_for_ever():
    """Another fingerprint here means that no earlier network can be trained again."""
    digest = hashlib.sha256()
    for params in NETWORKS.values():
        for array in arrays_of(initial_weights(params, VOCAB_SIZE, seed=3)):
            digest.update(array.tobytes())
    assert digest.hexdigest()[:16] == "218ffc14f9bf7865"
    again = initial_weights(model_params(), VOCAB_SIZE, seed=4)
    for one, other in zip(arrays_of(first()), arrays_of(again), strict=True):
        assert not one.any() or (one != other).any()
