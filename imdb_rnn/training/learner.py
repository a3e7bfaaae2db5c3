"""What the loop over the epochs needs of an engine, and the choice between the two."""

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol

import numpy as np

from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import ModelParams, PadParams, TrainParams
from imdb_rnn.engine.weights import Weights
from imdb_rnn.text.encode import Labelled

if TYPE_CHECKING:  # it imports Numba, which the stage `check` does without
    from imdb_rnn.training.combination import Combination


class Learner(Protocol):
    """A network that learns.

    ngram_codes: int64 (n-grams,), ascending; empty without n-grams
    """

    ngram_codes: np.ndarray

    def learn(self, epoch: int, batches: list[np.ndarray], first: int) -> Iterator[tuple[float, int]]:
        """Learn from batches, rows of the training reviews, one at a time.

        Args:
            epoch: from 1.
            first: number of the first of these batches in its epoch, from 0.

        Yields:
            After each batch the sum of its losses, and how many of its reviews were predicted correctly.
        """

    def weights(self) -> Weights:
        """The weights as they would be used now: with `weight_averaging` their averages."""

    def state(self) -> list[np.ndarray]:
        """Everything that training resumes from; copies."""

    def restore(self, state: list[np.ndarray]) -> None:
        """Go back to what `state` gave."""


def require_engine(params: TrainParams) -> None:
    """Raise a `UserError` if the engine is Keras and TensorFlow is not installed."""
    if params.engine == "keras" and not find_spec("tensorflow"):
        raise UserError(
            "params.yaml: train.engine is 'keras', which needs TensorFlow, and TensorFlow needs Python 3.11 to 3.13; "
            "set it to compiled, or `rm -r .venv` and `make repro PYTHON=python3.13`"
        )


def learner(
    training: Labelled,
    model: ModelParams,
    encoding: PadParams,
    params: TrainParams,
    steps: int,
    words: Sequence[str] = (),
    combination: "Combination | None" = None,
    start: Weights | None = None,
) -> Learner:
    """The learner of the engine that `params` names, before its first step.

    Args:
        training: reviews without padding; ids below `encoding.vocab_size`.
        steps: how many there will be, for the schedule.
        words, combination, start: as `loop.train` takes them.

    Raises:
        UserError: as `require_engine` does, and when these reviews have no n-grams or no word vectors.
    """
    require_engine(params)
    if params.engine == "keras":
        from imdb_rnn.training.keras_learner import KerasLearner

        return KerasLearner(training, model, encoding, params, steps)
    from imdb_rnn.training.compiled_learner import CompiledLearner

    return CompiledLearner(training, model, encoding, params, steps, words, combination, start)
