"""Training: epochs of batches, validation after each, a checkpoint now and then, and the weights of one epoch kept."""

import math
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from imdb_rnn.core.errors import UserError, holding_interrupts
from imdb_rnn.core.params import ModelParams, PadParams, TrainParams
from imdb_rnn.engine.kernels.arithmetic import log_losses
from imdb_rnn.engine.weights import from_named, named
from imdb_rnn.model import Network, check_ids
from imdb_rnn.text.encode import Labelled
from imdb_rnn.training import checkpoint, history
from imdb_rnn.training.batches import shuffled
from imdb_rnn.training.checkpoint import TrainingState
from imdb_rnn.training.learner import Learner, learner

CHECKPOINT_SECONDS = 60  # at most between two checkpoints; there is one after every epoch besides


def train(
    training: Labelled,
    validation: Labelled,
    model_params: ModelParams,
    encoding: PadParams,
    params: TrainParams,
    checkpoint_path: Path | None = None,
    after_epoch: Callable[[list[list[float]]], None] | None = None,
) -> tuple[Network, pd.DataFrame]:
    """Train for `params.epochs` epochs.

    Args:
        training, validation: reviews to train on, and to validate with after every epoch; without padding, ids below
            `encoding.vocab_size`.
        checkpoint_path: training goes on from it if it is there, and writes it. None: no checkpoints.
        after_epoch: is called with the rows of the history so far, when the epoch's checkpoint is written.

    Returns:
        The network with the weights of the epoch that `history.best_epoch` names, its vocabulary and provenance empty;
        and the history, which ends early when `params.patience` says so or the loss is no longer a number.

    Raises:
        UserError: when the loss is not a number from the first epoch on, an id is not below `encoding.vocab_size`,
            there is no such cell, or the engine cannot do what the parameters say.
    """
    check_ids(training.ids, encoding.vocab_size)
    reviews = len(training.y)
    learning = learner(training, model_params, encoding, params, params.epochs * math.ceil(reviews / params.batch_size))
    state = TrainingState(learning.state())
    if checkpoint_path:
        earlier = checkpoint.read(checkpoint_path, replace(state, kept=_arrays(learning.network(1))))
        if earlier:
            state = earlier
            learning.restore(state.learner)
            if is_over(state.history, params):
                print(f"training had ended; remove {checkpoint_path} to train anew", flush=True)
            else:
                print(f"going on from the checkpoint in epoch {state.epoch}", flush=True)

    def save() -> None:
        if checkpoint_path and np.isfinite(state.loss):
            state.learner = learning.state()
            checkpoint.write(checkpoint_path, state)

    with holding_interrupts() as raise_if_interrupted:
        try:
            while not is_over(state.history, params):
                _train_epoch(learning, reviews, state, params, save, raise_if_interrupted)
                network = learning.network(state.epoch)
                values = (state.loss / reviews, state.right / reviews, *_validate(network, validation))
                if not np.isfinite(values).all():
                    _give_up(values[0], state)
                    break
                state.history.append([state.epoch, *(round(value, 6) for value in values)])
                if _best_epoch(state.history, params) == state.epoch:
                    state.kept = _arrays(network)
                numbers = "  ".join(
                    f"{name} {value:.4f}" for name, value in zip(history.COLUMNS[1:], values, strict=True)
                )
                print(f"epoch {state.epoch}/{params.epochs}  {numbers}", flush=True)
                state.next_epoch()
                save()
                if after_epoch:
                    after_epoch(state.history)
        except KeyboardInterrupt:
            save()
            if checkpoint_path:
                where = f"epoch {state.epoch}, after batch {state.batches}"
                print(f"\nnext time training goes on in {where}", file=sys.stderr)
            raise
    network = learning.network(_best_epoch(state.history, params))
    network = replace(network, weights=from_named(dict(zip(named(network.weights), state.kept, strict=True))))
    return network, pd.DataFrame(state.history, columns=history.COLUMNS).astype({"epoch": int})


def _arrays(network: Network) -> list[np.ndarray]:
    return list(named(network.weights).values())


def _validate(network: Network, validation: Labelled) -> tuple[float, float]:
    logits = network.logits(validation.ids)
    return float(log_losses(validation.y, logits).mean()), float(((logits > 0) == (validation.y == 1)).mean())


def _train_epoch(
    learning: Learner,
    reviews: int,
    state: TrainingState,
    params: TrainParams,
    save: Callable[[], None],
    raise_if_interrupted: Callable[[], None],
) -> None:
    """Do what is left of the epoch under way."""
    saved = time.monotonic()
    batches = shuffled(reviews, params.batch_size, params.seed, state.epoch)[state.batches :]
    steps = learning.learn(state.epoch, batches, state.batches)
    shown = sys.stderr.isatty()
    for loss, right in tqdm(steps, f"epoch {state.epoch}", len(batches), unit="batch", leave=False, disable=not shown):
        state.loss += loss
        state.right += right
        state.batches += 1
        raise_if_interrupted()
        if time.monotonic() - saved > CHECKPOINT_SECONDS:
            save()
            saved = time.monotonic()


def _best_epoch(rows: list[list[float]], params: TrainParams) -> int:
    return history.best_epoch([row[3] for row in rows], params.validation)


def is_over(rows: list[list[float]], params: TrainParams) -> bool:
    """Whether all epochs are done, or `params.patience` of them have passed without a better one.

    Args:
        rows: the history so far.
    """
    if len(rows) >= params.epochs:
        return True
    if not (params.patience and rows):
        return False
    return len(rows) - _best_epoch(rows, params) >= params.patience


def _give_up(loss: float, state: TrainingState) -> None:
    advice = f"the loss became {loss} in epoch {state.epoch}; lower train.learning_rate"
    if not state.history:
        raise UserError(f"{advice}; nothing was written")
    print(f"{advice}; training ends here, and epochs 1 to {state.epoch - 1} count", file=sys.stderr)
