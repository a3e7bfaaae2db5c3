"""Embeddings from word co-occurrence, so that a rare word is close to similar words before training starts.

Positive pointwise mutual information (PPMI), reduced to its largest singular vectors (Levy, Goldberg and Dagan,
Improving Distributional Similarity with Lessons Learned from Word Embeddings, 2015). These are found by subspace
iteration (Halko, Martinsson and Tropp, Finding Structure with Randomness, 2011). Counts are integers, and every sum has
a fixed order, so the embeddings are the same on every machine.
"""

import numpy as np
from scipy import sparse

from imdb_rnn.engine.kernels.arithmetic import Array, atomic_fetch_add, log, ptr
from imdb_rnn.engine.kernels.compiled import compiled
from imdb_rnn.engine.ragged import NO_ROWS, Ragged
from imdb_rnn.engine.rng import Stream, uniform
from imdb_rnn.engine.threads import parallel_for

FIRST_WORD = 3  # lower ids are padding, start token and out-of-vocabulary words
WINDOW = 3  # words on each side; the nearest word counts WINDOW times, the farthest once
OVERSAMPLING, ITERATIONS = 32, 20  # further singular vectors that are computed, and iterations
REVIEW_WORDS, CHUNK = 2**21, 2**20  # words of reviews, and pairs of words, that are in memory at once
ROWS = 64  # of the matrix, that a thread takes at once


def word_vectors(ids: Ragged, vocab_size: int, dim: int, seed: int, unlabelled: Ragged = NO_ROWS) -> np.ndarray:
    """Embeddings of the words of reviews: float32 (vocab_size, dim).

    Rows of padding, start token, out-of-vocabulary and words without neighbours are zero, and so are columns for which
    there are too few words. All other numbers have a mean square of 1.

    Args:
        ids: training reviews without padding, ids below `vocab_size`.
        seed: of the vectors that the iteration starts with.
        unlabelled: further reviews, the same way.

    Raises:
        ValueError: if no word occurs near another one more often than by chance.
    """
    matrix = _ppmi(_cooccurrences(ids, vocab_size) + _cooccurrences(unlabelled, vocab_size))
    if not matrix.nnz:
        raise ValueError("no words occur near each other in the training reviews")
    size = int(matrix.indices.max()) + 1  # small tables have fewer words than a vocabulary may have
    size = max(size, int(np.flatnonzero(np.diff(matrix.indptr))[-1]) + 1)
    matrix = matrix[:size, :size]
    rows, columns = _csr_arrays(matrix), _csr_arrays(matrix.T.tocsr())
    basis = uniform(size * (dim + OVERSAMPLING), seed, Stream.VECTORS).reshape(size, -1) - 0.5
    for _ in range(ITERATIONS):
        basis = _orthonormal(_matmul(*columns, _matmul(*rows, basis)))
    vectors = _matmul(*rows, basis)[:, :dim]  # their norms are the singular values
    squares = (vectors * vectors).sum(axis=0)
    vectors = vectors / np.sqrt(np.sqrt(np.where(squares > 0, squares, 1)))
    used = vectors[np.diff(matrix.indptr) > 0][:, squares > 0]
    vectors = np.pad(vectors / np.sqrt((used * used).mean()), ((0, vocab_size - size), (0, 0)))
    return vectors.astype(np.float32)


def _cooccurrences(ids: Ragged, vocab_size: int) -> sparse.csr_array:
    """How often each word occurs near each other word: int64 (vocab_size, vocab_size), symmetric."""
    shape = vocab_size, vocab_size
    counts = sparse.csr_array(shape, dtype=np.int64)
    borders = np.flatnonzero(np.diff(np.cumsum(ids.lengths) // REVIEW_WORDS)) + 1
    for rows in np.split(np.arange(len(ids)), borders):
        block = ids.rows(rows)
        flat = block.flat()
        is_word = flat >= FIRST_WORD
        reviews, flat = np.repeat(rows, block.lengths)[is_word], flat[is_word]
        for distance in range(1, WINDOW + 1):
            together = reviews[distance:] == reviews[:-distance]
            pairs = flat[:-distance][together], flat[distance:][together]
            counts += sparse.csr_array((np.full(len(pairs[0]), WINDOW + 1 - distance), pairs), shape=shape)
    return counts + counts.T


def _ppmi(counts: sparse.csr_array) -> sparse.csr_array:
    """The positive pointwise mutual information of each word and each neighbour, float32.

    The counts of neighbours are raised to the power 3/4, as in the paper, so that rare neighbours count less.
    """
    counts.sort_indices()
    of_words = counts.sum(axis=1).astype(np.float64)
    of_neighbours = np.sqrt(of_words) * np.sqrt(np.sqrt(of_words))
    logs, total = log(np.maximum(of_words, 1)), log(of_neighbours.sum())
    ppmi = np.empty(counts.nnz, np.float32)
    for first in range(0, counts.nnz, CHUNK):
        part = slice(first, first + CHUNK)
        rows = np.searchsorted(counts.indptr, np.arange(first, min(counts.nnz, first + CHUNK)), side="right") - 1
        columns = counts.indices[part]
        pmi = log(counts.data[part].astype(np.float64)) + total - logs[rows] - 0.75 * logs[columns]
        ppmi[part] = np.where(pmi > 0, pmi, 0)
    matrix = sparse.csr_array((ppmi, counts.indices, counts.indptr), shape=counts.shape)
    matrix.eliminate_zeros()
    return matrix


def _csr_arrays(matrix: sparse.csr_array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where each row begins, int64 (rows + 1,); and columns, int64, and numbers, float32, of all rows."""
    return matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64), matrix.data


def _matmul(starts: np.ndarray, columns: np.ndarray, numbers: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """A matrix from `_csr_arrays` times a factor (columns, count): float64 (rows, count).

    The sums are float32, in the order of the columns.
    """
    factor = np.ascontiguousarray(factor, np.float32)
    product = np.zeros((len(starts) - 1, factor.shape[1]), np.float32)
    parallel_for(_matmul_rows, starts, columns, numbers, factor, product)
    return product.astype(np.float64)


@compiled
def _matmul_rows(queue: Array, starts: Array, columns: Array, data: Array, factor: Array, product: Array) -> None:
    count = factor.shape[1]
    while True:
        first = atomic_fetch_add(queue, 0) * ROWS
        if first >= len(product):
            return
        for r in range(first, min(len(product), first + ROWS)):
            total = ptr(product, r * count)
            for k in range(starts[r], starts[r + 1]):
                x, row = data[k], ptr(factor, columns[k] * count)
                for j in range(count):
                    total[j] += x * row[j]


def _orthonormal(vectors: np.ndarray) -> np.ndarray:
    """An orthonormal basis of the same space, by the Gram-Schmidt process; 0 for linearly dependent columns."""
    basis = np.array(vectors, order="C")
    _gram_schmidt(basis, np.empty((2, basis.shape[1])))
    return basis


@compiled
def _gram_schmidt(columns: Array, sums: Array) -> None:
    """Make columns orthonormal; each is subtracted from all later ones at once, row by row, which the processor likes.

    Args:
        sums: (2, columns): space.
    """
    n, count = columns.shape
    before, share = sums
    before[:] = 0
    for r in range(n):
        for j in range(count):
            before[j] += columns[r, j] * columns[r, j]
    for i in range(count):
        after = 0.0
        for r in range(n):
            after += columns[r, i] * columns[r, i]
        size = 1 / np.sqrt(after) if after > 1e-9 * before[i] else 0.0  # what is left of a dependent one is rounding
        share[:] = 0
        total = ptr(share, 0)
        for r in range(n):
            columns[r, i] *= size
            row, x = ptr(columns, r * count), columns[r, i]
            for j in range(i + 1, count):
                total[j] += row[j] * x
        for r in range(n):
            row, x = ptr(columns, r * count), columns[r, i]
            for j in range(i + 1, count):
                row[j] -= total[j] * x
