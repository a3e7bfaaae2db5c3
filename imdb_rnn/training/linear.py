"""The linear part of a network: a score for each n-gram, fitted by logistic regression until it converges.

A single word's score is the sum of its own weight and those of the character n-grams in it, so that words learn from
those that are spelt alike (Bojanowski and others, Enriching Word Vectors with Subword Information, 2017). How strong
regularisation is, and whether n-grams are weighted by their log-count ratios (Wang and Manning, Baselines and Bigrams,
2012), is chosen by the loss on reviews that a fit has not seen.

If there are reviews without a label, the fit is repeated with the half of them of which it is surest, with the labels
that it predicts: self-training (Yarowsky, Unsupervised Word Sense Disambiguation Rivaling Supervised Methods, 1995).
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
    unlabelled: the same of each review without a label
    spelling: of each id the indices of its n-grams of characters
    is_class: bool (logits, reviews)
    sample_weights: float64 (reviews,)
    min_reviews: see `ModelParams.ngram_min_reviews`
    seed: of the order in which reviews are visited
    """

    codes: Ragged
    unlabelled: Ragged
    spelling: Ragged
    is_class: np.ndarray
    sample_weights: np.ndarray
    min_reviews: int | None
    seed: int

    def rows(self, rows: np.ndarray) -> "Problem":
        """Some of the reviews."""
        codes, is_class = _some(self.codes, rows), self.is_class[:, rows]
        return self._replace(codes=codes, is_class=is_class, sample_weights=self.sample_weights[rows])

    def fit(self, with_ratios: list[bool], costs: np.ndarray, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
        """Known n-grams, and weights, float64 (with and without ratios, logits, costs, n-grams + 1)."""
        known = _known(self.codes, self.min_reviews)
        kinds, costs_of_rows = _kinds(self.codes, known, self.spelling), costs[:, None] * self.sample_weights
        fitted = [
            [_fit_class(kinds, side, costs_of_rows, ratios, self.seed, tolerance) for side in self.is_class]
            for ratios in with_ratios
        ]
        return known, np.array(fitted)

    def fit_as_chosen(self, choice: Choice, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
        """Known n-grams, and weights, float64 (logits, n-grams + 1), with the help of reviews without a label."""
        known, weights = self.fit([choice.with_ratios], np.array([choice.cost]), tolerance)
        if len(self.unlabelled):
            more = self._with_surest(_sums(ngrams.look_up(self.unlabelled, known), weights[0, :, 0]))
            known, weights = more.fit([choice.with_ratios], np.array([choice.cost]), tolerance)
        return known, weights[0, :, 0]

    def _with_surest(self, logits: np.ndarray) -> "Problem":
        """These reviews, and of those without a label the surest, half of them, in the shares of the classes.

        Args:
            logits: float64 (logits, reviews without a label).
        """
        of_class = logits if len(logits) > 1 else np.concatenate([-logits, logits])
        is_class = self.is_class if len(logits) > 1 else np.concatenate([~self.is_class, self.is_class])
        predicted, chosen = of_class.argmax(axis=0), []
        for k, side in enumerate(is_class):
            alike = np.flatnonzero(predicted == k)
            surest = alike[np.argsort(-of_class[k, alike], kind="stable")]
            chosen.append(np.sort(surest[: round(side.mean() * logits.shape[1] / 2)]))
        rows, labels = np.concatenate(chosen), np.repeat(np.arange(len(chosen)), [len(of_one) for of_one in chosen])
        weight = [self.sample_weights[side].sum() / max(side.sum(), 1) for side in is_class]
        of_rows = labels == np.arange(len(chosen))[len(chosen) - len(logits) :, None]
        codes = self.codes.flat(), self.unlabelled.rows(rows).flat()
        lengths = np.concatenate([self.codes.lengths, self.unlabelled.lengths[rows]])
        return self._replace(
            codes=from_lengths(np.concatenate(codes), lengths),
            is_class=np.hstack([self.is_class, of_rows]),
            sample_weights=np.concatenate([self.sample_weights, np.array(weight)[labels]]),
        )


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
    unlabelled = ngrams.codes_of(training.unlabelled, params.ngrams, vocab_size)
    return Problem(codes, unlabelled, spelling, is_class, weights, params.ngram_min_reviews, seed)


def choose(of: Problem, splits: Splits) -> tuple[Choice, np.ndarray]:
    """Choose with the lowest loss on reviews that fits have not seen.

    Returns:
        The choice, and the logits of these fits, float64 (reviews, logits).
    """
    unseen = np.zeros((2, len(of.is_class), len(COSTS), len(of.codes)))
    for learnt, rows in splits if len(splits) > 1 else []:
        known, weights = of.rows(learnt).fit([False, True], COSTS, 10 * TOLERANCE)  # to compare them
        columns = ngrams.look_up(_some(of.codes, rows), known)
        unseen[..., rows] = _sums(columns, weights.reshape(-1, len(known) + 1)).reshape(*weights.shape[:3], -1)
    ratios, cost = _best(unseen, of.is_class, of.sample_weights)
    choice, logits = Choice(bool(ratios), float(COSTS[cost])), unseen[ratios, :, cost].T
    if len(of.unlabelled):
        for learnt, rows in splits:
            known, weights = of.rows(learnt).fit_as_chosen(choice, TOLERANCE)
            logits[rows] = _sums(ngrams.look_up(_some(of.codes, rows), known), weights).T
    return choice, logits


def fit(of: Problem, choice: Choice) -> Linear:
    """Fit all reviews."""
    known, weights = of.fit_as_chosen(choice, TOLERANCE)
    scores = weights.T.astype(np.float32, order="C")
    return Linear(known, scores[:-1], scores[-1], _sums(ngrams.look_up(of.codes, known), weights).T)


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
    features = side_by_side(scaled[0], scaled[1], counts[0])
    fitted = logistic.fit(features, np.tile(is_class, (len(costs), 1)), costs, sum(counts), seed, tolerance)
    of_words, of_characters, bias = np.split(fitted, [counts[0], -1], axis=1)
    in_words = _sums(parts, np.pad(of_characters * weights[1], ((0, 0), (0, 1))))
    return np.hstack([of_words * weights[0] + in_words, bias])
