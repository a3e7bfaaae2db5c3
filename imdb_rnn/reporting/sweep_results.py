"""What a sweep has found, as `make sweep` writes it and the page shows it."""

from itertools import accumulate
from pathlib import Path
from typing import Annotated, Literal, get_args

import pandas as pd
from pydantic import Field

from imdb_rnn.core.errors import UserError
from imdb_rnn.evaluation.results import Result, Share

Status = Literal["finished", "stopped", "failed"]  # in the order of the table
N_BEST = 10  # trials that are shown


class Trial(Result):
    """What came of one trial, and the value of each dotted key that the sweep searched."""

    trial: Annotated[int, Field(ge=1)]
    status: Status
    epochs: Annotated[int, Field(ge=0)]
    best_epoch: Annotated[int, Field(ge=0)]
    val_loss: Annotated[float, Field(ge=0)] | None
    val_accuracy: Share | None
    ended: Annotated[float, Field(ge=0)] | None  # seconds since the sweep began
    seconds: Annotated[float, Field(ge=0)] | None
    error: str | None
    settings: dict[Annotated[str, Field(pattern=r"^[^.]+\..+$")], bool | int | float | str | None]


def read_sweep(path: Path) -> list[Trial]:
    """Read the trials of a sweep, best first. Raises `UserError` when they are missing, damaged or out of order."""
    names = [name for name in Trial.model_fields if name != "settings"]
    try:
        table = pd.read_csv(path, keep_default_na=False, na_values=[""])
        if list(table.columns[: len(names)]) != names:
            raise ValueError(f"it should begin with the columns {', '.join(names)}")
        keys = list(table.columns[len(names) :])
        table = table.convert_dtypes()  # a column of integers and nothing is not one of floats
        rows = table.astype(object).where(table.notna(), None).to_dict("records")
        trials = [
            Trial.model_validate({name: row[name] for name in names} | {"settings": {key: row[key] for key in keys}})
            for row in rows
        ]
        if trials != sorted(trials, key=rank):
            raise ValueError("the best trial should come first")
    except (OSError, ValueError) as error:  # pandas' and pydantic's errors are ValueErrors
        reason = " ".join(str(error).split())
        raise UserError(f"{path} cannot be read ({reason}); `git checkout {path}` or run `make sweep`") from error
    return trials


def rank(trial: Trial) -> tuple[int, float]:
    """The key that sorts trials: finished ones first, the lowest loss first."""
    loss = float("inf") if trial.val_loss is None else trial.val_loss
    return get_args(Status).index(trial.status), loss


def summarize(trials: list[Trial]) -> dict | None:
    """What the page shows of a sweep, as values of JSON; None if no trial was finished.

    Returns:
        counts: how many trials ended in which way.
        best: the first `N_BEST` trials that have a loss.
        progress: columns over the trials that have a loss, in the order in which they ended: `minutes` since the sweep
            began, the loss under `finished` or `stopped` (None under the other), and the `best` finished so far, None
            before the first.
    """
    if not any(trial.status == "finished" for trial in trials):
        return None
    measured = [trial for trial in trials if trial.status != "failed" and trial.val_loss is not None]
    by_time = sorted(measured, key=lambda trial: trial.ended or 0)
    finished, stopped = (
        [trial.val_loss if trial.status == status else None for trial in by_time] for status in ("finished", "stopped")
    )
    best = accumulate(finished, lambda *pair: min((loss for loss in pair if loss is not None), default=None))
    return {
        "counts": {status: sum(trial.status == status for trial in trials) for status in get_args(Status)},
        "best": [trial.model_dump(exclude={"ended", "seconds", "error"}) for trial in measured[:N_BEST]],
        "progress": {
            "minutes": [round((trial.ended or 0) / 60, 2) for trial in by_time],
            "best": list(best),
            "finished": finished,
            "stopped": stopped,
        },
    }
