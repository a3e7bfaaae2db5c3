"""Training: epochs of batches, validation after each epoch, checkpoints, and the weights of the best epoch."""

import math
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from tqdm import tqdm

from imdb_rnn.core.errors import UserError, holding_interrupts
from imdb_rnn.core.params import ModelParams, PadParams, TrainParams
from imdb_rnn.decision import THRESHOLD, is_correct
from imdb_rnn.engine.kernels.arithmetic import cross_entropy
from imdb_rnn.engine.weights import Weights, named
from imdb_rnn.model import Model, check_ids, compute_logits
from imdb_rnn.text.encode import Labelled
from imdb_rnn.training import checkpoint
from imdb_rnn.training.batches import hold_out, shuffled
from imdb_rnn.training.checkpoint import TrainingState
from imdb_rnn.training.combination import Combination
from imdb_rnn.training.history import COLUMNS, best_epoch, diverged, is_over
from imdb_rnn.training.learner import Learner, learner

CHECKPOINT_SECONDS = 60  # the longest time between two checkpoints; each epoch ends with one too


class Trained(NamedTuple):
    """What training gives.

    weights: of the best epoch
    ngram_codes: int64 (n-grams,), ascending; empty without n-grams
    history: one row per epoch, with `history.COLUMNS`
    best_epoch: from 1
    """

    weights: Weights
    ngram_codes: np.ndarray
    history: pd.DataFrame
    best_epoch: int

    def model(
        self,
        params: ModelParams,
        encoding: PadParams,
        vocabulary: list[str],
        provenance: dict[str, Any],
        threshold: float = THRESHOLD,
    ) -> Model:
        """The trained model.

        Args:
            params, encoding: as `train` took them.
            vocabulary: rank 1 first; only words that have an id of their own.
            provenance: of the reviews, with their tokenizer and labels, as `text.corpus.read_provenance` reads it.
            threshold: see `decision.predicted`.
        """
        texts = vocabulary, provenance["tokenizer"], tuple(provenance["labels"])
        return Model(params, encoding, self.weights, self.ngram_codes, *texts, self.best_epoch, provenance, threshold)


def train(
    training: Labelled,
    validation: Labelled,
    model_params: ModelParams,
    encoding: PadParams,
    params: TrainParams,
    checkpoint_path: Path | None = None,
    after_epoch: Callable[[list[list[float]]], None] | None = None,
    words: Sequence[str] = (),
    combination: Combination | None = None,
    start: Weights | None = None,
) -> Trained:
    """Train for `params.epochs` epochs, or until `params.patience` ends it.

    Args:
        training, validation: reviews to train on, and to validate with after every epoch; without padding, ids below
            `encoding.vocab_size`.
        checkpoint_path: training resumes from this file if it is there, and writes it. None: no checkpoints.
        after_epoch: is called with the rows of the history so far, when the epoch's checkpoint is written.
        words: of the vocabulary, rank 1 first. With them, a linear model on n-grams learns from how words are spelt.
        combination: of the network and the n-grams, for the engine `compiled`. None: the mean of their logits.
        start: the weights that training starts from, for the engine `compiled`; without a head if that is to be new.
            None: random ones, and the embeddings that `model_params` says.

    Returns:
        What `Trained` has. When a loss is not finite, training ends before that epoch.

    Raises:
        UserError: when a loss of the first epoch is not finite, or an id is not below `encoding.vocab_size`; and as
            `learner` does.
    """
    check_ids(training.ids, encoding.vocab_size)
    reviews = len(training.y)
    steps = params.epochs * math.ceil(reviews / params.batch_size)
    earlier = checkpoint.read(checkpoint_path) if checkpoint_path else None
    if earlier and is_over(earlier.history, params):
        print(f"training already finished; delete {checkpoint_path} to retrain", flush=True)
        return _trained(earlier, params)
    learning = learner(training, model_params, encoding, params, steps, words, combination, start)
    state = earlier or TrainingState(learning.state(), ngram_codes=learning.ngram_codes)
    if earlier:
        learning.restore(state.learner)
        print(f"resuming at epoch {state.epoch}", flush=True)

    def save() -> None:
        if checkpoint_path and np.isfinite(state.loss):
            state.learner = learning.state()
            checkpoint.write(checkpoint_path, state)

    with holding_interrupts() as raise_if_interrupted:
        try:
            while not is_over(state.history, params):
                _train_epoch(learning, reviews, state, params, save, raise_if_interrupted)
                weights = learning.weights()
                logits = compute_logits(weights, learning.ngram_codes, model_params, encoding, validation.ids)
                of_validation = (
                    cross_entropy(validation.y, logits)[0].mean(),
                    is_correct(validation.y, logits).mean(),
                )
                values = (state.loss / reviews, state.correct / reviews, *map(float, of_validation))
                if not np.isfinite(values).all():
                    break
                state.history.append([state.epoch, *(round(value, 6) for value in values)])
                if best_epoch(state.history, params) == state.epoch:
                    state.best = weights
                numbers = "  ".join(f"{name} {value:.4f}" for name, value in zip(COLUMNS[1:], values, strict=True))
                print(f"epoch {state.epoch}/{params.epochs}  {numbers}", flush=True)
                state.next_epoch()
                save()
                if after_epoch:
                    after_epoch(state.history)
        except KeyboardInterrupt:
            save()
            if checkpoint_path:
                where = f"epoch {state.epoch}, after batch {state.batches}"
                print(f"\nthe next run resumes in {where}", file=sys.stderr)
            raise
    return _trained(state, params)


def _trained(state: TrainingState, params: TrainParams) -> Trained:
    if state.best is None:
        raise UserError(f"{diverged(1)}; nothing was written")
    if not is_over(state.history, params):
        print(f"{diverged(state.epoch)}; training ends after epoch {state.epoch - 1}", file=sys.stderr)
    history = pd.DataFrame(state.history, columns=COLUMNS).astype({"epoch": int})
    return Trained(state.best, state.ngram_codes, history, best_epoch(state.history, params))


def divide(reviews: Labelled, test: Labelled, params: TrainParams) -> tuple[Labelled, Labelled]:
    """The reviews to train on and those to validate with. Raises `UserError` as `hold_out` does."""
    return hold_out(reviews, params) if params.validation == "holdout" else (reviews, test)


def hold_out_and_train(
    reviews: Labelled,
    test: Labelled,
    model_params: ModelParams,
    encoding: PadParams,
    params: TrainParams,
    checkpoints: Path | None = None,
    words: Sequence[str] = (),
    combination: Combination | None = None,
    start: Weights | None = None,
) -> Trained:
    """Train on reviews, after some were held out if `params.validation` says so.

    Args:
        reviews: to train on; for the others see `train`.
        test: what the curves show with `validation: test`; otherwise unused.
        checkpoints: the folder of a checkpoint whose name says what training depends on; all but it and the newest
            others are removed. None: no checkpoints.
    """
    training, validation = divide(reviews, test, params)
    path = None
    if checkpoints:
        arrays = [array for part in (training, validation) for array in (*vars(part.ids).values(), part.y)]
        arrays += vars(training.unlabelled).values()
        arrays += named(start).values() if start else ()
        settings = encoding, model_params, params.model_copy(update={"folds": None, "threshold": None}), words
        path = checkpoints / f"{checkpoint.fingerprint(*settings, *(combination or ()), *arrays)}.npz"
    trained = train(training, validation, model_params, encoding, params, path, None, words, combination, start)
    if path:
        checkpoint.prune(path.parent, path, params.folds or 0)
    return trained


def _train_epoch(
    learning: Learner,
    reviews: int,
    state: TrainingState,
    params: TrainParams,
    save: Callable[[], None],
    raise_if_interrupted: Callable[[], None],
) -> None:
    """Do what is left of the current epoch."""
    saved = time.monotonic()
    batches = shuffled(reviews, params.batch_size, params.seed, state.epoch)[state.batches :]
    steps = learning.learn(state.epoch, batches, state.batches)
    shown = sys.stderr.isatty()
    bar = tqdm(steps, f"epoch {state.epoch}", len(batches), unit="batch", leave=False, disable=not shown)
    for loss, correct in bar:
        state.loss += loss
        state.correct += correct
        state.batches += 1
        raise_if_interrupted()
        if time.monotonic() - saved > CHECKPOINT_SECONDS:
            save()
            saved = time.monotonic()
