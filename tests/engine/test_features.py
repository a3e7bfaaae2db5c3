import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import ragged
from sklearn.feature_extraction.text import TfidfVectorizer

from imdb_rnn.engine.features import Features, composed, inverse_document_frequency, side_by_side, weighted
from imdb_rnn.engine.kernels import ngrams
from imdb_rnn.engine.ragged import Ragged

VOCAB_SIZE = 9

texts = st.lists(st.lists(st.integers(1, VOCAB_SIZE - 1), max_size=12), min_size=1, max_size=8)


def dense(features: Features, count: int) -> np.ndarray:
    matrix = np.zeros((len(features.columns), count))
    values = Ragged(features.values, features.columns.starts, features.columns.lengths)
    for row in range(len(matrix)):
        matrix[row, features.columns[row]] = values[row]
    return matrix


def tfidf(reviews: list[list[int]], longest: int, min_reviews: int) -> tuple[Features, int]:
    codes = ngrams.codes_of(ragged(*reviews), longest, VOCAB_SIZE)
    known = ngrams.known_codes(codes, min_reviews)
    columns = ngrams.look_up(codes, known)
    return weighted(columns, inverse_document_frequency(columns, len(known))), len(known)


@pytest.mark.parametrize("longest", [1, 2, 3])
@given(reviews=texts, min_reviews=st.integers(1, 2))
def test_idf_as_weights_gives_tfidf_as_scikit_learn_has_it(reviews, longest, min_reviews):
    """The order of the columns is another, as scikit-learn sorts n-grams as text."""
    features, count = tfidf(reviews, longest, min_reviews)
    assert (features.columns.values.dtype, features.values.dtype) == (np.int32, np.float32)
    vectorizer = TfidfVectorizer(
        analyzer=lambda text: [tuple(text[i : i + n]) for n in range(1, longest + 1) for i in range(len(text) - n + 1)],
        binary=True,
        min_df=min_reviews,
    )
    try:
        expected = vectorizer.fit_transform(reviews).toarray()
    except ValueError:  # there are no n-grams at all
        assert count == 0
        return
    code = [int("".join(map(str, gram)), VOCAB_SIZE) for gram in vectorizer.get_feature_names_out()]
    np.testing.assert_allclose(dense(features, count), expected[:, np.argsort(code)], rtol=1e-6)


def test_weights_of_any_sign_keep_it_and_rows_without_weight_stay_zero():
    features = weighted(ragged([0, 1], [2], []), np.array([3.0, -4.0, 0.0]))
    np.testing.assert_allclose(dense(features, 3), [[0.6, -0.8, 0], [0, 0, 0], [0, 0, 0]], rtol=1e-6)


@given(reviews=texts, order=st.randoms(use_true_random=False))
def test_some_rows_in_any_order(reviews, order):
    features, count = tfidf(reviews, 2, 1)
    chosen = list(range(len(reviews)))
    order.shuffle(chosen)
    np.testing.assert_array_equal(dense(features.rows(np.array(chosen)), count), dense(features, count)[chosen])


@given(reviews=texts, order=st.randoms(use_true_random=False))
def test_kinds_of_features_side_by_side(reviews, order):
    (one, m), (two, n) = tfidf(reviews, 1, 1), tfidf(reviews, 3, 2)
    chosen = list(range(len(reviews)))
    order.shuffle(chosen)
    one, two = (features.rows(np.array(chosen)) for features in (one, two))
    both = side_by_side(one, two, m)
    np.testing.assert_array_equal(dense(both, m + n), np.hstack([dense(one, m), dense(two, n)]))


@given(
    reviews=texts, words=st.lists(st.lists(st.integers(0, 6), unique=True), min_size=VOCAB_SIZE, max_size=VOCAB_SIZE)
)
def test_the_parts_of_distinct_features_are_counted(reviews, words):
    rows = [sorted(set(review)) for review in reviews]
    has_word, has_part = np.zeros((len(rows), VOCAB_SIZE)), np.zeros((VOCAB_SIZE, 7))
    for row, review in enumerate(rows):
        has_word[row, review] = 1
    for word, parts in enumerate(words):
        has_part[word, parts] = 1
    found = composed(ragged(*rows), ragged(*words))
    np.testing.assert_array_equal(dense(found, 7), has_word @ has_part)
    assert found.columns.lengths.tolist() == np.count_nonzero(has_word @ has_part, axis=1).tolist()
