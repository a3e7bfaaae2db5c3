"""The course of a training: one row an epoch, and which epoch counts."""

import numpy as np
import pandas as pd

from stages import files

COLUMNS = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy")


def kept_epoch(history: pd.DataFrame, validation: str) -> int:
    """Tell which epoch's weights are the trained model.

    Args:
        history: a row for each epoch so far, with `COLUMNS`; epochs count from 1.
        validation: `holdout` keeps the first epoch with the lowest validation loss, which chance moves less than the
            accuracy; `test` keeps the last epoch, because choosing by test reviews would make the test result too
            good.
    """
    best = -1 if validation == "test" else int(np.argmin(history["val_loss"].to_numpy()))
    return int(history["epoch"].iloc[best])


def loss_and_accuracy(y: np.ndarray, probability: np.ndarray) -> tuple[float, float]:
    """Mean binary cross-entropy, as Keras computes it, and the share of reviews on the right side of 0.5.

    Args:
        y: (reviews,), 0 or 1.
        probability: (reviews,), that the review is positive.
    """
    clipped = np.clip(probability, 1e-7, 1 - 1e-7)
    loss = -np.log(np.where(y == 1, clipped, 1 - clipped)).mean()
    return float(loss), float(np.mean((probability > 0.5) == (y == 1)))


def write_history(history: pd.DataFrame) -> None:
    """Write `results/history.csv`, six decimals."""
    with files.replacing(files.HISTORY) as new:
        history.round(6).to_csv(new, index=False, lineterminator="\n")


def read_history() -> pd.DataFrame:
    """Read `results/history.csv`. Raises `UserError` when it is missing or not a finite table of `COLUMNS`."""
    path = files.require(files.HISTORY, "train")
    try:
        history = pd.read_csv(path)
        if tuple(history.columns) != COLUMNS or history.empty or not np.isfinite(history.to_numpy(float)).all():
            raise ValueError(f"it should be a table of finite {', '.join(COLUMNS)}")
    except (OSError, ValueError) as error:  # pandas' parser errors are ValueErrors
        raise files.damaged(path, "train", error) from error
    return history
