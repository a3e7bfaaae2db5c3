"""Out-of-fold predictions: of every training review the logits of a model that has not seen it, nor any equal one.

They are made once, and say how much the network and the linear part count and how sure the model may be (see
`combination`), where its threshold should be, and which labels look wrong.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from pydantic import BaseModel

from imdb_rnn.core import files
from imdb_rnn.core.params import ModelParams, PadParams, TrainParams
from imdb_rnn.decision import is_correct, num_logits
from imdb_rnn.engine.kernels.arithmetic import cross_entropy
from imdb_rnn.engine.weights import Weights
from imdb_rnn.model import compute_logits
from imdb_rnn.text.encode import Labelled
from imdb_rnn.training import linear
from imdb_rnn.training.batches import check_splits, sample_weights, splits
from imdb_rnn.training.combination import Combination, fit_combination
from imdb_rnn.training.loop import hold_out_and_train

SHOWN = 500  # reviews of a fold with which its network is validated after each epoch, which chooses nothing
FOLD, LOGITS, COMBINATION = "fold.npy", "logits.npy", "combination.json"


class OutOfFold(NamedTuple):
    """Predictions of the training reviews.

    fold: uint8 (reviews,), from 0
    logits: float64, (reviews,) of two classes, (reviews, classes) of more; the combined ones
    combination: with which they were made, and the final model is
    """

    fold: np.ndarray
    logits: np.ndarray
    combination: Combination


def predict_folds(
    training: Labelled,
    fold: np.ndarray,
    model: ModelParams,
    encoding: PadParams,
    params: TrainParams,
    words: Sequence[str] = (),
    checkpoints: Path | None = None,
    share: float = 1.0,
    start: Weights | None = None,
) -> OutOfFold:
    """Predict each fold by a network and a linear model that have learnt from the others, and combine the two.

    Args:
        training, words, start: as `loop.train` takes them.
        fold: of each review, as `batches.fold_of_each` gives it.
        checkpoints: the folder from which each training resumes. None: no checkpoints.
        share: of the reviews of the other folds, from which to learn.

    Raises:
        UserError: when the other folds have not enough reviews of a class; and as `loop.train` does.
    """
    parts = splits(training, fold, share, params.seed)
    check_splits(training.y, parts)
    alone = model.model_copy(update={"ngrams": 0})
    network, of_linear, choice = np.empty((len(fold), num_logits(int(training.y.max()) + 1))), None, None
    for number, (learnt, rows) in enumerate(parts, start=1):
        print(f"fold {number} of {len(parts)}", flush=True)
        held, shown = training.rows(rows), training.rows(rows[:: -(-len(rows) // SHOWN)])
        trained = hold_out_and_train(training.rows(learnt), shown, alone, encoding, params, checkpoints, start=start)
        logits = compute_logits(trained.weights, trained.ngram_codes, alone, encoding, held.ids)
        network[rows] = logits.reshape(len(rows), -1)
    weights = sample_weights(training.y, params.class_weight)
    if model.ngrams:
        problem = linear.problem(training, words, encoding.vocab_size, model, weights, params.seed)
        choice, of_linear = linear.choose(problem, parts)
    combination = fit_combination(training.y, network, of_linear, weights)._replace(choice=choice)
    logits = combination.logits(network, 0.0 if of_linear is None else of_linear)
    return OutOfFold(fold, logits if logits.shape[1] > 1 else logits[:, 0], combination)


def summary(y: np.ndarray, found: OutOfFold) -> str:
    """Accuracy and loss of the predictions, and what each part counts, in a line."""
    loss, accuracy = cross_entropy(y, found.logits)[0].mean(), is_correct(y, found.logits).mean()
    counts = [f"{weights.mean():.2f}" for weights in found.combination[:2]]
    n_grams = f", n-grams {counts[1]}" if found.combination.choice else ""
    return f"out of fold: loss {loss:.4f}, accuracy {accuracy:.4f}; network {counts[0]}{n_grams}"


class _CombinationFile(BaseModel):
    """`Combination` as JSON; the stage `folds` writes no values without folds."""

    network_weight: list[float] | None = None
    linear_weight: list[float] = []
    bias: list[float] = []
    choice: linear.Choice | None = None


def write(folder: Path, found: OutOfFold) -> None:
    """Write `fold.npy`, `logits.npy` and `combination.json`, all or none."""
    with files.replacing(folder) as new:
        new.mkdir()
        np.save(new / FOLD, found.fold)
        np.save(new / LOGITS, found.logits)
        weights = found.combination._asdict()
        choice = weights.pop("choice")
        values = {name: array.tolist() for name, array in weights.items()}
        values["choice"] = choice._asdict() if choice else None
        files.write_json(new / COMBINATION, values)


def read(folder: Path) -> OutOfFold | None:
    """Read what `write` wrote; None without folds. Raises `UserError` when a file is missing or damaged."""
    values = files.read_json(_CombinationFile, folder / COMBINATION, "folds")
    if values.network_weight is None:
        return None
    network_weight, linear_weight, bias = map(np.array, (values.network_weight, values.linear_weight, values.bias))
    fold, logits = (files.read_array(folder / name, "folds") for name in (FOLD, LOGITS))
    if fold.shape != logits.shape[:1]:
        raise files.damaged(folder, "folds", f"it has folds {fold.shape} and logits {logits.shape}")
    return OutOfFold(fold, logits, Combination(network_weight, linear_weight, bias, values.choice))
