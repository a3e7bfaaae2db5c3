"""The weights of a network: its arrays by name, of Keras' shapes, and the one flat array that the engine computes with.

In the flat array every row of an array is filled with zeros to whole vectors of `LANES` numbers, gate by gate and
direction by direction, so that no product has a rest. The zeros stay zeros, for so are their gradients.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import count, pairwise
from typing import Any, NamedTuple

import numpy as np

from imdb_rnn.engine.kernels.arithmetic import LANES, log
from imdb_rnn.engine.kernels.cells import cell_named
from imdb_rnn.engine.rng import INITIAL, uniform

DIRECTIONS = ("forward", "backward")


class DirectionWeights(NamedTuple):
    """The weights of one direction of a recurrent layer, float32.

    kernel: (inputs, gates * units)
    recurrent_kernel: (units, gates * units)
    bias: (gates * units,); of a GRU (2, gates * units)
    """

    kernel: np.ndarray
    recurrent_kernel: np.ndarray
    bias: np.ndarray


class Weights(NamedTuple):
    """The weights of a network, float32.

    embeddings: (vocab_size, embedding_dim)
    layers: layers[l][d] are the weights of layer l in direction d, forward first
    head_kernel, head_bias: (features, 1) and (1,), of the unit that gives the logit
    ngrams: (n-grams,), the weight of each n-gram; empty without n-grams
    """

    embeddings: np.ndarray
    layers: tuple[tuple[DirectionWeights, ...], ...]
    head_kernel: np.ndarray
    head_bias: np.ndarray
    ngrams: np.ndarray = np.empty(0, np.float32)


def named(weights: Weights) -> dict[str, np.ndarray]:
    """The arrays by name: `embeddings`, `layers.0.forward.kernel`, ..., `head.kernel`, `head.bias`, `ngrams`."""
    arrays = {"embeddings": weights.embeddings}
    for number, layer in enumerate(weights.layers):
        for direction, of_direction in zip(DIRECTIONS, layer, strict=False):
            arrays |= {f"layers.{number}.{direction}.{name}": a for name, a in of_direction._asdict().items()}
    return arrays | {"head.kernel": weights.head_kernel, "head.bias": weights.head_bias, "ngrams": weights.ngrams}


def from_named(arrays: Mapping[str, np.ndarray]) -> Weights:
    """The inverse of `named`. Raises KeyError when an array is missing."""
    layers = []
    for number in count():
        directions = [direction for direction in DIRECTIONS if f"layers.{number}.{direction}.kernel" in arrays]
        if not directions:
            break
        names = [f"layers.{number}.{direction}" for direction in directions]
        layers.append(tuple(DirectionWeights(*(arrays[f"{n}.{f}"] for f in DirectionWeights._fields)) for n in names))
    head = arrays["head.kernel"], arrays["head.bias"]
    return Weights(arrays["embeddings"], tuple(layers), *head, arrays["ngrams"])


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
    """Where the arrays of `Weights` are in the flat array, in the order of `named`.

    params: `core.params.ModelParams`, or anything with its attributes
    ngrams: how many n-grams there are; 0 without n-grams
    """

    params: Any
    vocab_size: int
    ngrams: int

    @cached_property
    def matrices(self) -> dict[str, Matrix]:
        """The arrays by name, as `named` has them."""
        params, cell = self.params, cell_named(self.params.cell)
        ways, units, gates, dim = 1 + params.bidirectional, params.units, cell.gates, params.embedding_dim
        kinds = len(params.pooling.split("+"))
        vectors = Matrix((self.vocab_size, dim), (1, self.vocab_size, 1, dim), (self.vocab_size, whole(dim)))
        matrices = {"embeddings": vectors}
        for layer in range(params.layers):
            blocks, rows = (ways, units) if layer else (1, dim)
            bias_rows = 1 + cell.recurrent_bias
            bias_shape = (2, gates * units) if cell.recurrent_bias else (gates * units,)
            kernel_shape, recurrent_shape = (blocks * rows, gates * units), (units, gates * units)
            for direction in DIRECTIONS[:ways]:
                matrices |= {
                    f"layers.{layer}.{direction}.{name}": matrix
                    for name, matrix in (
                        ("kernel", Matrix(kernel_shape, (blocks, rows, gates, units), (whole(rows), whole(units)))),
                        ("recurrent_kernel", Matrix(recurrent_shape, (1, units, gates, units), (whole(units),) * 2)),
                        ("bias", Matrix(bias_shape, (1, bias_rows, gates, units), (bias_rows, whole(units)))),
                    )
                }
        features = ways * kinds
        matrices["head.kernel"] = Matrix((features * units, 1), (1, 1, features, units), (1, whole(units)))
        matrices["head.bias"] = Matrix((1,), (1, 1, 1, 1), (1, LANES))
        matrices["ngrams"] = Matrix((self.ngrams,), (1, 1, 1, self.ngrams), (1, whole(self.ngrams)))
        return matrices

    @cached_property
    def starts(self) -> np.ndarray:
        """Where each array begins in the flat one, and its length: int64 (arrays + 1,)."""
        return np.cumsum([0, *(matrix.size for matrix in self.matrices.values())])

    @cached_property
    def fixed(self) -> int:
        """How many numbers at the beginning of the flat array are not learnt: those of the vectors, or none."""
        return 0 if self.params.embeddings == "learned" else int(self.starts[1])

    def flatten(self, weights: Weights) -> np.ndarray:
        """The arrays, filled and concatenated: float32."""
        flat, arrays = np.zeros(self.starts[-1], np.float32), named(weights)
        for (name, matrix), (start, stop) in zip(self.matrices.items(), pairwise(self.starts), strict=True):
            matrix.place(flat[start:stop])[:] = arrays[name].reshape(matrix.blocks)
        return flat

    def split(self, flat: np.ndarray) -> Weights:
        """The arrays, from the flat one: copies."""
        return from_named(
            {
                name: matrix.place(flat[start:stop]).reshape(matrix.shape).copy()
                for (name, matrix), (start, stop) in zip(self.matrices.items(), pairwise(self.starts), strict=True)
            }
        )


def initial_weights(params: Any, vocab_size: int, seed: int) -> Weights:
    """The weights before training, without n-grams, from the distributions that Keras draws from.

    Embeddings are uniform, kernels uniform as by Glorot and Bengio (Understanding the Difficulty of Training Deep
    Feedforward Neural Networks, 2010), recurrent kernels random orthogonal matrices; biases are 0, or 1 for the gates
    that the cell names.
    """
    cell = cell_named(params.cell)
    weights = {}
    for number, (name, matrix) in enumerate(Layout(params, vocab_size, 0).matrices.items()):
        shape, key = matrix.shape, (seed, INITIAL, number)
        if name == "embeddings":
            values = 0.05 * (2 * uniform(shape[0] * shape[1], *key) - 1)
        elif name.endswith(".recurrent_kernel"):
            values = _orthogonal(shape[0], shape[1], key)
        elif name.endswith(".kernel"):
            values = np.sqrt(6 / (shape[0] + shape[1])) * (2 * uniform(shape[0] * shape[1], *key) - 1)
        else:
            values = np.zeros(shape)
            for gate in cell.ones if name.startswith("layers.") else ():
                values[..., gate * params.units : (gate + 1) * params.units] = 1
        weights[name] = values.reshape(shape).astype(np.float32)
    return from_named(weights)


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
