"""The recurrence over reviews of any length: directions, layers and pooling, forwards and backwards.

Keras runs a recurrent layer step by step over whole batches, padding included. Here a batch is a set of reviews sorted
by length, longest first, so that those which still have a word at a step are the first rows: a step is one matrix
product of just those rows, and padding is never computed. What a word contributes to a step of the first layer depends
on nothing but the word, so it is looked up in a table of `vectors @ kernel + bias`, made once a batch for the words
that occur in it; a further layer's table is made of the states below it. The gradient of a weight matrix is one large
product after the loop. Compiled by Numba; the products are BLAS'.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import NamedTuple

import numpy as np
import scipy.linalg.cython_blas  # noqa: F401, the BLAS that Numba calls, loaded so that thread limits reach it

from imdb_rnn.network.activations import Array, compiled
from imdb_rnn.network.cells.cell import Cell
from imdb_rnn.network.layout import PARTS, Part, mirror, number_words, part_of, states_after
from imdb_rnn.network.pooling import pool
from imdb_rnn.reviews.ragged import Ragged


class Direction(NamedTuple):
    """The weights of one direction of one layer, as Keras has them; columns is the number of gates times units.

    kernel: float32 (inputs, columns)
    recurrent: float32 (units, columns)
    bias: float32 (columns,), or (2, columns) for a cell with recurrent bias
    """

    kernel: np.ndarray
    recurrent: np.ndarray
    bias: np.ndarray


Layers = list[list[Direction]]  # for each layer its direction forwards and, if it is bidirectional, the one backwards
Back = Callable[[np.ndarray], tuple[np.ndarray, Layers]]


@cache
def _threads(process: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(PARTS)


def threads() -> ThreadPoolExecutor:
    """The threads of this process, started at first use; a fork has none of its parent's, and starts its own."""
    return _threads(os.getpid())


def pooled_states(cell: Cell, vectors: np.ndarray, layers: Layers, pooling: str, batch: Ragged) -> np.ndarray:
    """Read a batch of reviews and return what the pooling makes of the last layer's states.

    Args:
        vectors: float32 (vocabulary, embedding_dim), the word vectors.
        pooling: `last` (state after the last word that a direction reads), `max` or `mean` over the words, `max+mean`.
        batch: reviews sorted by length, longest first.

    Returns:
        float32 (reviews, features): units, forwards and then backwards, of each kind of pooling; zero for a review
        without words.
    """
    return _forward(cell, vectors, layers, pooling, batch, keep=False)[0]


def pooled_states_and_back(
    cell: Cell, vectors: np.ndarray, layers: Layers, pooling: str, batch: Ragged
) -> tuple[np.ndarray, Back]:
    """As `pooled_states`, with the way back.

    Returns:
        What `pooled_states` returns, and a function from the gradient of a loss with respect to it, float32 (reviews,
        features), to those with respect to `vectors` and `layers`, of the shapes of these.
    """
    return _forward(cell, vectors, layers, pooling, batch, keep=True)


def _forward(
    cell: Cell, vectors: np.ndarray, layers: Layers, pooling: str, batch: Ragged, *, keep: bool
) -> tuple[np.ndarray, Back]:
    parts = list(threads().map(lambda number: part_of(batch, number), range(PARTS)))
    distinct = number_words(parts, len(vectors))
    chosen = vectors[distinct]
    tables = list(threads().map(lambda direction: _table(cell, chosen, direction), layers[0]))

    pooled, backs = zip(
        *threads().map(lambda part: _forward_part(cell, tables, layers, pooling, part, keep), parts), strict=True
    )
    features = np.empty((len(batch), pooled[0].shape[1]), np.float32)
    for number in range(PARTS):
        features[number::PARTS] = pooled[number]

    def back(dfeatures: np.ndarray) -> tuple[np.ndarray, Layers]:
        by_part = threads().map(lambda number: backs[number](dfeatures[number::PARTS]), range(PARTS))
        total = [
            [
                Direction(*(np.add.reduce(same) for same in zip(*of_parts, strict=True)))
                for of_parts in zip(*layer, strict=True)
            ]
            for layer in zip(*by_part, strict=True)
        ]
        dvectors = np.zeros_like(vectors)
        dvectors[distinct], total[0] = _table_back(cell, chosen, layers[0], total[0])
        return dvectors, total

    return features, back


def _table(cell: Cell, inputs: np.ndarray, direction: Direction) -> np.ndarray:
    """What each row of `inputs` adds to a step: float32 (rows, columns)."""
    return inputs @ direction.kernel + (direction.bias[0] if cell.recurrent_bias else direction.bias)


def _table_back(
    cell: Cell, inputs: np.ndarray, layer: list[Direction], gradients: list[Direction]
) -> tuple[np.ndarray, list[Direction]]:
    """From the gradients with respect to tables, in the place of the kernels', to those of inputs and weights."""
    dinputs = np.add.reduce([d.kernel @ direction.kernel.T for d, direction in zip(gradients, layer, strict=True)])
    of_weights = []
    for dtable, drecurrent, drecurrent_bias in gradients:
        dbias = dtable.sum(axis=0)
        if cell.recurrent_bias:
            dbias = np.stack([dbias, drecurrent_bias])
        of_weights.append(Direction(inputs.T @ dtable, drecurrent, dbias))
    return dinputs, of_weights


def _forward_part(
    cell: Cell, tables: list[np.ndarray], layers: Layers, pooling: str, part: Part, keep: bool
) -> tuple[np.ndarray, Callable[[np.ndarray], Layers]]:
    """One part's features, and the way back to the gradients of each layer.

    In the first layer, whose tables all parts share, the gradient with respect to the table stands in the place of the
    kernel's.
    """
    mirrored = mirror(part) if len(layers[0]) == 2 else np.empty(0, np.int64)
    words = part.words
    inputs: list[np.ndarray] = []
    runs: list[list[_Run]] = []
    for number, layer in enumerate(layers):
        if number:
            after = [states_after(run.before, run.last, part) for run in runs[-1]]
            inputs.append(np.hstack([after[0], *(states[mirrored] for states in after[1:])]))
            tables = [_table(cell, inputs[-1], direction) for direction in layer]
            words = np.arange(len(words))
        orders = [words, *(words[mirrored] for _ in layer[1:])]
        runs.append(
            [
                _run(cell, table, order, direction, part, keep)
                for table, order, direction in zip(tables, orders, layer, strict=True)
            ]
        )
    pooled, pool_back = pool(pooling, [(run.before, run.last) for run in runs[-1]], part)

    def back(dpooled: np.ndarray) -> Layers:
        arriving = pool_back(dpooled)
        gradients: Layers = []
        for number in range(len(layers) - 1, -1, -1):
            of_layer = [run.back(*d) for run, d in zip(runs[number], arriving, strict=True)]
            if number:
                dinputs, of_layer = _table_back(cell, inputs[number - 1], layers[number], of_layer)
                below = np.split(dinputs, len(of_layer), axis=1)
                dstates = [below[0].copy(), *(d[mirrored] for d in below[1:])]
                arriving = [(d, np.zeros_like(run.last)) for d, run in zip(dstates, runs[number - 1], strict=True)]
            gradients.insert(0, of_layer)
        return gradients

    return pooled, back


class _Run(NamedTuple):
    """One direction of one layer over a part: its states before each step and after the last, and the way back.

    That goes from the gradients with respect to the states after each step (or none of them) and to the last, to those
    with respect to table, recurrent kernel and recurrent bias (zeros if the cell has none), in this order.
    """

    before: np.ndarray
    last: np.ndarray
    back: Callable[[np.ndarray, np.ndarray], Direction]


def _run(cell: Cell, table: np.ndarray, words: np.ndarray, direction: Direction, part: Part, keep: bool) -> _Run:
    recurrent, bias = direction.recurrent, direction.bias[-1] if cell.recurrent_bias else direction.bias
    units, columns = recurrent.shape
    kept = len(words) if keep else len(part.lengths)  # without, the steps overwrite each other
    before = np.empty((len(words), units), np.float32)
    gates, aside = np.empty((kept, columns), np.float32), np.empty((kept, units), np.float32)
    last, c = np.zeros((2, len(part.lengths), units), np.float32)
    cell.forward(table, words, recurrent, bias, part.sizes, last, c, before, gates, aside, keep)

    def back(dstates: np.ndarray, dlast: np.ndarray) -> Direction:
        dproduct = np.empty_like(gates)
        dword = np.empty_like(gates) if cell.recurrent_bias else dproduct
        recurrent_t = np.ascontiguousarray(recurrent.T)
        dh, dc = dlast.copy(), np.zeros_like(dlast)
        cell.backward(recurrent_t, part.sizes, before, gates, aside, dstates, dh, dc, dproduct, dword)
        dtable = np.zeros_like(table)
        _add_rows(dtable, words, dword)
        dbias = dproduct.sum(axis=0) if cell.recurrent_bias else np.zeros_like(bias)
        return Direction(dtable, before.T @ dproduct, dbias)

    return _Run(before, last, back)


@compiled
def _add_rows(total: Array, words: Array, rows: Array) -> None:
    """Add each row to that row of `total` which `words` names."""
    for i in range(len(words)):
        row = total[words[i]]
        for j in range(total.shape[1]):
            row[j] += rows[i, j]
