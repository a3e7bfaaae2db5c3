"""The weights of a network: the arrays that Keras has, and the one flat array that the engine computes with.

In the flat array every row of an array is filled with zeros to whole vectors of `LANES` numbers, gate by gate and
direction by direction, so that no product has a rest. The zeros stay zeros, for so are their gradients.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from imdb_rnn.core.params import ModelParams
from imdb_rnn.engine.kernels.arithmetic import LANES, log
from imdb_rnn.engine.kernels.cells import cell_named
from imdb_rnn.engine.rng import INITIAL, uniform

Weights = list[np.ndarray]


class Matrix(NamedTuple):
    """An array as blocks of rows and of columns, each filled to whole vectors; a vector of words only in its columns.

    shape: Keras' shape
    blocks: (blocks of rows, rows of a block, blocks of columns, columns of a block)
    filled: (rows, columns) of a block in the flat array
    """

    shape: tuple[int, ...]
    blocks: tuple[int, int, int, int]
    filled: tuple[int, int]

    @property
    def size(self) -> int:
        return self.blocks[0] * self.filled[0] * self.blocks[2] * self.filled[1]

    def place(self, flat: np.ndarray) -> np.ndarray:
        """Its numbers in its part of the flat array, as blocks; a view."""
        row_blocks, rows, column_blocks, columns = self.blocks
        return flat.reshape(row_blocks, self.filled[0], column_blocks, self.filled[1])[:, :rows, :, :columns]


def whole(count: int) -> int:
    """The next multiple of `LANES`."""
    return -(-count // LANES) * LANES


@dataclass(frozen=True)
class Layout:
    """Which arrays a network has, in Keras' order, and where they are in the flat array.

    The arrays: the word vectors, (vocabulary, embedding_dim); for each direction of each layer kernel, recurrent kernel
    and bias; the kernel, (features, 1), and the bias, (1,), of the unit that gives the logit; where there are n-grams a
    weight of each, (n-grams,).
    """

    params: ModelParams
    vocab_size: int
    ngrams: int

    @cached_property
    def matrices(self) -> list[Matrix]:
        params, cell = self.params, cell_named(self.params.cell)
        ways, units, gates, dim = 1 + params.bidirectional, params.units, cell.gates, params.embedding_dim
        kinds = len(params.pooling.split("+"))
        vectors = Matrix((self.vocab_size, dim), (1, self.vocab_size, 1, dim), (self.vocab_size, whole(dim)))
        matrices = [vectors]
        for layer in range(params.layers):
            blocks, rows = (ways, units) if layer else (1, dim)
            bias_rows = 1 + cell.recurrent_bias
            bias_shape = (2, gates * units) if cell.recurrent_bias else (gates * units,)
            for _ in range(ways):
                matrices += [
                    Matrix((blocks * rows, gates * units), (blocks, rows, gates, units), (whole(rows), whole(units))),
                    Matrix((units, gates * units), (1, units, gates, units), (whole(units), whole(units))),
                    Matrix(bias_shape, (1, bias_rows, gates, units), (bias_rows, whole(units))),
                ]
        features = ways * kinds
        matrices.append(Matrix((features * units, 1), (1, 1, features, units), (1, whole(units))))
        matrices.append(Matrix((1,), (1, 1, 1, 1), (1, LANES)))
        if self.params.ngrams:
            matrices.append(Matrix((self.ngrams,), (1, 1, 1, self.ngrams), (1, whole(self.ngrams))))
        return matrices

    @cached_property
    def starts(self) -> np.ndarray:
        """Where each array begins in the flat one, and its length: int64 (arrays + 1,)."""
        return np.cumsum([0, *(matrix.size for matrix in self.matrices)])

    @cached_property
    def fixed(self) -> int:
        """How many numbers at the beginning of the flat array are not learnt: those of the vectors, or none."""
        return 0 if self.params.word_vectors == "trained" else int(self.starts[1])

    def flatten(self, weights: Weights) -> np.ndarray:
        """Fill the arrays and put them behind each other: float32."""
        flat = np.zeros(self.starts[-1], np.float32)
        for matrix, array, (start, stop) in zip(self.matrices, weights, pairwise(self.starts), strict=True):
            matrix.place(flat[start:stop])[:] = array.reshape(matrix.blocks)
        return flat

    def split(self, flat: np.ndarray) -> Weights:
        """The arrays, from the flat one: copies."""
        return [
            matrix.place(flat[start:stop]).reshape(matrix.shape).copy()
            for matrix, (start, stop) in zip(self.matrices, pairwise(self.starts), strict=True)
        ]


def first_weights(params: ModelParams, vocab_size: int, seed: int) -> Weights:
    """The weights before training, without those of n-grams, of the distributions that Keras draws from.

    Word vectors are uniform, kernels uniform as by Glorot and Bengio (Understanding the Difficulty of Training Deep
    Feedforward Neural Networks, 2010), recurrent kernels random orthogonal matrices; biases are 0, or 1 for the gates
    that the cell names.
    """
    cell = cell_named(params.cell)
    layout = Layout(params.model_copy(update={"ngrams": 0}), vocab_size, 0)
    weights = []
    for number, matrix in enumerate(layout.matrices):
        shape, key = matrix.shape, (seed, INITIAL, number)
        kind = (number - 1) % 3 if 0 < number < len(layout.matrices) - 2 else 0  # kernel, recurrent kernel, bias
        if number == 0:
            values = 0.05 * (2 * uniform(shape[0] * shape[1], *key) - 1)
        elif kind == 2:
            values = np.zeros(shape)
            for gate in cell.ones:
                values[..., gate * params.units : (gate + 1) * params.units] = 1
        elif len(shape) == 1:
            values = np.zeros(shape)
        elif kind == 1:
            values = _orthogonal(shape[0], shape[1], key)
        else:
            values = np.sqrt(6 / (shape[0] + shape[1])) * (2 * uniform(shape[0] * shape[1], *key) - 1)
        weights.append(values.reshape(shape).astype(np.float32))
    return weights


def _orthogonal(rows: int, columns: int, key: tuple[int, ...]) -> np.ndarray:
    """Rows of length 1, at right angles, in directions that are all as likely: float64 (rows, columns); rows first.

    By Gram and Schmidt from normally distributed numbers. Other than LAPACK's, the sums have one order everywhere.
    """
    matrix = _normal(rows * columns, key).reshape(rows, columns)
    for row in range(rows):
        for _ in range(2):  # once more, for what rounding left of the rows before
            shares = (matrix[:row] * matrix[row]).sum(axis=1)
            matrix[row] -= (matrix[:row] * shares[:, None]).sum(axis=0)
        matrix[row] /= np.sqrt((matrix[row] * matrix[row]).sum())
    return matrix


def _normal(count: int, key: tuple[int, ...]) -> np.ndarray:
    """Draw from the standard normal distribution by Marsaglia's polar method (1964): float64 (count,)."""
    drawn = 2 * uniform(2 * count + 64, *key) - 1  # of the pairs 79 % lie in the circle, and each gives two
    pairs = drawn.reshape(-1, 2)
    squares = (pairs * pairs).sum(axis=1)
    inside = (squares > 0) & (squares < 1)
    pairs, squares = pairs[inside], squares[inside]
    return (pairs * np.sqrt(-2 * log(squares) / squares)[:, None]).ravel()[:count]
