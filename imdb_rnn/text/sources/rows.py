"""People's own reviews as they are found: rows of tables, or files of text in a folder for each label."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import OwnParams
from imdb_rnn.text import columns, tables
from imdb_rnn.text.labels import canonical

PARTS = {"train": "train", "training": "train", "test": "test", "testing": "test"} | dict.fromkeys(
    ("dev", "val", "valid", "validation"),
    "train",  # training holds its own reviews out
)
UNLABELLED = "unsup"  # the folder of the Large Movie Review Dataset whose reviews have no label
EXAMPLE = "example.csv"  # what `data/own` comes with, not read beside others
LONGEST_FILE = 10_000_000  # bytes


class Row(NamedTuple):
    """A review as it is found.

    place: file, and row in it
    text, label: as they are, the label `labels.canonical`
    part: `train`, `test`, or empty if nothing says which
    group: what keeps it on one side with others, or empty
    fault: why there is none, or empty
    """

    place: str
    text: str
    label: str
    part: str
    group: str
    fault: str


def read_rows(params: OwnParams, path: Path) -> Iterator[Row]:
    """Read all rows at `path`, `data.own.path`: of one table, of all tables in a folder by name, or of its text files.

    Says on standard output which columns it reads.

    Raises:
        UserError: when there are none, both kinds are there, a table cannot be read, or it is not clear which column is
            which.
    """
    if not path.exists():
        raise UserError(f"data.own.path: {params.path} does not exist; put your reviews there, or name another place")
    found = _files(path)
    found_tables, texts = [file for file in found if tables.is_table(file)], [file for file in found if _is_text(file)]
    if not (found_tables or texts):
        raise UserError(
            f"data.own.path: {params.path} holds no reviews; it should be a table (.csv, .tsv, .jsonl, .parquet), a "
            "folder of such, or folders of .txt files, one for each label"
        )
    if found_tables and texts:
        raise UserError(f"data.own.path: {params.path} holds tables and text files; leave one kind there")
    if len(found_tables) > 1:
        found_tables = [table for table in found_tables if table.name != EXAMPLE]
    parts = {table: _part_of_table(table, path) for table in found_tables}
    if not {"train", "test"} <= set(parts.values()):
        parts = dict.fromkeys(found_tables, "")  # the names do not split
    for table, part in parts.items():
        yield from _of_table(params, table, part)
    if any(_part_of_text(file, path) for file in texts):  # train and test, and lists of addresses beside them
        texts = [file for file in texts if _depth(file, path) > 2]
    for file in texts:
        yield _of_file(file, path)


def _files(path: Path) -> list[Path]:
    """A file, or those of a folder by name, but for hidden ones, as editors and systems leave them.

    Folders that are links are followed, each folder is read once. Raises `UserError` if one cannot be read.
    """
    if not path.is_dir():
        return [path]
    found: list[Path] = []
    seen: set[str] = set()
    for folder, folders, names in os.walk(path, onerror=_refuse_folder, followlinks=True):
        folders[:] = [] if os.path.realpath(folder) in seen else sorted(name for name in folders if name[0] != ".")
        if os.path.realpath(folder) not in seen:
            found += [Path(folder) / name for name in names if name[0] != "."]
        seen.add(os.path.realpath(folder))
    return sorted(found)


def _refuse_folder(error: OSError) -> None:
    raise UserError(f"{error.filename} cannot be read ({error.strerror}); allow it, or move it away") from error


def _depth(file: Path, folder: Path) -> int:
    return len(file.relative_to(folder).parts) if file != folder else 1


def _part_of_table(table: Path, folder: Path) -> str:
    """By what its name begins with, or by a folder that it is in: `train`, `test`, or empty."""
    begin = re.split("[^a-z]", table.name.lower())[0]
    names = [begin, *(name.lower() for name in reversed(table.relative_to(folder).parts[:-1]))]
    return next((PARTS[name] for name in names if name in PARTS), "")


def _part_of_text(file: Path, folder: Path) -> str:
    """By the folder that its label's folder is in: `train`, `test`, or empty."""
    names = file.relative_to(folder).parts
    return PARTS.get(names[-3].lower(), "") if len(names) > 2 else ""


def _is_text(file: Path) -> bool:
    return file.suffix.lower() == ".txt" and file.is_file() and file.parent.name != UNLABELLED


def _of_table(params: OwnParams, path: Path, part_of_table: str) -> Iterator[Row]:
    there = tables.columns(path)
    texts = params.text_columns or [columns.find(there, columns.TEXT, path, "data.own.text_columns")]
    label = params.label_column or columns.find(there, columns.LABEL, path, "data.own.label_column")
    others = [name for name in (params.split_column, params.group_column) if name]
    columns.require(there, [*texts, label, *others], path)
    print(f"{path}: text from {', '.join(texts)}; label from {label}")
    for row in tables.read_rows(path):
        place, values = f"{path.name}, row {row.number}", row.values
        if row.fault:
            yield Row(place, "", "", "", "", row.fault)
            continue
        cells = [values[name] for name in texts if values.get(name) is not None]
        text = "\n".join(map(str, cells))
        part, fault = _part(values.get(params.split_column)) if params.split_column else (part_of_table, "")
        if not all(isinstance(cell, str | int | float) for cell in cells):
            fault = "a text that is no text"
        group = canonical(values.get(params.group_column)) if params.group_column else ""
        value = canonical(values.get(label))
        fault = _fault(text, value) or fault
        yield Row(place, text, value, part, group, fault)


def _part(value: Any) -> tuple[str, str]:
    part = PARTS.get(canonical(value).lower(), "")
    return part, "" if part else "neither train nor test"


def _fault(text: str, label: str) -> str:
    if not text.strip():
        return "no text"
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        return "text that is not Unicode"
    return "" if label else "no label"


def _of_file(file: Path, folder: Path) -> Row:
    """A review of the layout of the Large Movie Review Dataset: train|test/pos|neg/*.txt, the first or not."""
    names = file.relative_to(folder).parts
    label = names[-2] if len(names) > 1 else ""
    place, text, fault = "/".join(names), "", ""
    try:
        if file.stat().st_size > LONGEST_FILE:
            fault = f"more than {LONGEST_FILE} bytes"
        else:
            text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        fault = "not UTF-8"
    except OSError as error:
        raise UserError(f"{file} cannot be read ({error.strerror})") from error
    return Row(place, text, canonical(label), _part_of_text(file, folder), "", fault or _fault(text, label))
