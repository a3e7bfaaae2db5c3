"""Word vectors from what stands near a word in the training reviews, so that a rare word is near its likes before the
network has seen a label.

Positive pointwise mutual information, reduced to its largest singular vectors (Levy, Goldberg and Dagan, Improving
Distributional Similarity with Lessons Learned from Word Embeddings, 2015). These are found by subspace iteration
(Halko, Martinsson and Tropp, Finding Structure with Randomness, 2011). Counts are integers, and every sum has one
order, so the vectors are the same on every machine.
"""

import numpy as np
from scipy import sparse

from imdb_rnn.base.errors import UserError
from imdb_rnn.network.arithmetic import Array, at, claim, log
from imdb_rnn.network.compiled import compiled
from imdb_rnn.network.draws import VECTORS, uniform
from imdb_rnn.network.threads import share_out
from imdb_rnn.reviews.ragged import Ragged
from imdb_rnn.reviews.vocabulary import UNKNOWN

WINDOW = 5  # words on each side; the nearest one counts so many times, the farthest one once
MORE, PASSES = 32, 8  # directions beyond those wanted, and passes over the matrix: more change nothing that is seen
CHUNK = 2**22  # words that are counted at once
ROWS = 64  # of the matrix, that a thread takes at once


def word_vectors(ids: Ragged, vocab_size: int, dim: int, seed: int) -> np.ndarray:
    """Vectors of the words that stand in reviews: float32 (vocab_size, dim), of mean square 1.

    Those of padding, start and unknown words are zero, and so are those of words that nothing is near.

    Args:
        ids: training reviews without padding, ids below `vocab_size`.
        seed: of the directions that the search begins with.

    Raises:
        UserError: when no word stands near another one more often than by chance.
    """
    matrix = _information(_near(ids, vocab_size))
    if not matrix.nnz:
        raise UserError("no words stand near each other in the training reviews; set model.word_vectors to trained")
    transposed = matrix.T.tocsr()
    directions = uniform(vocab_size * (dim + MORE), seed, VECTORS).reshape(vocab_size, -1) - 0.5
    for _ in range(PASSES):
        directions = _orthogonal(_multiply(matrix, directions))
        directions = _orthogonal(_multiply(transposed, directions))
    vectors = _multiply(matrix, directions)[:, :dim]  # of the lengths of the singular values
    sizes = np.sqrt((vectors * vectors).sum(axis=0))
    vectors = vectors / np.sqrt(np.where(sizes > 0, sizes, 1))
    return (vectors / np.sqrt((vectors * vectors).mean())).astype(np.float32)


def _near(ids: Ragged, vocab_size: int) -> sparse.csr_array:
    """How often each word stands near each other one: int64 (vocab_size, vocab_size), symmetric."""
    flat, shape = ids.flat(), (vocab_size, vocab_size)
    is_word = flat > UNKNOWN
    reviews, flat = np.repeat(np.arange(len(ids)), ids.lengths)[is_word], flat[is_word]
    counts = sparse.csr_array(shape, dtype=np.int64)
    for start in range(0, len(flat), CHUNK):
        stop = start + CHUNK
        for distance in range(1, WINDOW + 1):
            left, right = flat[start:stop], flat[start + distance : stop + distance]
            left = left[: len(right)]
            together = reviews[start:stop][: len(right)] == reviews[start + distance : stop + distance]
            weights = np.full(np.count_nonzero(together), WINDOW + 1 - distance)
            counts += sparse.csr_array((weights, (left[together], right[together])), shape=shape)
    return counts + counts.T


def _information(counts: sparse.csr_array) -> sparse.csr_array:
    """The positive pointwise mutual information of each word and each neighbour, float32; that of rare ones is smaller.

    The counts of neighbours are raised to the power 3/4, as the paper has it.
    """
    counts.sort_indices()
    of_words = counts.sum(axis=1).astype(np.float64)
    of_neighbours = np.sqrt(of_words) * np.sqrt(np.sqrt(of_words))
    rows, columns = np.repeat(np.arange(len(of_words)), np.diff(counts.indptr)), counts.indices
    logs, total = log(np.maximum(of_words, 1)), log(of_neighbours.sum())
    information = log(counts.data.astype(np.float64)) + total - logs[rows] - 0.75 * logs[columns]
    information = np.where(information > 0, information, 0).astype(np.float32)
    matrix = sparse.csr_array((information, columns, counts.indptr), shape=counts.shape)
    matrix.eliminate_zeros()
    return matrix


def _multiply(matrix: sparse.csr_array, factor: np.ndarray) -> np.ndarray:
    """matrix @ factor, float64 from sums in float32, in the order of the columns, on all processors."""
    factor = np.ascontiguousarray(factor, np.float32)
    product = np.zeros((matrix.shape[0], factor.shape[1]), np.float32)
    places = matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64)
    share_out(_multiply_rows, *places, matrix.data, factor, product)
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
