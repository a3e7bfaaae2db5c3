"""Loss and accuracy by epoch: one row per epoch, which epoch is the best, and when training is over."""

from pathlib import Path

import numpy as np
import pandas as pd

from imdb_rnn.core import frames
from imdb_rnn.core.params import TrainParams

COLUMNS = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy")


def best_epoch(rows: list[list[float]], params: TrainParams) -> int:
    """The epoch, from 1, whose weights are the trained network's.

    With `holdout` the first epoch with the lowest validation loss, which varies less by chance than the accuracy; with
    `test` the last epoch, because choosing by test reviews would make the test result too good.

    Args:
        rows: the history so far, at least one row of `COLUMNS`.
    """
    val_loss = [row[COLUMNS.index("val_loss")] for row in rows]
    return len(rows) if params.validation == "test" else int(np.argmin(val_loss)) + 1


def is_over(rows: list[list[float]], params: TrainParams) -> bool:
    """Whether all epochs are done, or `params.patience` of them have passed without a better one."""
    if not rows or not params.patience:
        return len(rows) >= params.epochs
    return len(rows) >= params.epochs or len(rows) - best_epoch(rows, params) >= params.patience


def diverged(epoch: int) -> str:
    """What to say when a loss of this epoch is not finite."""
    return f"the loss became NaN or infinite in epoch {epoch}; try a smaller train.learning_rate"


def read_history(path: Path) -> pd.DataFrame:
    """Read the history that `train` wrote. Raises `UserError` when it is missing or not a finite table of `COLUMNS`."""
    return frames.read_points(path, COLUMNS, "train").astype({"epoch": int})
