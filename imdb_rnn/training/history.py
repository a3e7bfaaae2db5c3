"""Loss and accuracy by epoch: one row an epoch, and which epoch counts."""

from pathlib import Path

import numpy as np
import pandas as pd

from imdb_rnn.core import frames

COLUMNS = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy")


def best_epoch(val_loss: list[float], validation: str) -> int:
    """Tell which epoch's weights are the trained network; epochs count from 1.

    Args:
        val_loss: after each epoch so far.
        validation: `holdout` keeps the first epoch with the lowest validation loss, which chance moves less than the
            accuracy; `test` keeps the last epoch, because choosing by test reviews would make the test result too
            good.
    """
    return len(val_loss) if validation == "test" else int(np.argmin(val_loss)) + 1


def write_history(path: Path, history: pd.DataFrame) -> None:
    """Write the history, six decimals."""
    frames.write_csv(path, history.round(6))


def read_history(path: Path) -> pd.DataFrame:
    """Read what `write_history` wrote. Raises `UserError` when it is missing or not a finite table of `COLUMNS`."""
    return frames.read_points(path, COLUMNS, "train").astype({"epoch": int})
