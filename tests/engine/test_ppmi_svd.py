from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import ragged
from scipy.sparse.linalg import svds

from imdb_rnn.engine import ppmi_svd as module
from imdb_rnn.engine.ppmi_svd import WINDOW, word_vectors
from imdb_rnn.engine.ragged import Ragged, from_lengths

pytestmark = pytest.mark.slow


def texts(count: int = 400, words: int = 40, vocab_size: int = 60) -> Ragged:
    """Reviews of two topics, whose words do not mix; frequent words are in both."""
    random = np.random.default_rng(1)
    topic = np.repeat(random.integers(0, 2, count), words)
    rare = 10 + 2 * random.integers(0, (vocab_size - 10) // 2, count * words) + topic
    flat = np.where(random.random(count * words) < 0.4, random.integers(3, 10, count * words), rare)
    return from_lengths(flat.astype(np.int32), np.full(count, words))


def information(reviews: list[list[int]], vocab_size: int) -> np.ndarray:
    """The definition, word by word: positive pointwise mutual information of words and neighbours."""
    counts = np.zeros((vocab_size, vocab_size))
    for review in reviews:
        known = [word for word in review if word > 2]
        for i, word in enumerate(known):
            for j in range(max(0, i - WINDOW), min(len(known), i + WINDOW + 1)):
                if i != j:
                    counts[word, known[j]] += WINDOW + 1 - abs(i - j)
    smooth = counts.sum(axis=0) ** 0.75
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = counts / counts.sum(axis=1, keepdims=True) / (smooth / smooth.sum())
        return np.where(counts > 0, np.maximum(np.log(ratio), 0), 0)


reviews = st.lists(st.lists(st.integers(1, 9), max_size=15), min_size=1, max_size=8)


@given(reviews=reviews, chunk=st.integers(1, 30))
def test_the_matrix_is_the_information_of_words_and_neighbours_however_it_is_counted(reviews, chunk):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CHUNK", chunk)
        patch.setattr(module, "REVIEW_WORDS", chunk)
        matrix = module._ppmi(module._cooccurrences(ragged(*reviews), 10))
    np.testing.assert_allclose(matrix.toarray(), information(reviews, 10), atol=1e-5)


def test_the_vectors_are_the_largest_singular_vectors():
    """Scaled by the roots of the singular values; which way each points is open."""
    ids, dim = texts(), 2
    u, s, _ = svds(information([ids[row].tolist() for row in range(len(ids))], 60), k=dim)
    expected = u * np.sqrt(s)
    expected /= np.sqrt((expected[3:] ** 2).mean())
    vectors = word_vectors(ids, 60, dim, seed=1)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors @ vectors.T, expected @ expected.T, atol=0.02)
    sizes = np.linalg.norm(vectors, axis=0)
    assert all(one > other for one, other in pairwise(sizes))


def test_reviews_without_a_label_count_as_much_as_the_others():
    ids = texts()
    some, others = ids.rows(np.arange(0, len(ids), 2)), ids.rows(np.arange(1, len(ids), 2))
    np.testing.assert_array_equal(word_vectors(some, 60, 8, 1, others), word_vectors(ids, 60, 8, 1))


def test_words_of_a_kind_are_near_each_other():
    vectors = word_vectors(texts(), 60, 8, seed=1)[10:]
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = vectors @ vectors.T
    of_a_kind = (np.arange(50) % 2)[:, None] == np.arange(50) % 2
    assert cosines[of_a_kind].mean() > cosines[~of_a_kind].mean() + 0.5


def test_only_words_have_vectors_and_more_numbers_than_words_are_zero():
    ids = ragged([1, 5, 6, 2, 7, 5], [1, 6, 7], [9])
    vectors = word_vectors(ids, 12, 20, seed=1)
    assert np.isfinite(vectors).all()
    assert np.flatnonzero(vectors.any(axis=1)).tolist() == [5, 6, 7]
    assert not vectors[:, 3:].any()


@pytest.mark.parametrize(("vocab_size", "dim"), [(60, 8), (500, 8), (60, 200)])
def test_their_size_depends_neither_on_ids_without_words_nor_on_numbers_without_directions(vocab_size, dim):
    vectors = word_vectors(texts(), vocab_size, dim, seed=1)
    used = vectors[3:60][:, vectors.any(axis=0)]
    assert np.sqrt(np.mean(used**2)) == pytest.approx(1, rel=1e-4)


def test_the_same_seed_gives_the_same_vectors_and_another_one_others_of_the_same_first_directions():
    ids = texts()
    one, same, other = (word_vectors(ids, 60, 16, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
    np.testing.assert_allclose(one[:, :2] @ one[:, :2].T, other[:, :2] @ other[:, :2].T, atol=0.05 * (one**2).max())


@pytest.mark.parametrize("ids", [ragged([5], [6]), ragged([1, 2, 1, 2]), ragged([])])
def test_reviews_of_one_word_have_none(ids):
    with pytest.raises(ValueError, match="near each other"):
        word_vectors(ids, 10, 4, seed=1)


def test_a_larger_vocabulary_has_more_rows_of_zeros():
    ids = texts()
    vectors = word_vectors(ids, 90, 4, seed=1)
    np.testing.assert_array_equal(vectors[:60], word_vectors(ids, 60, 4, seed=1))
    assert not vectors[60:].any()
