import numpy as np
import pytest
from material import as_lists
from scipy.special import expit
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression

from experiments.compare import linear
from imdb_rnn.text.corpus import Reviews, from_lists

pytestmark = pytest.mark.slow


@pytest.mark.slow
def test_the_linear_baseline_is_logistic_regression_on_weighted_ngrams(corpus):
    """On real reviews, compared with Python's own sets and scikit-learn's vectorizer."""
    lists, labels = as_lists(corpus.train), corpus.train.labels
    reviews = from_lists(lists[::100], labels[::100])
    others = from_lists(lists[50::400], labels[50::400])
    baseline = linear.fit(reviews, linear.vocabulary_size(len(corpus.vocabulary)))
    probability = expit(linear.logits(baseline, others.ranks))

    def sets(texts):
        grams = [[tuple(text[i : i + n]) for n in (1, 2, 3) for i in range(len(text) - n + 1)] for text in texts]
        return [dict.fromkeys(map(str, review), 1.0) for review in grams]

    vectorizer = DictVectorizer()
    x = vectorizer.fit_transform(sets(lists[::100]))
    often = np.asarray(x.sum(axis=0)).ravel() >= linear.MIN_REVIEWS
    x, y = x[:, often], labels[::100]
    p, q = (np.asarray(x[y == label].sum(axis=0)).ravel() + linear.SMOOTHING for label in (1, 0))
    ratio = np.log(p / p.sum()) - np.log(q / q.sum())
    regression = LogisticRegression(C=linear.C, max_iter=200, tol=1e-3).fit(x.multiply(ratio).tocsr(), y)
    expected = regression.predict_proba(vectorizer.transform(sets(lists[50::400]))[:, often].multiply(ratio).tocsr())
    np.testing.assert_allclose(probability, expected[:, 1], atol=1e-3)
    assert len(baseline.codes) == often.sum()


def test_words_beyond_what_the_codes_of_ngrams_allow_are_unknown():
    """Three million words: a code to the base of so many would not fit into an int64, so the rarest have no id."""
    vocab_size = linear.vocabulary_size(3_000_000)
    assert vocab_size**linear.LONGEST <= 2**63
    largest = vocab_size - 4  # rank of the last word that has an id
    lists = [[largest, 1, largest], [largest, 2, 2_999_999], [largest, 1, 2_500_000], [largest, 2, 2_999_998]] * 3

    def reviews(highest: int) -> Reviews:
        return from_lists([[rank if rank <= highest else 0 for rank in ranks] for ranks in lists], np.array([1, 0] * 6))

    found, expected = linear.fit(reviews(3_000_000), vocab_size), linear.fit(reviews(largest), vocab_size)
    np.testing.assert_array_equal(found.codes, expected.codes)
    np.testing.assert_array_equal(found.ratios, expected.ratios)
    assert found.codes.min() > 0
    assert found.codes.max() < vocab_size**linear.LONGEST
    assert ((linear.logits(found, reviews(3_000_000).ranks) > 0) == np.array([1, 0] * 6)).all()


def test_each_of_several_classes_is_set_against_the_rest():
    random, labels = np.random.default_rng(1), np.tile([0, 1, 2], 40)
    reviews = from_lists([[*random.integers(4, 30, 5), 1 + label] for label in labels], labels)
    found = linear.logits(linear.fit(reviews, 40), reviews.ranks)
    assert found.shape == (120, 3)
    assert (found.argmax(axis=1) == labels).all()


def test_a_small_vocabulary_is_taken_whole():
    assert linear.vocabulary_size(100) == 104
