"""A trained model: weights, settings, tokenizer, vocabulary and labels, and what it says about texts and about ids."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import ModelParams, PadParams
from imdb_rnn.decision import THRESHOLD, num_logits, predicted
from imdb_rnn.engine.engine import Batch, Engine, prefetch
from imdb_rnn.engine.kernels import ngrams
from imdb_rnn.engine.kernels.arithmetic import probabilities
from imdb_rnn.engine.layout import Layout
from imdb_rnn.engine.ragged import Ragged, from_lengths
from imdb_rnn.engine.weights import Weights, named
from imdb_rnn.text.encode import encode, ranks_of, with_padding
from imdb_rnn.text.profiles import Profile
from imdb_rnn.text.vocabulary import OOV, PADDING, START, get_tokenizer

BATCH = 256  # reviews; the activations of long reviews take much memory
UNSURE = "unsure"  # the answer where no label is probable enough
TEXTS = 4096  # texts whose ids are in memory at a time


class Trace(NamedTuple):
    """The probability while a text is read.

    tokens: the tokens that are read: of a text that is cut, the last or the first ones
    known: bool (tokens,), whether each token is in the vocabulary
    probability: float64, as of `Model.predict_proba`, before the first token and after each, as if the text ended there
    """

    tokens: list[str]
    known: np.ndarray
    probability: np.ndarray


@dataclass(frozen=True, eq=False)
class Model:
    """A trained model, which answers about texts from any number of threads at once.

    An answer is the same to the last bit whatever other texts are asked about, and on every machine.

    params, encoding: the settings of the network, and of how reviews become ids
    weights: see `engine.weights.Weights`
    ngram_codes: int64 (n-grams,), ascending; empty without n-grams
    vocabulary: rank 1 first; only words that have an id of their own
    tokenizer: how texts are split, see `text.vocabulary.get_tokenizer`
    labels: the names of the classes, 2 to 100; of two the second one's probability and logit are given
    best_epoch: the epoch of the training, from 1, after which the weights were as they are here
    provenance: where the training reviews come from
    threshold: of two labels the second one is predicted where its probability is above it
    profile: of the training texts, see `text.profiles.training_profile`; None in an older file

    >>> model.predict(["A wonderful film.", "A terrible film."])
    ['positive', 'negative']
    >>> model.predict_proba(["A wonderful film.", "A terrible film."]).round(2)
    array([0.95, 0.05])
    >>> model.tokenize("A wonderful film.")
    ['a', 'wonderful', 'film']
    >>> trace = model.trace("A wonderful film.")
    >>> trace.probability.round(2)
    array([0.5 , 0.5 , 0.95, 0.95])
    """

    params: ModelParams
    encoding: PadParams
    weights: Weights
    ngram_codes: np.ndarray
    vocabulary: list[str]
    tokenizer: str
    labels: tuple[str, ...]
    best_epoch: int
    provenance: dict[str, Any]
    threshold: float = THRESHOLD
    profile: Profile | None = None

    @cached_property
    def _rank(self) -> dict[str, int]:
        return {token: rank for rank, token in enumerate(self.vocabulary, start=1)}

    def tokenize(self, text: str) -> list[str]:
        """Split a text as the training reviews were split. Raises `UserError` as `get_tokenizer` does."""
        return get_tokenizer(self.tokenizer)(text)

    def encode(self, texts: Sequence[str]) -> Ragged:
        """Turn texts into ids without padding: int32. Raises `UserError` as `get_tokenizer` does."""
        return encode(ranks_of(map(get_tokenizer(self.tokenizer), texts), self._rank), self.encoding)

    def decision_function(self, texts: Iterable[str]) -> np.ndarray:
        """The logits of each text: float64 (texts,) of two labels, (texts, labels) of more; see `decision.predicted`.

        A text without words has the logits of a review of which nothing was read yet.

        Raises:
            TypeError: when `texts` is one text, or holds anything but texts.
            UserError: when the tokenizer needs a package that is not installed.
        """
        if isinstance(texts, str):
            raise TypeError("texts should be a list of texts, not one text")
        texts = list(texts)
        for number, text in enumerate(texts):
            if not isinstance(text, str):
                raise TypeError(f"texts[{number}] is {text!r:.40}, not a text")
        parts = [texts[first : first + TEXTS] for first in range(0, len(texts), TEXTS)]
        return np.concatenate([self.logits(self.encode(part)) for part in parts or [[]]])

    def predict_proba(self, texts: Iterable[str]) -> np.ndarray:
        """The probability of the second of two labels: float64 (texts,); of each of more labels: (texts, labels).

        Raises as `decision_function` does.
        """
        return probabilities(self.decision_function(texts))

    def predict(self, texts: Iterable[str], unsure: float | None = None) -> list[str]:
        """The label of each text, one of `labels`, or `UNSURE`. Raises as `decision_function` and `label_names` do."""
        return self.label_names(self.decision_function(texts), unsure)

    def label_names(self, logits: np.ndarray, unsure: float | None = None) -> list[str]:
        """The label that is predicted at each review's logits, or `UNSURE`.

        Args:
            unsure: the chance of being wrong, 1 minus the probability of the label, above which the answer is `UNSURE`;
                above 0 and, of two labels, below 0.5, of more below 1.

        Raises:
            UserError: when `unsure` is not in that range, or a label is called like that.
        """
        labels = predicted(logits, self.threshold)
        names = [self.labels[label] for label in labels.tolist()]
        if unsure is None:
            return names
        highest = 1.0 if logits.ndim == 2 else 0.5
        if not 0 < unsure < highest:
            raise UserError(f"unsure is {unsure}; choose a number above 0 and below {highest}, such as 0.2")
        if UNSURE in self.labels:
            raise UserError(
                f"the model has a label {UNSURE}, so that the answers could not be told apart; ask without it"
            )
        probability = probabilities(logits)
        of_label = probability.max(axis=1) if logits.ndim == 2 else np.where(labels == 1, probability, 1 - probability)
        return [name if sure else UNSURE for name, sure in zip(names, of_label >= 1 - unsure, strict=True)]

    def trace(self, text: str) -> Trace:
        """Follow the probability through a text, token by token. Raises `UserError` as `get_tokenizer` does."""
        ids = self.encode([text])[0]
        start = int(ids[:1].tolist() == [START])  # a text that is cut at the front has lost its start token
        tokens, read = self.tokenize(text), len(ids) - start
        tokens = tokens[len(tokens) - read :] if self.encoding.truncating == "pre" else tokens[:read]
        return Trace(tokens, ids[start:] != OOV, self.trace_ids(ids, start))

    def trace_ids(self, ids: np.ndarray, start: int) -> np.ndarray:
        """The probability if the review ended before its first word, after its first word, and so on.

        Args:
            ids: (length,), of one review.
            start: how many of the first ids are start tokens, 0 or 1: they are there from the beginning.

        Returns:
            float64 (length - start + 1,), of more than two labels (length - start + 1, labels).
        """
        lengths = np.arange(start, len(ids) + 1)
        return self.probabilities(Ragged(ids, np.zeros(len(lengths), np.int64), lengths))

    def count_weights(self) -> int:
        """How many weights there are, embeddings that are not trained too."""
        return sum(array.size for array in named(self.weights).values())

    def probabilities(self, ids: Ragged) -> np.ndarray:
        """The probabilities of each review: float64, see `predict_proba` and `compute_logits`."""
        return probabilities(self.logits(ids))

    def logits(self, ids: Ragged) -> np.ndarray:
        """The logits of each review: float64, see `decision_function` and `compute_logits`."""
        return compute_logits(self.weights, self.ngram_codes, self.params, self.encoding, ids)

    def gradient_norms(self, ids: Ragged) -> Ragged:
        """For each word of each review the length of the gradient of the logit with respect to the word's vector.

        Of more than two labels it is the logit of the predicted one. Each occurrence of a word counts by itself. The
        n-grams' scores have no vectors, so no part in the gradient.

        Returns:
            float32, Euclidean norms, one for each id.

        Raises:
            UserError: as `logits` does.
        """
        check_ids(ids, self.encoding.vocab_size)
        count = num_logits(len(self.labels))
        chosen = np.zeros(len(ids), np.float32) if count == 1 else predicted(self.logits(ids)).astype(np.float32)
        norms = [np.empty(0, np.float32)] * len(ids)
        params = self.params.model_copy(update={"ngrams": 0})
        embeddings, no_ngrams = self.weights.embeddings, np.empty(0, np.float32)
        for rows in _batches(ids):
            batch = as_read(ids.rows(rows), params, self.encoding)
            flat = batch.flat()
            # A vector for each word's occurrence, so that each has a gradient of its own; all padding has the first one
            is_word = flat != PADDING
            words = flat[is_word]
            engine = Engine(Layout(params, len(words) + 1, 0, count))
            occurrences = np.zeros(len(flat), np.int32)
            occurrences[is_word] = np.arange(1, len(words) + 1)
            weights = self.weights._replace(embeddings=embeddings[np.append(PADDING, words)], ngrams=no_ngrams)
            prepared = engine.prepare(from_lengths(occurrences, batch.lengths))
            engine.explain(engine.layout.flatten(weights), prepared, chosen[rows])
            dvectors = engine.layout.split(engine.gradient).embeddings[1:]
            of_batch = from_lengths(np.sqrt((dvectors * dvectors).sum(axis=1)), ids.lengths[rows])
            for number, row in enumerate(rows):
                norms[row] = of_batch[number]
        return from_lengths(np.concatenate([*norms, np.empty(0, np.float32)]), ids.lengths)


def compute_logits(
    weights: Weights, ngram_codes: np.ndarray, params: ModelParams, encoding: PadParams, ids: Ragged
) -> np.ndarray:
    """The logits of each review, for a model and for a network that is being trained: float64, see `Engine.logits`.

    Args:
        ngram_codes: int64 (n-grams,), ascending.
        ids: reviews without padding, as `text.encode` makes them. A network that reads padding gets it here.

    Raises:
        UserError: when an id is not below the size of the vocabulary.
    """
    check_ids(ids, encoding.vocab_size)
    layout = Layout(params, encoding.vocab_size, len(ngram_codes), len(weights.head_bias))
    engine = Engine(layout)
    flat, logits = layout.flatten(weights), np.empty((len(ids), *layout.of_review))

    def prepare(rows: np.ndarray) -> Batch:
        batch, indices = ids.rows(rows), None
        if params.ngrams:
            indices = ngrams.look_up(ngrams.codes_of(batch, params.ngrams, encoding.vocab_size), ngram_codes)
        return engine.prepare(as_read(batch, params, encoding), indices)

    for rows, batch, prefetch_next in prefetch(_batches(ids), prepare):
        logits[rows] = engine.logits(flat, batch, prefetch_next)
    return logits


def _batches(ids: Ragged) -> list[np.ndarray]:
    """The rows of reviews of similar length, longest first, `BATCH` at a time."""
    order = np.argsort(-ids.lengths, kind="stable")
    return [order[i : i + BATCH] for i in range(0, len(order), BATCH)]


def as_read(ids: Ragged, params: ModelParams, encoding: PadParams) -> Ragged:
    """Reviews as the recurrence reads them: with their padding, if the network reads it."""
    return ids if params.mask_padding else with_padding(ids, encoding.maxlen, encoding.padding)


def check_ids(ids: Ragged, vocab_size: int) -> None:
    """Raise a `UserError` if a review holds an id that the network has no vector for; the recurrence does not look."""
    smallest, largest = ids.values.min(initial=0), ids.values.max(initial=0)
    if smallest < 0 or largest >= vocab_size:
        wrong = smallest if smallest < 0 else largest
        raise UserError(f"the network knows the ids below {vocab_size}, the reviews hold {wrong}; run `dvc repro`")
