"""People's own reviews, made up."""

import csv
from pathlib import Path

from imdb_rnn.base.params import OwnParams

USUAL = {
    "path": "data/own",
    "text_columns": None,
    "label_column": None,
    "labels": None,
    "split_column": None,
    "group_column": None,
    "split": "position",
    "test_fraction": 0.25,
    "remove_duplicates": False,
    "max_bad_rows": 0,
}


def own_params(**values: object) -> OwnParams:
    """The parameters of the source `own`, those of `params.yaml` unless `values` say otherwise."""
    return OwnParams(**USUAL | values)


def write_table(
    folder: Path, rows: list[list], header: tuple[str, ...] = ("text", "label"), name: str = "a.csv"
) -> None:
    """Write a table where `data.own.path` is, below `folder`."""
    (folder / "data/own").mkdir(parents=True, exist_ok=True)
    with (folder / "data/own" / name).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
