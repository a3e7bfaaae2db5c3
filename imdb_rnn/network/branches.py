"""The branches of a network: each reads a batch and gives a logit, and takes the gradient with respect to it back.

A network's logit is the sum of its branches'. A branch holds no weights; they come with each call, as a list of arrays,
so that training, averaging and the trained network use the same code.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from imdb_rnn.base.params import ModelParams
from imdb_rnn.network import ngrams
from imdb_rnn.network.cells import cell_named
from imdb_rnn.network.recurrence import Direction, Layers, pooled_states, pooled_states_and_back
from imdb_rnn.reviews.ragged import Ragged

Weights = list[np.ndarray]
Back = Callable[[np.ndarray], Weights]


class Branch(Protocol):
    def logits(self, weights: Weights, batch: Ragged) -> np.ndarray:
        """Read a batch, longest review first: float32 (reviews,)."""

    def logits_and_back(
        self, weights: Weights, batch: Ragged, random: np.random.Generator | None
    ) -> tuple[np.ndarray, Back]:
        """As `logits`, and a function from the gradient with respect to them, (reviews,), to those of the weights.

        Args:
            random: what dropout draws from; None: nothing is dropped.
        """


@dataclass(frozen=True)
class Recurrent:
    """Word vectors, recurrent layers, pooling and a dense unit.

    Its weights: vectors, float32 (vocabulary, embedding_dim); for each direction of each layer kernel, recurrent kernel
    and bias, as in `recurrence.Direction`; the unit's kernel, (features, 1), and bias, (1,).
    """

    params: ModelParams

    def shapes(self, vocab_size: int) -> list[tuple[int, ...]]:
        """The shapes of its weights."""
        params, cell = self.params, cell_named(self.params.cell)
        ways, columns = 1 + params.bidirectional, cell.gates * params.units
        bias = (2, columns) if cell.recurrent_bias else (columns,)
        shapes: list[tuple[int, ...]] = [(vocab_size, params.embedding_dim)]
        for layer in range(params.layers):
            inputs = ways * params.units if layer else params.embedding_dim
            shapes += ways * [(inputs, columns), (params.units, columns), bias]
        features = ways * params.units * len(params.pooling.split("+"))
        return [*shapes, (features, 1), (1,)]

    def _parted(self, weights: Weights) -> tuple[np.ndarray, Layers, np.ndarray, np.ndarray]:
        vectors, *of_layers, kernel, bias = weights
        directions = [Direction(*of_layers[i : i + 3]) for i in range(0, len(of_layers), 3)]
        ways = 1 + self.params.bidirectional
        return vectors, [directions[i : i + ways] for i in range(0, len(directions), ways)], kernel, bias

    def logits(self, weights: Weights, batch: Ragged) -> np.ndarray:
        vectors, layers, kernel, bias = self._parted(weights)
        features = pooled_states(cell_named(self.params.cell), vectors, layers, self.params.pooling, batch)
        return (features @ kernel + bias)[:, 0]

    def logits_and_back(
        self, weights: Weights, batch: Ragged, random: np.random.Generator | None
    ) -> tuple[np.ndarray, Back]:
        params = self.params
        vectors, layers, kernel, bias = self._parted(weights)
        seen = dropout_mask(random, (len(vectors), 1), params.embedding_dropout)
        features, states_back = pooled_states_and_back(
            cell_named(params.cell), vectors * seen, layers, params.pooling, batch
        )
        used = dropout_mask(random, features.shape, params.dropout)
        features = features * used

        def back(dlogits: np.ndarray) -> Weights:
            dlogits = dlogits[:, None]
            dvectors, dlayers = states_back((dlogits @ kernel.T) * used)
            of_layers = [array for layer in dlayers for direction in layer for array in direction]
            return [dvectors * seen, *of_layers, features.T @ dlogits, dlogits.sum(axis=0)]

        return (features @ kernel + bias)[:, 0], back


@dataclass(frozen=True)
class Ngrams:
    """The sum of the scores of a review's distinct n-grams; a score is the product of a prior and a weight.

    Its weights: one array, float32 (n-grams,).

    longest: words of an n-gram at most
    codes: int64 (n-grams,), ascending, those that have a score
    prior: float32 (n-grams,)
    """

    longest: int
    vocab_size: int
    codes: np.ndarray
    prior: np.ndarray

    def _places(self, batch: Ragged) -> Ragged:
        return ngrams.look_up(ngrams.codes_of(batch, self.longest, self.vocab_size), self.codes)

    def logits(self, weights: Weights, batch: Ragged) -> np.ndarray:
        return ngrams.add_up(self.prior * weights[0], self._places(batch))

    def logits_and_back(
        self, weights: Weights, batch: Ragged, random: np.random.Generator | None
    ) -> tuple[np.ndarray, Back]:
        places = self._places(batch)

        def back(dlogits: np.ndarray) -> Weights:
            return [self.prior * ngrams.add_up_back(dlogits, places, len(self.codes))]

        return ngrams.add_up(self.prior * weights[0], places), back


def logits(branches: list[tuple[Branch, Weights]], batch: Ragged) -> np.ndarray:
    """The logit of each review of a batch, longest first: float32 (reviews,)."""
    return np.add.reduce([branch.logits(weights, batch) for branch, weights in branches])


def logits_and_back(
    branches: list[tuple[Branch, Weights]], batch: Ragged, random: np.random.Generator | None
) -> tuple[np.ndarray, Callable[[np.ndarray], list[Weights]]]:
    """As `logits`, and a function from the gradient with respect to them to those of each branch's weights."""
    outputs, backs = zip(*(branch.logits_and_back(weights, batch, random) for branch, weights in branches), strict=True)
    return np.add.reduce(outputs), lambda dlogits: [back(dlogits) for back in backs]


def dropout_mask(random: np.random.Generator | None, shape: tuple[int, ...], rate: float) -> np.ndarray | np.float32:
    """What dropout multiplies by: 0 in a share `rate` of the places, and in the others 1 / (1 - rate).

    With these factors the mean stays (Srivastava et al., Dropout, 2014); for words they are one a row of the vectors
    (Gal and Ghahramani, A Theoretically Grounded Application of Dropout in Recurrent Neural Networks, 2016).
    """
    if random is None or rate == 0:
        return np.float32(1)
    return (random.random(shape, np.float32) >= rate) / np.float32(1 - rate)
