"""A network: its parameters, its weights, its vocabulary, and what it says of reviews. Needs no TensorFlow."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from scipy.special import expit
from threadpoolctl import threadpool_limits

from imdb_rnn.base.errors import UserError, holding_interrupts
from imdb_rnn.base.params import ModelParams, PadParams
from imdb_rnn.network import branches
from imdb_rnn.network.branches import Branch, Ngrams, Recurrent, Weights
from imdb_rnn.reviews.encode import with_padding
from imdb_rnn.reviews.ragged import Ragged, from_lengths
from imdb_rnn.reviews.vocabulary import PADDING

BATCH = 256  # reviews; many words of many reviews take much memory


@contextmanager
def single_threaded_blas() -> Iterator[None]:
    """Keep BLAS on one thread: the products are small, and must not depend on the number of CPUs.

    The limit is the process's, so the first thread that needs it sets it, and the last one lifts it.
    """
    with _blas.lock:
        if not _blas.users:
            _blas.limits = threadpool_limits(1, "blas")
        _blas.users += 1
    try:
        yield
    finally:
        with _blas.lock:
            _blas.users -= 1
            if not _blas.users and _blas.limits:
                _blas.limits.restore_original_limits()


@dataclass
class _Blas:
    lock: threading.Lock = field(default_factory=threading.Lock)
    users: int = 0
    limits: threadpool_limits | None = None


_blas = _Blas()


@dataclass(frozen=True)
class Network:
    """A network that gives the probability that a review is positive.

    params, encoding: how it is built, and how reviews become the ids that it reads
    weights: of the recurrent branch, as `branches.Recurrent` has them
    ngram_codes, ngram_scores: int64 and float32 (n-grams,), both empty without n-grams
    vocabulary: rank 1 first; only the words that have an id of their own
    kept_epoch: the epoch of its training, from 1, after which it had these weights
    provenance: where the reviews that it was trained on come from
    """

    params: ModelParams
    encoding: PadParams
    weights: Weights
    ngram_codes: np.ndarray
    ngram_scores: np.ndarray
    vocabulary: list[str]
    kept_epoch: int
    provenance: dict

    def branches(self) -> list[tuple[Branch, Weights]]:
        """Its branches, with their weights."""
        parts: list[tuple[Branch, Weights]] = [(Recurrent(self.params), self.weights)]
        if self.params.ngrams:
            prior = np.ones_like(self.ngram_scores)
            branch = Ngrams(self.params.ngrams, self.encoding.vocab_size, self.ngram_codes, prior)
            parts.append((branch, [self.ngram_scores]))
        return parts

    def count_weights(self) -> int:
        """How many numbers it has learnt."""
        return sum(array.size for array in self.weights) + len(self.ngram_scores)

    def logits(self, ids: Ragged) -> np.ndarray:
        """The logit of a positive review for each review: float64 (reviews,).

        Args:
            ids: reviews without padding, as `reviews.encode` makes them. A network that reads padding gets it here.

        Raises:
            UserError: when an id is not below the size of its vocabulary.
        """
        logits = np.empty(len(ids))

        def compute(batch: Ragged, rows: np.ndarray) -> None:
            logits[rows] = branches.logits(self.branches(), batch)

        self._in_batches(ids, compute)
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
        norms = [np.empty(0, np.float32)] * len(ids)
        recurrent, (vectors, *others) = Recurrent(self.params), self.weights

        def compute(batch: Ragged, rows: np.ndarray) -> None:
            flat = batch.flat()
            # A vector for each occurrence, so that each has a gradient of its own
            occurrences = from_lengths(np.arange(len(flat), dtype=np.int32), batch.lengths)
            logits, back = recurrent.logits_and_back([vectors[flat], *others], occurrences, None)
            dvectors, *_ = back(np.ones_like(logits))
            of_batch = from_lengths(np.linalg.norm(dvectors, axis=1), batch.lengths)
            for number, row in enumerate(rows):
                norms[row] = of_batch[number][batch[number] != PADDING]

        self._in_batches(ids, compute)
        return from_lengths(np.concatenate([*norms, np.empty(0, np.float32)]), ids.lengths)

    def _in_batches(self, ids: Ragged, compute: Callable[[Ragged, np.ndarray], None]) -> None:
        """Call `compute` with reviews of like length, longest first, as the recurrence reads them, and their rows."""
        check_ids(ids, self.encoding.vocab_size)
        order = np.argsort(-ids.lengths, kind="stable")
        with single_threaded_blas(), holding_interrupts() as raise_if_interrupted:
            for i in range(0, len(order), BATCH):
                rows = order[i : i + BATCH]
                compute(as_read(ids.rows(rows), self.params, self.encoding), rows)
                raise_if_interrupted()


def as_read(ids: Ragged, params: ModelParams, encoding: PadParams) -> Ragged:
    """Reviews as the recurrence reads them: with their padding, if the network reads it."""
    return ids if params.mask_padding else with_padding(ids, encoding.maxlen, encoding.padding)


def check_ids(ids: Ragged, vocab_size: int) -> None:
    """Raise a `UserError` if a review holds an id that the network has no vector for; the recurrence does not look."""
    smallest, largest = ids.values.min(initial=0), ids.values.max(initial=0)
    if smallest < 0 or largest >= vocab_size:
        wrong = smallest if smallest < 0 else largest
        raise UserError(f"the network knows the ids below {vocab_size}, the reviews hold {wrong}; run `dvc repro`")
