"""People's own reviews, made up."""

import csv
import os
import signal
from pathlib import Path

from imdb_rnn.core.params import OwnParams

WORDS = ["a", "b", "c", "d", "e", "f", "g", "h"]
LONG = [[f"{word} film {number}", number % 2] for number, word in enumerate(WORDS * 2)]  # 16, in turns of both labels
USUAL = {
    "path": "data/own",
    "unlabelled": None,
    "text_columns": None,
    "label_column": None,
    "labels": None,
    "split_column": None,
    "group_column": None,
    "split": "position",
    "test_fraction": 0.25,
    "remove_duplicates": False,
    "max_bad_rows": None,
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


def killed(*_: object) -> None:
    """Ends its process as the system does when memory runs out."""
    os.kill(os.getpid(), signal.SIGKILL)


GOOD = b"text,label\n" + b"".join(f"{text},{label}\n".encode() for text, label in LONG)
LIES = {  # tables that are not what they say
    "ragged": GOOD + b"one,two,three,four\nalone\n",
    "NUL": GOOD + b"nul\x00byte,1\n",
    "Latin-1": GOOD + "caf\xe9,1\n".encode("latin-1"),
    "UTF-16": GOOD.decode().encode("utf-16"),
    "formula": GOOD + b"=1+2,1\n\"=cmd|'/c calc'!A1\",0\n",
    "headers twice": b"text,text,label\na,b,1\n",
    "label typos": GOOD + b"x,positve\n",
    "mixed types": GOOD + b"x,True\ny,1.0\nz,\n",
    "BOM": b"\xef\xbb\xbf" + GOOD,
    "empty": b"",
    "header alone": b"text,label\n",
    "no end": GOOD + b'"a quote that never ends,1\n',
    "columns": b",".join(b"c%d" % number for number in range(10_000)) + b"\n",
    "too many columns": b",".join(b"c%d" % number for number in range(20_000)) + b"\n",
    "a large cell": GOOD + b'"' + b"word " * 2_400_000 + b'",1\n',  # 12 MB, more than a row may hold
    "one line": b"x" * 12_000_000,
    "binary": bytes(range(256)) * 1000,
}
