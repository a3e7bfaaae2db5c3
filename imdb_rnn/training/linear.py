"""The linear part of a network: a score for each n-gram, fitted by logistic regression until it converges.

A single word's score is the sum of its own weight and those of the character n-grams in it, so that words learn from
those that are spelt alike (Bojanowski and others, Enriching Word Vectors with Subword Information, 2017). How strong
regularisation is, and whether n-grams are weighted by their log-count ratios (Wang and Manning, Baselines and Bigrams,
2012), is chosen by the loss on reviews that a fit has not seen.
"""

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import ModelParams
from imdb_rnn.decision import num_logits
from imdb_rnn.engine import logistic
from imdb_rnn.engine.features import Features, composed, inverse_document_frequency, side_by_side
from imdb_rnn.engine.kernels import ngrams
from imdb_rnn.engine.kernels.arithmetic import cross_entropy
from imdb_rnn.engine.ragged import Ragged, from_lengths
from imdb_rnn.text.encode import Labelled, ranks_of
from imdb_rnn.text.vocabulary import RANK_OFFSET, count_vocabulary
from imdb_rnn.training.batches import Splits

COSTS = np.array([1.0, 3.0, 10.0, 30.0])  # what logistic regression's C is chosen from
SMOOTHING, TOLERANCE = 1.0, 0.01
MOST_NGRAMS = 250_000
MOST_WORDS = 2**20  # in all reviews; from more, words learn enough by themselves
CHARACTERS, BASE = 5, 4096  # the longest n-gram of characters, and how many different characters, those of most words
SCALES = 0.8, 0.6  # of n-grams of words, and of characters; their squares add up to 1
LENGTHS = np.array([1.0, 0.7, 0.5])  # of n-grams of 1, 2, 3 words; ratios already say what the longer ones are worth


class Choice(NamedTuple):
    """with_ratios: whether n-grams are weighted by their log-count ratios
    cost: logistic regression's C
    """

    with_ratios: bool
    cost: float


class Linear(NamedTuple):
    """codes: int64 (n-grams,), ascending
    scores: float32 (n-grams, logits)
    bias: float32 (logits,)
    of_training: float64 (reviews, logits), the logits of the training reviews
    """

    codes: np.ndarray
    scores: np.ndarray
    bias: np.ndarray
    of_training: np.ndarray


class Problem(NamedTuple):
    """What is fitted. Of more than two classes each is told from the rest.

    codes: int64, of the n-grams of each review
    spelling: of each id the indices of its n-grams of characters
    is_class: bool (logits, reviews)
    sample_weights: float64 (reviews,)
    min_reviews: see `ModelParams.ngram_min_reviews`
    seed: of the order in which reviews are visited
    """

    codes: Ragged
    spelling: Ragged
    is_class: np.ndarray
    sample_weights: np.ndarray
    min_reviews: int | None
    seed: int

    def fit(
        self, rows: np.ndarray, with_ratios: list[bool], costs: np.ndarray, tolerance: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Fit some rows: known n-grams, and weights, float64 (with and without ratios, logits, costs, n-grams + 1)."""
        codes = _some(self.codes, rows)
        known = _known(codes, self.min_reviews)
        kinds, costs_of_rows = _kinds(codes, known, self.spelling), costs[:, None] * self.sample_weights[rows]
        fitted = [
            [_fit_class(kinds, side[rows], costs_of_rows, ratios, self.seed, tolerance) for side in self.is_class]
            for ratios in with_ratios
        ]
        return known, np.array(fitted)


def problem(
    training: Labelled, words: Sequence[str], vocab_size: int, params: ModelParams, weights: np.ndarray, seed: int
) -> Problem:
    """Count the n-grams.

    Args:
        training: ids below `vocab_size`.
        words: of the vocabulary, rank 1 first, as they are spelt; empty: words have no n-grams of characters.
        params: how long n-grams are, and in how many reviews.
        weights: float64 (reviews,), what each review counts.

    Raises:
        UserError: if no n-gram is in enough reviews.
    """
    codes = ngrams.codes_of(training.ids, params.ngrams, vocab_size)
    if not len(_known(codes, params.ngram_min_reviews)):
        raise UserError(f"no n-gram is in {params.ngram_min_reviews} training reviews; set model.ngrams to 0")
    spelling = _spelling(words if training.ids.lengths.sum() <= MOST_WORDS else (), vocab_size)
    classes = int(training.y.max()) + 1
    is_class = training.y == np.arange(classes)[classes - num_logits(classes) :, None]
    return Problem(codes, spelling, is_class, weights, params.ngram_min_reviews, seed)


def choose(of: Problem, splits: Splits) -> tuple[Choice, np.ndarray]:
    """Choose with the lowest loss on reviews that fits have not seen.

    Returns:
        The choice, and the logits of these fits, float64 (reviews, logits).
    """
    unseen = np.zeros((2, len(of.is_class), len(COSTS), len(of.codes)))
    for learnt, rows in splits if len(splits) > 1 else []:
        known, weights = of.fit(learnt, [False, True], COSTS, 10 * TOLERANCE)  # to compare them
        columns = ngrams.look_up(_some(of.codes, rows), known)
        unseen[..., rows] = _sums(columns, weights.reshape(-1, len(known) + 1)).reshape(*weights.shape[:3], -1)
    ratios, cost = _best(unseen, of.is_class, of.sample_weights)
    return Choice(bool(ratios), float(COSTS[cost])), unseen[ratios, :, cost].T


def fit(of: Problem, choice: Choice) -> Linear:
    """Fit all reviews."""
    known, weights = of.fit(np.arange(len(of.codes)), [choice.with_ratios], np.array([choice.cost]), TOLERANCE)
    scores = weights[0, :, 0].T.astype(np.float32, order="C")
    of_training = _sums(ngrams.look_up(of.codes, known), weights[0, :, 0]).T
    return Linear(known, scores[:-1], scores[-1], of_training)


def _known(codes: Ragged, min_reviews: int | None) -> np.ndarray:
    """The codes that at least so many reviews have, or the lowest number that leaves at most `MOST_NGRAMS`."""
    if min_reviews is None:
        counts = np.unique(codes.values, return_counts=True)[1]
        left = np.append(np.cumsum(np.bincount(counts)[::-1])[::-1], 0)  # by the number of reviews
        min_reviews = int(np.argmax(left <= MOST_NGRAMS))
    return ngrams.known_codes(codes, min_reviews)


def _some(codes: Ragged, rows: np.ndarray) -> Ragged:
    return from_lengths(codes.rows(rows).flat(), codes.lengths[rows])


def _sums(columns: Ragged, weights: np.ndarray) -> np.ndarray:
    """The sum of the weights of each row's columns and of the last weight: float64 (problems, rows)."""
    return logistic.logits(Features(columns, np.ones(len(columns.values), np.float32)), weights)


def _best(unseen: np.ndarray, is_class: np.ndarray, sample_weights: np.ndarray) -> tuple[int, int]:
    """Whether ratios are used, and the index of the cost, with the lowest loss: that of each class against the rest."""
    losses = np.zeros((len(unseen), len(COSTS)))
    for (k, side), (r, c) in product(enumerate(is_class), np.ndindex(losses.shape)):
        losses[r, c] += (cross_entropy(side, unseen[r, k, c])[0] * sample_weights).sum()
    with_ratios, cost = np.unravel_index(losses.argmin(), losses.shape)
    return int(with_ratios), int(cost)


def _spelling(words: Sequence[str], vocab_size: int) -> Ragged:
    """Of each id below `vocab_size`, the indices of its word's n-grams of characters that some other word has too."""
    spelt = [*([] for _ in range(RANK_OFFSET + 1)), *(list(f" {word} ") for word in words)][:vocab_size]
    spelt += [[]] * (vocab_size - len(spelt))
    characters = count_vocabulary(spelt)[: BASE - 1]
    codes = ngrams.codes_of(ranks_of(spelt, {c: i for i, c in enumerate(characters, 1)}), CHARACTERS, BASE)
    return ngrams.look_up(codes, ngrams.known_codes(codes, 2))


class _Kinds(NamedTuple):
    """What n-grams of words, and of characters, reviews have.

    words: the value is 1
    characters: the value is in how many words of the review
    parts: the n-grams of characters of each known n-gram of words: of single words, longer ones have none
    by_length: of each known n-gram of words, one of `LENGTHS`
    """

    words: Features
    characters: Features
    parts: Ragged
    by_length: np.ndarray


def _kinds(codes: Ragged, known: np.ndarray, spelling: Ragged) -> _Kinds:
    columns = ngrams.look_up(codes, known)
    single = known[known < len(spelling)]
    none = np.zeros(len(known) - len(single), np.int64)
    parts = Ragged(spelling.values, np.append(spelling.starts[single], none), np.append(spelling.lengths[single], none))
    by_length = LENGTHS[np.searchsorted([len(spelling), len(spelling) ** 2], known, side="right")]
    words = Features(columns, np.ones(len(columns.values), np.float32))
    return _Kinds(words, composed(columns, parts), parts, by_length)


def _fit_class(
    kinds: _Kinds, is_class: np.ndarray, costs: np.ndarray, with_ratios: bool, seed: int, tolerance: float
) -> np.ndarray:
    """Fit one class against the rest at several costs, (costs, reviews): float64 (costs, n-grams + 1), the bias last.

    An n-gram is weighted by its inverse document frequency, as in TF-IDF. What has a given norm is not each review, but
    their root mean square, for each kind of n-grams, so that a review's logit is a sum of scores.
    """
    parts, counts = kinds.parts, [len(kinds.parts), int(kinds.parts.values.max(initial=-1)) + 1]
    weights, scaled = [], []
    for (present, values), count, scale, by_length in zip(kinds[:2], counts, SCALES, (kinds.by_length, 1), strict=True):
        of_kind = inverse_document_frequency(present, count)
        if with_ratios:
            of_kind *= np.sqrt(np.abs(ngrams.log_count_ratio(present, is_class, count, SMOOTHING)))
        else:
            of_kind *= by_length
        square = ((values * of_kind[present.values]) ** 2).sum() / len(present)
        of_kind *= scale / np.sqrt(square) if square > 0 else 0
        weights.append(of_kind)
        scaled.append(Features(present, (values * of_kind[present.values]).astype(np.float32)))
    features = side_by_side(scaled, counts, [1, 1])
    fitted = logistic.fit(features, np.tile(is_class, (len(costs), 1)), costs, sum(counts), seed, tolerance)
    of_words, of_characters, bias = np.split(fitted, [counts[0], -1], axis=1)
    in_words = _sums(parts, np.pad(of_characters * weights[1], ((0, 0), (0, 1))))
    return np.hstack([of_words * weights[0] + in_words, bias])
