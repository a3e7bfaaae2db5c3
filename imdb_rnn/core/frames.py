"""Tables as CSV files and in Markdown. Not in `files`, because pandas loads slowly."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from imdb_rnn.core import files


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a table without its index, `\\n` line ends, whole or not at all."""
    files.write_text(path, table.to_csv(index=False, lineterminator="\n"))


def markdown(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown; None is an empty cell."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join('' if cell is None else str(cell) for cell in line)} |" for line in lines)


def read_points(path: Path, columns: tuple[str, ...], stage: str) -> pd.DataFrame:
    """Read some columns of a table of numbers that `stage` wrote: float64, at least one row.

    Raises:
        UserError: when the table is missing, lacks a column, or holds anything but finite numbers.
    """
    files.require(path, stage)
    try:
        points = pd.read_csv(path)[list(columns)].astype(float)
        if points.empty or not np.isfinite(points.to_numpy()).all():
            raise ValueError(f"it should be a table of finite {', '.join(columns)}")
    except (OSError, ValueError, KeyError) as error:  # pandas' parser errors are ValueErrors
        raise files.damaged(path, stage, error) from error
    return points
