"""Word vectors from what stands near a word in the training reviews, so that a rare word is near its likes before the
network has seen a label.

Positive pointwise mutual information, reduced to its largest singular vectors (Levy, Goldberg and Dagan, Improving
Distributional Similarity with Lessons Learned from Word Embeddings, 2015). These are found by subspace iteration
(Halko, Martinsson and Tropp, Finding Structure with Randomness, 2011). Counts are integers, and every sum has one
order, so the vectors are the same on every machine.
"""

import numpy as np
from scipy import sparse

from imdb_rnn.engine.kernels.arithmetic import Array, at, claim, log
from imdb_rnn.engine.kernels.compiled import compiled
from imdb_rnn.engine.ragged import Ragged
from imdb_rnn.engine.rng import VECTORS, uniform
from imdb_rnn.engine.threads import share_out

FIRST_WORD = 3  # lower ids are padding, start token and out-of-vocabulary words
WINDOW = 3  # words on each side; the nearest one counts so many times, the farthest one once
MORE, PASSES = 32, 20  # directions beyond those wanted, and passes over the matrix
WORDS, CHUNK = 2**21, 2**20  # words of reviews, and pairs of words, that take memory at once
ROWS = 64  # of the matrix, that a thread takes at once


def word_vectors(ids: Ragged, vocab_size: int, dim: int, seed: int) -> np.ndarray:
    """Vectors of the words that stand in reviews: float32 (vocab_size, dim).

    Those of padding, start and unknown words are zero, and so are those of words that nothing is near, and numbers for
    which there are too few words. All other numbers have mean square 1.

    Args:
        ids: training reviews without padding, ids below `vocab_size`.
        seed: of the directions that the search begins with.

    Raises:
        ValueError: when no word occurs near another one more often than by chance.
    """
    matrix = _information(_near(ids, vocab_size))
    if not matrix.nnz:
        raise ValueError("no words occur near each other in the training reviews")
    forwards, backwards = _prepared(matrix), _prepared(matrix.T.tocsr())
    directions = uniform(vocab_size * (dim + MORE), seed, VECTORS).reshape(vocab_size, -1) - 0.5
    for _ in range(PASSES):
        directions = _orthogonal(_multiply(*forwards, directions))
        directions = _orthogonal(_multiply(*backwards, directions))
    vectors = _multiply(*forwards, directions)[:, :dim]  # of the lengths of the singular values
    squares = (vectors * vectors).sum(axis=0)
    vectors = vectors / np.sqrt(np.sqrt(np.where(squares > 0, squares, 1)))
    used = vectors[np.diff(matrix.indptr) > 0][:, squares > 0]
    return (vectors / np.sqrt((used * used).mean())).astype(np.float32)


def _near(ids: Ragged, vocab_size: int) -> sparse.csr_array:
    """How often each word stands near each other one: int64 (vocab_size, vocab_size), symmetric."""
    shape = vocab_size, vocab_size
    counts = sparse.csr_array(shape, dtype=np.int64)
    borders = np.flatnonzero(np.diff(np.cumsum(ids.lengths) // WORDS)) + 1
    for rows in np.split(np.arange(len(ids)), borders):
        block = ids.rows(rows)
        flat = block.flat()
        is_word = flat >= FIRST_WORD
        reviews, flat = np.repeat(rows, block.lengths)[is_word], flat[is_word]
        for distance in range(1, WINDOW + 1):
            together = reviews[distance:] == reviews[:-distance]
            places = flat[:-distance][together], flat[distance:][together]
            counts += sparse.csr_array((np.full(len(places[0]), WINDOW + 1 - distance), places), shape=shape)
    return counts + counts.T


def _information(counts: sparse.csr_array) -> sparse.csr_array:
    """The positive pointwise mutual information of each word and each neighbour, float32.

    The counts of neighbours are raised to the power 3/4, as the paper has it, so that rare ones say less.
    """
    counts.sort_indices()
    of_words = counts.sum(axis=1).astype(np.float64)
    of_neighbours = np.sqrt(of_words) * np.sqrt(np.sqrt(of_words))
    logs, total = log(np.maximum(of_words, 1)), log(of_neighbours.sum())
    information = np.empty(counts.nnz, np.float32)
    for first in range(0, counts.nnz, CHUNK):
        part = slice(first, first + CHUNK)
        rows = np.searchsorted(counts.indptr, np.arange(first, min(counts.nnz, first + CHUNK)), side="right") - 1
        columns = counts.indices[part]
        found = log(counts.data[part].astype(np.float64)) + total - logs[rows] - 0.75 * logs[columns]
        information[part] = np.where(found > 0, found, 0)
    matrix = sparse.csr_array((information, counts.indices, counts.indptr), shape=counts.shape)
    matrix.eliminate_zeros()
    return matrix


def _prepared(matrix: sparse.csr_array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where each row begins, int64 (rows + 1,); and columns, int64, and numbers, float32, of all rows."""
    return matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64), matrix.data


def _multiply(starts: np.ndarray, columns: np.ndarray, numbers: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """A matrix, as `_prepared` has it, times a factor (columns, count): float64 (rows, count).

    From sums in float32, in the order of the columns, on all processors.
    """
    factor = np.ascontiguousarray(factor, np.float32)
    product = np.zeros((len(starts) - 1, factor.shape[1]), np.float32)
    share_out(_multiply_rows, starts, columns, numbers, factor, product)
    return product.astype(np.float64)


@compiled
def _multiply_rows(queue: Array, starts: Array, columns: Array, data: Array, factor: Array, product: Array) -> None:
    count = factor.shape[1]
    while True:
        first = claim(queue, 0) * ROWS
        if first >= len(product):
            return
        for r in range(first, min(len(product), first + ROWS)):
            total = at(product, r * count)
            for k in range(starts[r], starts[r + 1]):
                x, row = data[k], at(factor, columns[k] * count)
                for j in range(count):
                    total[j] += x * row[j]


def _orthogonal(vectors: np.ndarray) -> np.ndarray:
    """Columns of length 1, at right angles, for the same space: by Gram and Schmidt; 0 where there are too many."""
    rows = np.ascontiguousarray(vectors.T)
    _make_orthogonal(rows)
    return rows.T


@compiled
def _make_orthogonal(rows: Array) -> None:
    for i in range(len(rows)):
        row, before = rows[i], 0.0
        for x in row:
            before += x * x
        for other in rows[:i]:
            share = 0.0
            for k in range(len(row)):
                share += row[k] * other[k]
            for k in range(len(row)):
                row[k] -= share * other[k]
        after = 0.0
        for x in row:
            after += x * x
        size = 1 / np.sqrt(after) if after > 1e-9 * before else 0.0  # what is left of a sum of the others is rounding
        for k in range(len(row)):
            row[k] *= size
