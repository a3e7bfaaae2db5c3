"""Learning by the project's own engine: the same bytes on every machine."""

from collections.abc import Iterator, Sequence

import numpy as np

from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import ModelParams, PadParams, TrainParams
from imdb_rnn.decision import is_correct, num_logits
from imdb_rnn.engine.engine import Batch, Engine, Masks, prefetch
from imdb_rnn.engine.initializers import initial_weights
from imdb_rnn.engine.kernels import optimizer
from imdb_rnn.engine.kernels.arithmetic import cross_entropy
from imdb_rnn.engine.layout import Layout
from imdb_rnn.engine.ppmi_svd import word_vectors
from imdb_rnn.engine.rng import Stream, dropout_mask
from imdb_rnn.engine.weights import Weights
from imdb_rnn.model import as_read
from imdb_rnn.text.encode import Labelled
from imdb_rnn.training import linear
from imdb_rnn.training.batches import fold_of_each, sample_weights, splits
from imdb_rnn.training.combination import Combination, equal_shares


class CompiledLearner:
    """See `learner.Learner`."""

    def __init__(
        self,
        training: Labelled,
        model: ModelParams,
        encoding: PadParams,
        params: TrainParams,
        steps: int,
        words: Sequence[str] = (),
        combination: Combination | None = None,
        start: Weights | None = None,
    ) -> None:
        self._model, self._encoding, self._seed = model, encoding, params.seed
        self._words = training.ids.lengths
        self._ids, self._y = as_read(training.ids, model, encoding), training.y.astype(np.float32)
        self._sample_weights = sample_weights(training.y, params.class_weight)
        logits = num_logits(int(training.y.max()) + 1)
        weights = initial_weights(model, encoding.vocab_size, params.seed, logits)
        if start:
            head = (start if start.head_bias.size else weights)[2:4]
            weights = Weights(start.embeddings, start.layers, *head)
        elif model.embeddings == "ppmi_svd":
            try:
                size = encoding.vocab_size, model.embedding_dim
                vectors = word_vectors(training.ids, *size, params.seed, training.unlabelled)
            except ValueError as error:
                raise UserError(f"{error}; set model.embeddings to learned") from error
            weights = weights._replace(embeddings=vectors)
        self.ngram_codes, self._linear, self._combination = np.empty(0, np.int64), None, combination
        if model.ngrams:
            self._combination = combination or equal_shares(logits, has_linear=True)
            problem = linear.problem(training, words, encoding.vocab_size, model, self._sample_weights, params.seed)
            choice = self._combination.choice or linear.choose(problem, splits(training, fold_of_each(training)))[0]
            self._linear = linear.fit(problem, choice)
            self.ngram_codes = self._linear.codes
        alone = model.model_copy(update={"ngrams": 0})
        self.engine = Engine(Layout(alone, encoding.vocab_size, 0, logits))
        self._flat, self._fixed = self.engine.layout.flatten(weights), self.engine.layout.num_fixed
        self._optimizer = optimizer.start(self._flat[self._fixed :], params, steps)

    def learn(self, epoch: int, batches: list[np.ndarray], first: int) -> Iterator[tuple[float, int]]:
        model = self._model
        features = model.units * (1 + model.bidirectional) * len(model.pooling.split("+"))

        def prepare(numbered: tuple[int, np.ndarray]) -> Batch:
            rows = numbered[1]
            return self.engine.prepare(self._ids.rows(rows))

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
            if self._combination:
                of_linear = self._linear.of_training[rows] if self._linear else 0.0
                logits = self._combination.logits(logits.reshape(len(rows), -1), of_linear).reshape(logits.shape)
                losses = cross_entropy(y, logits)[0] * sample_weights
            yield float(losses.sum()), int(is_correct(y, logits).sum())

    def weights(self) -> Weights:
        flat = np.concatenate([self._flat[: self._fixed], self._optimizer.averaged_or_raw_weights()])
        weights = self.engine.layout.split(flat)
        return self._combination.weights(weights, self._linear) if self._combination else weights

    def state(self) -> list[np.ndarray]:
        return [np.array(self._optimizer.step), *(array.copy() for array in self._optimizer.arrays())]

    def restore(self, state: list[np.ndarray]) -> None:
        self._optimizer.step = int(state[0])
        for array, value in zip(self._optimizer.arrays(), state[1:], strict=True):
            array[:] = value
