"""A network: its parameters, its weights, its vocabulary, and what it says of reviews. Needs no TensorFlow."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import ModelParams, PadParams
from imdb_rnn.engine.engine import Batch, Engine, in_turn
from imdb_rnn.engine.kernels import ngrams
from imdb_rnn.engine.kernels.arithmetic import expit
from imdb_rnn.engine.kernels.lookup import Lookup
from imdb_rnn.engine.ragged import Ragged, from_lengths
from imdb_rnn.engine.weights import Layout, Weights, named
from imdb_rnn.text.encode import encode, ranks_of, with_padding
from imdb_rnn.text.vocabulary import PADDING, get_tokenizer

BATCH = 256  # reviews; many words of many reviews take much memory
MANY = 64  # texts, from which on they are split by compiled code; that of a few would take longer to load


@dataclass(frozen=True)
class Network:
    """A network that gives the probability that a review is positive.

    params, encoding: how it is built, and how reviews become the ids that it reads
    weights: see `weights.Weights`
    ngram_codes: int64 (n-grams,), ascending; empty without n-grams
    vocabulary: rank 1 first; only the words that have an id of their own
    best_epoch: the epoch of its training, from 1, after which it had these weights
    provenance: where the reviews that it was trained on come from
    tokenizer: how it splits text, see `reviews.vocabulary.get_tokenizer`
    labels: what the reviews' owner calls a negative and a positive one
    """

    params: ModelParams
    encoding: PadParams
    weights: Weights
    ngram_codes: np.ndarray
    vocabulary: list[str]
    best_epoch: int
    provenance: dict
    tokenizer: str = "word"
    labels: tuple[str, str] = ("negative", "positive")

    @cached_property
    def _rank(self) -> dict[str, int]:
        return {token: rank for rank, token in enumerate(self.vocabulary, start=1)}

    @cached_property
    def _lookup(self) -> Lookup:
        return Lookup(self.vocabulary)

    def tokenize(self, text: str) -> list[str]:
        """Split a text as the reviews were split that it was trained on. Raises `UserError` as `get_tokenizer` does."""
        return get_tokenizer(self.tokenizer)(text)

    def encode(self, texts: Sequence[str]) -> Ragged:
        """Turn texts into the ids that it reads, without padding: int32. Raises `UserError` as `get_tokenizer` does."""
        split = get_tokenizer(self.tokenizer)
        if len(texts) < MANY or self.tokenizer != "word":
            return encode(ranks_of(map(split, texts), self._rank), self.encoding)
        is_plain = np.array([text.isascii() and "\0" not in text for text in texts])
        rows = np.flatnonzero(is_plain), np.flatnonzero(~is_plain)
        plain, others = ([texts[row] for row in part.tolist()] for part in rows)
        parts = self._lookup.ranks(plain), ranks_of(map(split, others), self._rank)
        order = np.argsort(np.concatenate(rows))
        values = np.concatenate([part.values for part in parts])
        ranks = from_lengths(values, np.concatenate([part.lengths for part in parts]))
        return encode(ranks.rows(order), self.encoding)

    def count_weights(self) -> int:
        """How many numbers it has, those of fixed word vectors too."""
        return sum(array.size for array in named(self.weights).values())

    def logits(self, ids: Ragged) -> np.ndarray:
        """The logit of a positive review for each review: float64 (reviews,).

        Args:
            ids: reviews without padding, as `reviews.encode` makes them. A network that reads padding gets it here.

        Raises:
            UserError: when an id is not below the size of its vocabulary.
        """
        params, codes = self.params, self.ngram_codes
        check_ids(ids, self.encoding.vocab_size)
        engine = Engine(Layout(params, self.encoding.vocab_size, len(codes)), np.ones_like(self.weights.ngrams))
        flat, logits = engine.layout.flatten(self.weights), np.empty(len(ids))

        def prepare(rows: np.ndarray) -> Batch:
            batch, places = ids.rows(rows), None
            if params.ngrams:
                places = ngrams.look_up(ngrams.codes_of(batch, params.ngrams, self.encoding.vocab_size), codes)
            return engine.prepare(as_read(batch, params, self.encoding), places)

        for rows, batch, proceed in in_turn(_batches(ids), prepare):
            logits[rows] = engine.logits(flat, batch, proceed)
        return logits

    def predict_proba(self, ids: Ragged) -> np.ndarray:
        """The probability that each review is positive: float64 (reviews,). Takes and raises what `logits` does."""
        return expit(self.logits(ids))

    def trace(self, ids: np.ndarray, start: int) -> np.ndarray:
        """The probability of a positive review if the review ended before its first word, after it, and so on.

        Args:
            ids: (length,), of one review.
            start: how many of the first ids are no words but a mark: they are there from the beginning.

        Returns:
            float64 (length - start + 1,).
        """
        lengths = np.arange(start, len(ids) + 1)
        return self.predict_proba(Ragged(ids, np.zeros(len(lengths), np.int64), lengths))

    def gradient_norms(self, ids: Ragged) -> Ragged:
        """For each word of each review the length of the gradient of the logit with respect to the word's vector.

        Each occurrence of a word counts by itself. The n-grams' scores have no vectors, so no part in the gradient.

        Returns:
            float32, Euclidean norms, one for each id.

        Raises:
            UserError: as `logits` does.
        """
        check_ids(ids, self.encoding.vocab_size)
        norms = [np.empty(0, np.float32)] * len(ids)
        params = self.params.model_copy(update={"ngrams": 0})
        embeddings, no_ngrams = self.weights.embeddings, np.empty(0, np.float32)
        for rows in _batches(ids):
            batch = as_read(ids.rows(rows), params, self.encoding)
            flat = batch.flat()
            # A vector for each word's occurrence, so that each has a gradient of its own; all padding has the first one
            is_word = flat != PADDING
            words = flat[is_word]
            engine = Engine(Layout(params, len(words) + 1, 0))
            occurrences = np.zeros(len(flat), np.int32)
            occurrences[is_word] = np.arange(1, len(words) + 1)
            weights = self.weights._replace(embeddings=embeddings[np.append(PADDING, words)], ngrams=no_ngrams)
            engine.explain(engine.layout.flatten(weights), engine.prepare(from_lengths(occurrences, batch.lengths)))
            dvectors = engine.layout.split(engine.gradient).embeddings[1:]
            of_batch = from_lengths(np.sqrt((dvectors * dvectors).sum(axis=1)), ids.lengths[rows])
            for number, row in enumerate(rows):
                norms[row] = of_batch[number]
        return from_lengths(np.concatenate([*norms, np.empty(0, np.float32)]), ids.lengths)


def _batches(ids: Ragged) -> list[np.ndarray]:
    """The rows of reviews of like length, longest first, `BATCH` at a time."""
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
