"""The input of the first layer, x_t W + b: computed once per batch for each distinct word, and its backward pass.

The forward pass looks the rows up in a table. The backward pass adds up the gradients of a word's occurrences first,
then multiplies once: the matrix products have as many rows as there are distinct words, not words.
"""

from typing import NamedTuple

import numpy as np

from imdb_rnn.engine.kernels.arithmetic import (
    LANES,
    Array,
    Matrix,
    Pointer,
    add,
    add_matmul,
    atomic_fetch_add,
    copy,
    never_inline,
    ptr,
    set_zero,
)
from imdb_rnn.engine.kernels.batch import PackedBatch
from imdb_rnn.engine.kernels.compiled import compiled, inlined, inner
from imdb_rnn.engine.kernels.network import TILE, Dims, Rnn, as_pointers, direction_of, input_block

CHUNK = 512  # words that a thread takes at once
GROUP = 32  # words of a chunk that are multiplied at once
ACCUMULATORS = 32  # sums of gradients of kernels; chunk i is added to sum i % ACCUMULATORS


class Projections(NamedTuple):
    """All float32 and flat, at least as long as `projection_sizes` says.

    vectors: (words, embedding_dim), embeddings of the batch's words after word dropout
    table: (directions, words, gates * units), x W + b
    gradients: (accumulators, directions, embedding_dim + 1, gates * units), of kernels, and of biases in the last row
    """

    vectors: Array
    table: Array
    gradients: Array


def projection_sizes(dims: Dims, words: int) -> tuple[int, int, int]:
    """How many numbers the fields of `Projections` have for a batch with so many distinct words."""
    columns, accumulators = dims.num_gates * dims.units, min(ACCUMULATORS, -(-words // CHUNK))
    of_accumulator = dims.num_directions * (dims.embedding_dim + 1) * columns
    return (words + GROUP) * dims.embedding_dim, dims.num_directions * words * columns, accumulators * of_accumulator


def projection_scratch_size(dims: Dims) -> int:
    """How many numbers a thread needs for itself."""
    return GROUP * (dims.num_gates * dims.units + dims.embedding_dim) + LANES


@compiled
def project(
    queue: Array, rnn: Rnn, embeddings: Array, word_mask: Array, words: Array, projections: Projections, scratch: Array
) -> None:
    """Take chunks of the distinct words, and write their vectors and rows of the table.

    Args:
        queue: see `threads.parallel_for`
        embeddings: float32 (vocab_size * embedding_dim,)
        word_mask: float32 (vocab_size,), what dropout multiplies the embeddings by; (0,) without dropout
        scratch: float32 (threads, at least `projection_scratch_size`)
    """
    dims, net, num_words, vectors = rnn.dims, as_pointers(rnn), len(words), ptr(projections.vectors, 0)
    dim, columns = dims.embedding_dim, dims.num_gates * dims.units
    rows = ptr(scratch, atomic_fetch_add(queue, 1) * scratch.shape[1])  # (GROUP, columns)
    while True:
        first = atomic_fetch_add(queue, 0) * CHUNK
        if first >= num_words:
            return
        stop = min(num_words, first + CHUNK)
        for k in range(first, stop):
            factor = word_mask[words[k]] if len(word_mask) else np.float32(1)
            vector, embedding = ptr(vectors, k * dim), ptr(embeddings, words[k] * dim)
            for j in range(dim):
                vector[j] = embedding[j] * factor
        for k in range(first, stop, GROUP):
            count = min(GROUP, stop - k)
            for direction in range(dims.num_directions):
                weights = direction_of(net, net.weights, 0, direction)
                for i in range(count):
                    begin_with_bias(dims, weights.bias, ptr(rows, i * columns))
                x, w = Matrix(ptr(vectors, k * dim), dim, 1), Matrix(weights.kernel, columns, 1)
                add_matmul(x, w, Matrix(rows, columns, 1), (count + 7) // 8 * 8, dim, columns)
                copy(ptr(projections.table, (direction * num_words + k) * columns), rows, count * columns)


@inlined
def begin_with_bias(dims: Dims, bias: Pointer, row: Pointer) -> None:
    """Write the bias to a row, and where the gate has no reset-after product, add the recurrent bias of the cell."""
    columns, together = dims.num_gates * dims.units, (dims.num_gates - dims.num_reset_after_gates) * dims.units
    copy(row, bias, columns)
    add(row, ptr(bias, columns), together if dims.num_reset_after_gates else 0)


@compiled
def project_backward(
    queue: Array,
    rnn: Rnn,
    word_mask: Array,
    batch: PackedBatch,
    projections: Projections,
    activations: Array,
    dembeddings: Array,
    squares: Array,
    scratch: Array,
) -> None:
    """Take accumulators, and add the gradients of their chunks of words to them, in order.

    Args:
        activations: float32, after the backward pass of the recurrence
        dembeddings: float32 (vocab_size * embedding_dim,), zeros; the rows of the batch's words are written
        squares: float64 (chunks,), written: the sum of the squares of the gradients of each chunk's embeddings
        others: as for `project`
    """
    dims, net, chunks = rnn.dims, as_pointers(rnn), len(squares)
    dim, columns = dims.embedding_dim, dims.num_gates * dims.units
    of_accumulator = dims.num_directions * (dim + 1) * columns
    rows = ptr(scratch, atomic_fetch_add(queue, 1) * scratch.shape[1])  # (GROUP, columns), gradients of the table
    dvectors, lanes = ptr(rows, GROUP * columns), ptr(rows, GROUP * (columns + dim))  # (GROUP, dim) and (LANES,)
    while True:
        accumulator = atomic_fetch_add(queue, 0)
        if accumulator >= min(chunks, ACCUMULATORS):
            return
        dkernels = ptr(projections.gradients, accumulator * of_accumulator)
        set_zero(dkernels, of_accumulator)
        for chunk in range(accumulator, chunks, ACCUMULATORS):
            set_zero(lanes, LANES)
            stop = min(len(batch.words), (chunk + 1) * CHUNK)
            for k in range(chunk * CHUNK, stop, GROUP):
                count, vectors = min(GROUP, stop - k), ptr(projections.vectors, k * dim)
                set_zero(dvectors, GROUP * dim)
                for direction in range(dims.num_directions):
                    set_zero(rows, GROUP * columns)
                    first, offsets = ptr(batch.occurrence_offsets, k), ptr(batch.activation_offsets, 0)
                    offsets = ptr(offsets, direction * batch.activation_offsets.shape[1])
                    add_occurrences(dims, count, first, offsets, ptr(activations, 0), rows)
                    kernel = direction_of(net, net.transposed, 0, direction).kernel
                    dkernel = ptr(dkernels, direction * (dim + 1) * columns)
                    rows_backward(dims, count, vectors, rows, kernel, dvectors, dkernel)
                for i in range(count):
                    word = batch.words[k + i]
                    factor = word_mask[word] if len(word_mask) else np.float32(1)
                    write_row(ptr(dvectors, i * dim), factor, dim, ptr(dembeddings, word * dim), lanes)
            total = 0.0
            for lane in range(LANES):
                total += lanes[lane]
            squares[chunk] = total


@inner
def add_occurrences(
    dims: Dims, count: int, first: Pointer, offsets: Pointer, activations: Pointer, rows: Pointer
) -> None:
    """Add the gradients of x_t W + b at all occurrences of some words to their rows (count, gates * units).

    Args:
        first, offsets: `occurrence_offsets` of these words, and `activation_offsets` of the direction
    """
    never_inline()
    units, columns = dims.units, dims.num_gates * dims.units
    for i in range(count):
        for o in range(first[i], first[i + 1]):
            for gate in range(dims.num_gates):
                block = ptr(activations, offsets[o] + input_block(dims, gate) * TILE * units)
                row = ptr(rows, i * columns + gate * units)
                for j in range(units):
                    row[j] += block[j]


@inlined
def rows_backward(
    dims: Dims, count: int, vectors: Pointer, drows: Pointer, transposed: Pointer, dvectors: Pointer, dkernel: Pointer
) -> None:
    """The backward pass of x W + b for `count` words: add dx (GROUP, embedding_dim), dW, and db behind dW."""
    dim, columns = dims.embedding_dim, dims.num_gates * dims.units
    d = Matrix(drows, columns, 1)
    add_matmul(d, Matrix(transposed, dim, 1), Matrix(dvectors, dim, 1), GROUP, columns, dim)  # dx += d W^T
    add_matmul(Matrix(vectors, 1, dim), d, Matrix(dkernel, columns, 1), dim, count, columns)  # dW += x^T d
    for i in range(count):
        add(ptr(dkernel, dim * columns), ptr(drows, i * columns), columns)  # db += d


@inlined
def write_row(dvector: Pointer, factor: np.float32, dim: int, dembedding: Pointer, lanes: Pointer) -> None:
    """Write the gradient of a word's embedding, and add its squares to `lanes` (LANES,)."""
    for j in range(dim):
        dembedding[j] = dvector[j] * factor
    for j in range(0, dim, LANES):
        part = ptr(dembedding, j)
        for lane in range(LANES):
            lanes[lane] += part[lane] * part[lane]
