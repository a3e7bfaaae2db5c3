"""The weights before training, from the distributions that Keras draws from."""

from typing import Any

import numpy as np

from imdb_rnn.engine.kernels.arithmetic import log
from imdb_rnn.engine.kernels.cells import CELLS
from imdb_rnn.engine.layout import Layout
from imdb_rnn.engine.rng import Stream, uniform
from imdb_rnn.engine.weights import Weights, from_named


def initial_weights(params: Any, vocab_size: int, seed: int, num_logits: int = 1) -> Weights:
    """The weights before training, without n-grams, from the distributions that Keras draws from.

    Embeddings are uniform, kernels uniform as by Glorot and Bengio (Understanding the Difficulty of Training Deep
    Feedforward Neural Networks, 2010), recurrent kernels random orthogonal matrices; biases are 0, or 1 for the gates
    that the cell names.
    """
    weights = {}
    for number, (name, block) in enumerate(Layout(params, vocab_size, 0, num_logits).blocks.items()):
        shape, key = block.shape, (seed, Stream.INITIAL, number)
        if name == "embeddings":
            values = 0.05 * (2 * uniform(shape[0] * shape[1], *key) - 1)
        elif name.endswith(".recurrent_kernel"):
            values = _orthogonal(shape[0], shape[1], key)
        elif name.endswith(".kernel"):
            values = np.sqrt(6 / (shape[0] + shape[1])) * (2 * uniform(shape[0] * shape[1], *key) - 1)
        else:
            values = np.zeros(shape)
            for gate in CELLS[params.cell].forget_gates if name.startswith("layers.") else ():
                values[..., gate * params.units : (gate + 1) * params.units] = 1
        weights[name] = values.reshape(shape).astype(np.float32)
    return from_named(weights)


def _orthogonal(rows: int, columns: int, key: tuple[int, ...]) -> np.ndarray:
    """A random matrix with orthonormal rows, uniformly distributed: float64 (rows, columns), rows <= columns.

    By the Gram-Schmidt process from normally distributed numbers. Unlike LAPACK's, its sums have a fixed order.
    """
    matrix = _normal(rows * columns, key).reshape(rows, columns)
    for row in range(rows):
        for _ in range(2):  # the second time removes what rounding left
            shares = (matrix[:row] * matrix[row]).sum(axis=1)
            matrix[row] -= (matrix[:row] * shares[:, None]).sum(axis=0)
        matrix[row] /= np.sqrt((matrix[row] * matrix[row]).sum())
    return matrix


def _normal(count: int, key: tuple[int, ...]) -> np.ndarray:
    """Draw from the standard normal distribution by Marsaglia's polar method (1964): float64 (count,)."""
    drawn = 2 * uniform(2 * count + 64, *key) - 1  # 79 % of the pairs lie in the circle, and each gives two numbers
    pairs = drawn.reshape(-1, 2)
    squares = (pairs * pairs).sum(axis=1)
    inside = (squares > 0) & (squares < 1)
    pairs, squares = pairs[inside], squares[inside]
    return (pairs * np.sqrt(-2 * log(squares) / squares)[:, None]).ravel()[:count]
