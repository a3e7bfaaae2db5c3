"""Learning by the project's own engine: the same bytes on every machine."""

from collections.abc import Iterator

import numpy as np

from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import ModelParams, PadParams, TrainParams
from imdb_rnn.decision import is_correct, num_logits
from imdb_rnn.engine.engine import Batch, Engine, Masks, prefetch
from imdb_rnn.engine.initializers import initial_weights
from imdb_rnn.engine.kernels import ngrams, optimizer
from imdb_rnn.engine.layout import Layout
from imdb_rnn.engine.ppmi_svd import word_vectors
from imdb_rnn.engine.ragged import Ragged
from imdb_rnn.engine.rng import Stream, dropout_mask
from imdb_rnn.engine.weights import Weights
from imdb_rnn.model import as_read
from imdb_rnn.text.encode import Labelled
from imdb_rnn.training.batches import sample_weights


class CompiledLearner:
    """See `learner.Learner`."""

    def __init__(
        self, training: Labelled, model: ModelParams, encoding: PadParams, params: TrainParams, steps: int
    ) -> None:
        self._model, self._encoding, self._seed = model, encoding, params.seed
        self._words = training.ids.lengths
        self._ids, self._y = as_read(training.ids, model, encoding), training.y.astype(np.float32)
        self._sample_weights = sample_weights(training.y, params.class_weight)
        logits = num_logits(int(training.y.max()) + 1)
        weights = initial_weights(model, encoding.vocab_size, params.seed, logits)
        if model.embeddings == "ppmi_svd":
            try:
                vectors = word_vectors(training.ids, encoding.vocab_size, model.embedding_dim, params.seed)
            except ValueError as error:
                raise UserError(f"{error}; set model.embeddings to learned") from error
            weights = weights._replace(embeddings=vectors)
        self.ngram_codes, self._prior, self._ngram_indices = np.empty(0, np.int64), np.empty(0, np.float32), None
        if model.ngrams:
            self.ngram_codes, self._prior, self._ngram_indices = _known_ngrams(training, model, encoding.vocab_size)
            weights = weights._replace(ngrams=np.full_like(self._prior, model.ngram_weight))
        self.engine = Engine(Layout(model, encoding.vocab_size, len(self.ngram_codes), logits), self._prior)
        self._flat, self._fixed = self.engine.layout.flatten(weights), self.engine.layout.num_fixed
        self._optimizer = optimizer.start(self._flat[self._fixed :], params, steps)

    def learn(self, epoch: int, batches: list[np.ndarray], first: int) -> Iterator[tuple[float, int]]:
        model = self._model
        features = model.units * (1 + model.bidirectional) * len(model.pooling.split("+"))

        def prepare(numbered: tuple[int, np.ndarray]) -> Batch:
            rows = numbered[1]
            return self.engine.prepare(
                self._ids.rows(rows), self._ngram_indices.rows(rows) if self._ngram_indices else None
            )

        in_order = (rows[np.argsort(-self._words[rows], kind="stable")] for rows in batches)
        for (number, rows), batch, prefetch_next in prefetch(enumerate(in_order, first), prepare):
            key = (self._seed, Stream.DROPOUT, epoch, number)
            masks = Masks(
                dropout_mask(self._encoding.vocab_size, model.word_dropout, *key, 0),
                self.engine.feature_masks(dropout_mask(len(rows) * features, model.dropout, *key, 1)),
            )
            y = self._y[rows]
            sample_weights = self._sample_weights[rows]
            logits, losses, square = self.engine.learn(self._flat, batch, y, sample_weights, masks, prefetch_next)
            self._optimizer.apply(self.engine.gradient[self._fixed :], square)
            yield float(losses.sum()), int(is_correct(y, logits).sum())

    def weights(self) -> Weights:
        flat = np.concatenate([self._flat[: self._fixed], self._optimizer.averaged_or_raw_weights()])
        weights = self.engine.layout.split(flat)
        if self._model.ngrams:  # halves, so that the sums of both logits are their means
            head_kernel, head_bias = weights.head_kernel / 2, weights.head_bias / 2
            scores = np.float32(0.5) * self._prior * weights.ngrams
            weights = weights._replace(head_kernel=head_kernel, head_bias=head_bias, ngrams=scores)
        return weights

    def state(self) -> list[np.ndarray]:
        return [np.array(self._optimizer.step), *(array.copy() for array in self._optimizer.arrays())]

    def restore(self, state: list[np.ndarray]) -> None:
        self._optimizer.step = int(state[0])
        for array, value in zip(self._optimizer.arrays(), state[1:], strict=True):
            array[:] = value


def _known_ngrams(training: Labelled, model: ModelParams, vocab_size: int) -> tuple[np.ndarray, np.ndarray, Ragged]:
    """The n-grams that enough training reviews have: codes, log-count ratios, and the indices of each review's.

    The ratios, of the shape of `Weights.ngrams`, are of each class against the rest; of two classes, the second's.
    """
    codes = ngrams.codes_of(training.ids, model.ngrams, vocab_size)
    known = ngrams.known_codes(codes, model.ngram_min_reviews)
    if not len(known):
        raise UserError(f"no n-gram is in {model.ngram_min_reviews} training reviews; set model.ngrams to 0")
    indices = ngrams.look_up(codes, known)
    classes = range(training.y.max() + 1) if training.y.max() > 1 else [1]
    sides, smoothing = (training.y == label for label in classes), model.ngram_smoothing
    ratios = [ngrams.log_count_ratio(indices, side, len(known), smoothing) for side in sides]
    return known, np.stack(ratios, axis=1) if len(ratios) > 1 else ratios[0], indices
