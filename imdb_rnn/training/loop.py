"""Training: epochs of batches, validation after each, a checkpoint now and then, and the weights of one epoch kept."""

import math
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit
from tqdm import tqdm

from imdb_rnn.base.errors import UserError, holding_interrupts
from imdb_rnn.base.params import ModelParams, PadParams, TrainParams
from imdb_rnn.network import branches, keras_model, ngrams
from imdb_rnn.network.branches import Branch, Ngrams, Recurrent, Weights
from imdb_rnn.network.model import Network, as_read, check_ids, single_threaded_blas
from imdb_rnn.reviews.encode import Labelled
from imdb_rnn.reviews.ragged import Ragged
from imdb_rnn.training import checkpoint, history
from imdb_rnn.training.batches import longest_first, shuffled
from imdb_rnn.training.checkpoint import TrainingState
from imdb_rnn.training.losses import is_right, log_loss, log_loss_gradient
from imdb_rnn.training.optimizer import Optimizer

CHECKPOINT_SECONDS = 60  # at most between two checkpoints; there is one after every epoch besides
DROPOUT_STREAM = 1  # sets what dropout draws apart from the order of the batches

Learning = list[tuple[Branch, Weights]]


def train(
    training: Labelled,
    validation: Labelled,
    model_params: ModelParams,
    encoding: PadParams,
    params: TrainParams,
    checkpoint_path: Path | None = None,
) -> tuple[Network, pd.DataFrame]:
    """Train for `params.epochs` epochs.

    Args:
        training, validation: reviews to train on, and to validate with after every epoch; without padding, ids below
            `encoding.vocab_size`.
        checkpoint_path: training goes on from it if it is there, and writes it. None: no checkpoints.

    Returns:
        The network with the weights of the epoch that `history.kept_epoch` names, its vocabulary and provenance empty;
        and the history, which ends early when `params.patience` says so or the loss is no longer a number.

    Raises:
        UserError: when the loss is not a number from the first epoch on, an id is not below `encoding.vocab_size`, or
            there is no such cell.
    """
    check_ids(training.ids, encoding.vocab_size)
    ids, y = as_read(training.ids, model_params, encoding), training.y.astype(np.float32)
    learning = first_branches(training, model_params, encoding, params.seed)
    steps = params.epochs * math.ceil(len(y) / params.batch_size)
    optimizer = Optimizer([array for _, weights in learning for array in weights], params, steps)
    state = TrainingState(optimizer.state())
    if checkpoint_path:
        earlier = checkpoint.read(checkpoint_path, TrainingState(optimizer.state(), kept=optimizer.weights()))
        if earlier:
            state = earlier
            optimizer.restore(state.optimizer)
            if _is_over(state, params):
                print(f"training had ended; remove {checkpoint_path} to train anew", flush=True)
            else:
                print(f"going on from the checkpoint in epoch {state.epoch}", flush=True)

    def save() -> None:
        if checkpoint_path and np.isfinite(state.loss):
            state.optimizer = optimizer.state()
            checkpoint.write(checkpoint_path, state)

    def validate(weights: Weights) -> tuple[float, float]:
        logits = _network(learning, weights, model_params, encoding, 1).logits(validation.ids)
        return float(log_loss(validation.y, logits).mean()), float(is_right(validation.y, expit(logits)).mean())

    with single_threaded_blas(), holding_interrupts() as raise_if_interrupted:
        try:
            while not _is_over(state, params):
                _train_epoch(ids, y, learning, optimizer, state, params, save, raise_if_interrupted)
                values = (state.loss / len(y), state.right / len(y), *validate(optimizer.averages()))
                if not np.isfinite(values).all():
                    _give_up(values[0], state)
                    break
                state.history.append([state.epoch, *(round(value, 6) for value in values)])
                if _kept_epoch(state, params) == state.epoch:
                    state.kept = optimizer.averages()
                numbers = "  ".join(
                    f"{name} {value:.4f}" for name, value in zip(history.COLUMNS[1:], values, strict=True)
                )
                print(f"epoch {state.epoch}/{params.epochs}  {numbers}", flush=True)
                state.next_epoch()
                save()
        except KeyboardInterrupt:
            save()
            if checkpoint_path:
                where = f"epoch {state.epoch}, after batch {state.batches}"
                print(f"\nnext time training goes on in {where}", file=sys.stderr)
            raise
    network = _network(learning, state.kept, model_params, encoding, _kept_epoch(state, params))
    return network, pd.DataFrame(state.history, columns=history.COLUMNS).astype({"epoch": int})


def first_branches(training: Labelled, params: ModelParams, encoding: PadParams, seed: int) -> Learning:
    """The branches of a network before training, with their first weights.

    The n-grams that enough training reviews have get a weight each; their prior is the log-count ratio.
    """
    first: Learning = [(Recurrent(params), keras_model.first_weights(params, encoding.vocab_size, seed))]
    if params.ngrams:
        codes = ngrams.codes_of(training.ids, params.ngrams, encoding.vocab_size)
        known = ngrams.known_codes(codes, params.ngram_min_reviews)
        if not len(known):
            raise UserError(f"no n-gram is in {params.ngram_min_reviews} training reviews; set model.ngrams to 0")
        places = ngrams.look_up(codes, known)
        prior = ngrams.log_count_ratio(places, training.y, len(known), params.ngram_smoothing)
        weights = np.full(len(known), params.ngram_weight, np.float32)
        first.append((Ngrams(params.ngrams, encoding.vocab_size, known, prior), [weights]))
    return first


def with_weights(learning: Learning, weights: Weights) -> Learning:
    """The same branches with other weights, which come as one list."""
    arrays = iter(weights)
    return [(branch, [next(arrays) for _ in first]) for branch, first in learning]


def _network(
    learning: Learning, weights: Weights, params: ModelParams, encoding: PadParams, kept_epoch: int
) -> Network:
    """The network of what was learnt: an n-gram's score is its prior times its weight."""
    codes, scores = np.empty(0, np.int64), np.empty(0, np.float32)
    (_, recurrent), *others = with_weights(learning, weights)
    for branch, (of_ngrams,) in others:
        assert isinstance(branch, Ngrams)  # noqa: S101, for mypy
        codes, scores = branch.codes, branch.prior * of_ngrams
    return Network(params, encoding, recurrent, codes, scores, [], kept_epoch, {})


def _train_epoch(
    ids: Ragged,
    y: np.ndarray,
    learning: Learning,
    optimizer: Optimizer,
    state: TrainingState,
    params: TrainParams,
    save: Callable[[], None],
    raise_if_interrupted: Callable[[], None],
) -> None:
    """Do what is left of the epoch under way."""
    saved = time.monotonic()
    batches = shuffled(len(y), params.batch_size, params.seed, state.epoch)[state.batches :]
    random = np.random.default_rng((params.seed, state.epoch, DROPOUT_STREAM))
    if state.random:
        random.bit_generator.state = state.random
    for rows in tqdm(batches, f"epoch {state.epoch}", unit="batch", leave=False, disable=not sys.stderr.isatty()):
        batch, rows = longest_first(ids, rows)
        losses, right = step(learning, optimizer, batch, y[rows], random)
        state.loss += float(losses.sum())
        state.right += int(right.sum())
        state.batches, state.random = state.batches + 1, dict(random.bit_generator.state)
        raise_if_interrupted()
        if time.monotonic() - saved > CHECKPOINT_SECONDS:
            save()
            saved = time.monotonic()


def step(
    learning: Learning, optimizer: Optimizer, batch: Ragged, y: np.ndarray, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Learn from one batch, longest review first; return the losses of its reviews before, and which were right."""
    logits, back = branches.logits_and_back(with_weights(learning, optimizer.weights()), batch, random)
    gradients = back(log_loss_gradient(y, logits) / np.float32(len(y)))
    optimizer.apply([gradient for of_branch in gradients for gradient in of_branch])
    return log_loss(y, logits), is_right(y, expit(logits))


def _kept_epoch(state: TrainingState, params: TrainParams) -> int:
    return history.kept_epoch([row[3] for row in state.history], params.validation)


def _is_over(state: TrainingState, params: TrainParams) -> bool:
    """Whether all epochs are done, or `params.patience` of them have passed without a better one."""
    if state.epoch > params.epochs:
        return True
    if not (params.patience and state.history):
        return False
    return len(state.history) - _kept_epoch(state, params) >= params.patience


def _give_up(loss: float, state: TrainingState) -> None:
    advice = f"the loss became {loss} in epoch {state.epoch}; lower train.learning_rate"
    if not state.history:
        raise UserError(f"{advice}; nothing was written")
    print(f"{advice}; training ends here, and epochs 1 to {state.epoch - 1} count", file=sys.stderr)
