"""The linear baseline: `python -m compare.linear`.

In: `data/reviews/`. Out: `compare/runs/linear/`. The 1- to 3-grams of a review, each weighted by its naive-Bayes
log-count ratio, and logistic regression on them (Wang and Manning, Baselines and Bigrams, 2012). Whole reviews and all
words count, and all training reviews are used: it has no epoch to choose.
"""

import time

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from compare.runs import write_run
from stages import files, ngrams
from stages.batches import Words
from imdb_rnn.base.errors import run
from stages.reviews import Reviews, read_reviews
from imdb_rnn.reviews.vocabulary import RANK_OFFSET, UNKNOWN

# Chosen on the validation part of the training reviews, among 1 to 3 words, 1 to 20 reviews, C from 0.01 to 10.
LONGEST, MIN_REVIEWS, SMOOTHING, C = 3, 2, 1, 0.1


def as_words(reviews: Reviews) -> Words:
    """Whole reviews as ids, every word of the vocabulary with its own."""
    ids = np.where(reviews.ranks > 0, reviews.ranks + RANK_OFFSET, UNKNOWN).astype(np.int32)
    return Words(ids, reviews.offsets[:-1], np.diff(reviews.offsets))


def matrix(found: Words, weights: np.ndarray) -> csr_matrix:
    """The weights of the n-grams that each review has: (reviews, n-grams)."""
    ends = np.append(found.starts, len(found.tokens))
    return csr_matrix((weights[found.tokens], found.tokens, ends), shape=(len(found.lengths), len(weights)))


def fit(reviews: Reviews, vocab_size: int) -> tuple[np.ndarray, np.ndarray, LogisticRegression]:
    """Fit the baseline; return the codes of its n-grams, their log-count ratios, and the regression."""
    codes = ngrams.codes_of(as_words(reviews), LONGEST, vocab_size)
    known = ngrams.known_codes(codes, MIN_REVIEWS)
    found = ngrams.look_up(codes, known)
    ratio = ngrams.log_count_ratio(found, reviews.labels, len(known), SMOOTHING)
    regression = LogisticRegression(C=C, max_iter=200, tol=1e-3)
    return known, ratio, regression.fit(matrix(found, ratio), reviews.labels)


def predict(known: np.ndarray, ratio: np.ndarray, regression: LogisticRegression, reviews: Reviews, vocab_size: int):
    """Give the probability that each review is positive: float64 (reviews,)."""
    found = ngrams.look_up(ngrams.codes_of(as_words(reviews), LONGEST, vocab_size), known)
    return regression.predict_proba(matrix(found, ratio))[:, 1]


def main() -> None:
    reviews, test_reviews = (read_reviews(files.REVIEWS, name) for name in ("train", "test"))
    vocab_size = int(max(reviews.ranks.max(), test_reviews.ranks.max())) + RANK_OFFSET + 1
    begun = time.perf_counter()
    known, ratio, regression = fit(reviews, vocab_size)
    fitted = time.perf_counter()
    probability = predict(known, ratio, regression, test_reviews, vocab_size)
    predicted = time.perf_counter()
    write_run(
        "linear",
        test_reviews.labels,
        probability,
        parameters=len(known) + 1,
        training=fitted - begun,
        prediction=predicted - fitted,
    )


if __name__ == "__main__":
    run(main)
