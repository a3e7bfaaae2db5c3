"""The linear baseline: `python -m experiments.compare.linear`.

In: `data/reviews/`. Out: `experiments/compare/runs/linear/`. Logistic regression on the 1- to 3-grams of a review,
each weighted by its naive-Bayes log-count ratio (Wang and Manning, Baselines and Bigrams, 2012). It reads whole reviews
and all words for whose n-grams there is a code, and it trains on all training reviews, since it has no epoch to choose.
"""

import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from experiments.compare.runs import LINEAR, RUNS, Run, write_run
from imdb_rnn.core import files
from imdb_rnn.core.errors import run_command
from imdb_rnn.engine.kernels import ngrams
from imdb_rnn.engine.ragged import Ragged, from_lengths
from imdb_rnn.text.corpus import Reviews, read_reviews, read_vocabulary
from imdb_rnn.text.vocabulary import OOV, RANK_OFFSET

# Chosen on the validation part of the training reviews: n-grams of 1 to 3 words, in 1 to 20 reviews, C from 0.01 to 10.
LONGEST, MIN_REVIEWS, SMOOTHING, C = 3, 2, 1, 0.1


class Baseline(NamedTuple):
    """A fitted baseline: word ids are below `vocab_size`; codes are of its n-grams.

    The ratios of the n-grams and a regression of two classes are those of the second, of more each class has its own.
    """

    vocab_size: int
    codes: np.ndarray
    ratios: list[np.ndarray]
    regressions: list[LogisticRegression]


def vocabulary_size(words: int) -> int:
    """The number of ids for so many words; the rarest have no id where the codes of n-grams allow no more."""
    return min(words + RANK_OFFSET + 1, ngrams.largest_vocabulary(LONGEST))


def as_ids(ranks: Ragged, vocab_size: int) -> Ragged:
    """Whole reviews as ids below `vocab_size`, without a start token."""
    flat = ranks.flat()
    known = (flat > 0) & (flat < vocab_size - RANK_OFFSET)
    return from_lengths(np.where(known, flat + RANK_OFFSET, OOV).astype(np.int32), ranks.lengths)


def weighted(indices: Ragged, ratios: np.ndarray) -> csr_matrix:
    """The log-count ratios of the n-grams of each review: (reviews, n-grams)."""
    columns = indices.flat()
    ends = np.append(0, np.cumsum(indices.lengths))
    return csr_matrix((ratios[columns], columns, ends), shape=(len(indices), len(ratios)))


def fit(reviews: Reviews, vocab_size: int) -> Baseline:
    """Fit the baseline."""
    codes = ngrams.codes_of(as_ids(reviews.ranks, vocab_size), LONGEST, vocab_size)
    known = ngrams.known_codes(codes, MIN_REVIEWS)
    indices = ngrams.look_up(codes, known)
    baseline, classes = Baseline(vocab_size, known, [], []), int(reviews.labels.max()) + 1
    for of_class in [reviews.labels == k for k in (range(classes) if classes > 2 else [1])]:
        baseline.ratios.append(ngrams.log_count_ratio(indices, of_class, len(known), SMOOTHING))
        regression = LogisticRegression(C=C, max_iter=200, tol=1e-3)
        baseline.regressions.append(regression.fit(weighted(indices, baseline.ratios[-1]), of_class))
    return baseline


def logits(baseline: Baseline, ranks: Ragged) -> np.ndarray:
    """The logits of each review: float64 (reviews,) of two classes, (reviews, classes) of more."""
    codes = ngrams.codes_of(as_ids(ranks, baseline.vocab_size), LONGEST, baseline.vocab_size)
    indices, found = ngrams.look_up(codes, baseline.codes), []
    for regression, ratios in zip(baseline.regressions, baseline.ratios, strict=True):
        found.append(regression.decision_function(weighted(indices, ratios)))
    return np.stack(found, axis=1) if len(found) > 1 else found[0]


def main(root: Path) -> None:
    folder = root / files.REVIEWS
    reviews, test_reviews = read_reviews(folder, "train"), read_reviews(folder, "test")
    vocab_size = vocabulary_size(len(read_vocabulary(folder)))
    begun = time.perf_counter()
    baseline = fit(reviews, vocab_size)
    fitted = time.perf_counter()
    of_test = logits(baseline, test_reviews.ranks)
    predicted = time.perf_counter()
    run = Run(
        weights=(len(baseline.codes) + 1) * len(baseline.regressions),
        training_seconds=round(fitted - begun, 2),
        reviews_per_second=round(len(of_test) / (predicted - fitted)),
    )
    with files.replacing(root / RUNS / LINEAR) as new:
        new.mkdir()
        write_run(new, run, of_test)
    print(f"{LINEAR}: {run.weights:,} weights, fitted in {run.training_seconds:.0f} s")


if __name__ == "__main__":
    run_command(lambda: main(Path()))
