"""The whole procedure, from encoded reviews to a trained network, in one function."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from imdb_rnn.core.params import ModelParams, PadParams, TrainParams
from imdb_rnn.text.encode import Labelled
from imdb_rnn.training.batches import fold_of_each
from imdb_rnn.training.loop import Trained, hold_out_and_train
from imdb_rnn.training.out_of_fold import OutOfFold, predict_folds


def fit(
    training: Labelled,
    test: Labelled,
    model: ModelParams,
    encoding: PadParams,
    params: TrainParams,
    words: Sequence[str] = (),
    groups: np.ndarray | None = None,
    checkpoints: Path | None = None,
) -> tuple[Trained, OutOfFold | None]:
    """Do what the stages `folds` and `train` do.

    Args:
        training, test, words: as `loop.hold_out_and_train` takes them.
        groups: (reviews,), the group of each training review. None: there are no groups.
        checkpoints: the folder from which each training resumes. None: no checkpoints.

    Returns:
        The network, and what it was combined by; None if `params.folds` is.

    Raises:
        UserError: as `predict_folds` and `loop.hold_out_and_train` do.
    """
    found = None
    if params.folds:
        fold = fold_of_each(training, params.folds, groups)
        found = predict_folds(training, fold, model, encoding, params, words, checkpoints)
    combination = found.combination if found else None
    return hold_out_and_train(training, test, model, encoding, params, checkpoints, words, combination), found
