"""The linear baseline: logistic regression on the TF-IDF of single words and word pairs, two lines of scikit-learn."""

import numpy as np

from imdb_rnn.engine import logistic
from imdb_rnn.engine.features import inverse_document_frequency, weighted
from imdb_rnn.engine.kernels import ngrams
from imdb_rnn.engine.kernels.arithmetic import cross_entropy
from imdb_rnn.engine.ragged import Ragged, from_lengths
from imdb_rnn.text.corpus import Reviews

LONGEST, C = 2, 10.0  # C: what tutorials take; nothing is tuned
SEED, TOLERANCE = 42, 0.1  # lower ones cost twice the time, and change no prediction


def baseline(training: Reviews, ranks: Ragged, words: int) -> np.ndarray:
    """Fit the baseline to reviews, whole and with all their words, and judge others.

    The two lines are `TfidfVectorizer(ngram_range=(1, 2), binary=True)` and `LogisticRegression(C=10)`. Of more than
    two classes each is told from the rest.

    Args:
        training: every class has a review.
        ranks: reviews to judge.
        words: how many the vocabulary has; no rank is higher.

    Returns:
        The logits, float64 (reviews,) for two classes, and (reviews, classes) for more.
    """
    n, values = len(training), np.concatenate([training.ranks.flat(), ranks.flat()])
    both = from_lengths(values, np.append(training.ranks.lengths, ranks.lengths))
    columns, count = ngrams.numbered(both, n, LONGEST, words + 1)  # rank 0, an unknown word, is in none, as padding
    idf = inverse_document_frequency(columns.rows(np.arange(n)), count)
    features = weighted(columns, idf)
    targets = training.labels == np.arange(training.labels.max() + 1)[:, None]
    if len(targets) == 2:
        targets = targets[1:]
    costs = np.full(targets.shape, C)
    weights = logistic.fit(features.rows(np.arange(n)), targets, costs, count, SEED, TOLERANCE)
    logits = logistic.logits(features.rows(np.arange(n, len(both))), weights)
    if len(targets) == 1:
        return logits[0]
    # Their softmax is each class's probability against the rest, divided by the sum of these.
    return -cross_entropy(np.ones(logits.size), logits.ravel())[0].reshape(logits.shape).T
