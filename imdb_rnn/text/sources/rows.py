"""User-supplied reviews as they are found: rows of tables, or text files in one folder per label."""

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
    ("dev", "val", "valid", "validation"), "validation"
)
UNLABELLED = "unsup"  # the folder of the Large Movie Review Dataset whose reviews have no label
LONGEST_FILE = 10_000_000  # bytes
FORMS = "a table (.csv, .tsv, .jsonl, .parquet), a folder of tables, or one folder of .txt files per label"


class ReviewRow(NamedTuple):
    """A review as it is found.

    place: file, and row in it
    text, label: as they are, the label `labels.canonical`
    part: `train`, `validation`, `test`, or empty if nothing says which
    group: reviews of the same group are kept on the same side of a split; empty: no group
    fault: why the row cannot be used, or empty
    """

    place: str
    text: str
    label: str
    part: str
    group: str
    fault: str


def read_rows(params: OwnParams, path: Path) -> Iterator[ReviewRow]:
    """Read all rows at `path`, `data.own.path`: of one table, of all tables in a folder by name, or of its text files.

    Prints which columns are read, and which files are not.

    Raises:
        UserError: as `find_files` does, and when a table cannot be read, or it is not clear which column is which.
    """
    found_tables, texts, others = find_files(params, path)
    if others:
        more = f" and {len(others) - 3:,} more" if len(others) > 3 else ""
        print(f"{params.path}: not read: {', '.join(str(file.relative_to(path)) for file in others[:3])}{more}")
    parts = {table: _part_of_table(table, path) for table in found_tables}
    if "test" not in parts.values() or not {"train", "validation"} & set(parts.values()):
        parts = dict.fromkeys(found_tables, "")  # the names do not split
    for table, part in parts.items():
        yield from _of_table(params, table, part)
    for file in texts:
        yield _of_file(file, path)


def find_files(params: OwnParams, path: Path) -> tuple[list[Path], list[Path], list[Path]]:
    """Find the tables, the text files, and all other files at `path`, `data.own.path`, except documentation.

    Raises:
        UserError: when there is neither a table nor a text, or both.
    """
    if not path.exists():
        raise UserError(f"data.own.path: {params.path} does not exist; put your reviews there: {FORMS}")
    found = _files(path)
    found_tables = [file for file in found if tables.is_table(file)]
    texts = [file for file in found if _is_text(file, path)]
    if any(_part_of_text(file, path) for file in texts):  # train and test, and lists of addresses beside them
        texts = [file for file in texts if len(file.relative_to(path).parts) > 2]
    read = {*found_tables, *texts}
    others = [file for file in found if file not in read and file.suffix not in (".md", ".dvc")]
    if not read:
        names = f", only {', '.join(file.name for file in others[:3])}" if others else ""
        example = f"; to try it, run `cp data/example.csv {path}`" if path.is_dir() else ""
        raise UserError(f"data.own.path: {params.path} holds no reviews{names}; put {FORMS} there{example}")
    if found_tables and texts:
        raise UserError(
            f"data.own.path: {params.path} holds tables and text files, {found_tables[0].relative_to(path)} and "
            f"{texts[0].relative_to(path)}; move one kind away"
        )
    return found_tables, texts, others


def _files(path: Path) -> list[Path]:
    """A file, or the files of a folder by name, except hidden ones, which editors and systems leave there.

    Raises:
        UserError: when a folder cannot be read, or is a link: DVC does not see what changes behind it.
    """
    if not path.is_dir():
        return [path]
    found: list[Path] = []
    for folder, folders, names in os.walk(path, onerror=_refuse_folder):
        folders[:] = [name for name in folders if name[0] != "."]
        for name in folders:
            if Path(folder, name).is_symlink():
                raise UserError(f"{Path(folder, name)} links to a folder, where DVC sees no changes; link its files")
        found += [Path(folder, name) for name in names if name[0] != "."]
    return sorted(found)


def _refuse_folder(error: OSError) -> None:
    raise UserError(f"{error.filename} cannot be read ({error.strerror}); allow it, or move it away") from error


def _part_of_table(table: Path, folder: Path) -> str:
    """By the beginning of its name, or by a folder that it is in: `train`, `validation`, `test`, or empty."""
    begin = re.split("[^a-z]", table.name.lower())[0]
    names = [begin, *(name.lower() for name in reversed(table.relative_to(folder).parts[:-1]))]
    return next((PARTS[name] for name in names if name in PARTS), "")


def _part_of_text(file: Path, folder: Path) -> str:
    """By the folder that its label's folder is in: `train`, `validation`, `test`, or empty."""
    names = file.relative_to(folder).parts
    return PARTS.get(names[-3].lower(), "") if len(names) > 2 else ""


def _is_text(file: Path, folder: Path) -> bool:
    in_folder = len(file.relative_to(folder).parts) > 1
    return file.suffix.lower() == ".txt" and in_folder and file.is_file() and file.parent.name != UNLABELLED


def _of_table(params: OwnParams, path: Path, part_of_table: str) -> Iterator[ReviewRow]:
    table = tables.open_table(path)
    there = table.columns
    texts = params.text_columns or [columns.find(there, columns.TEXT, path, "data.own.text_columns")]
    label = params.label_column or columns.find(there, columns.LABEL, path, "data.own.label_column")
    others = [name for name in (params.split_column, params.group_column) if name]
    columns.require(there, [*texts, label, *others], path)
    print(f"{path}: text from {', '.join(texts)}; label from {label}")
    for row in tables.read_rows(table):
        place, values = f"{path.name}, row {row.number}", row.values
        if row.fault:
            yield ReviewRow(place, "", "", "", "", row.fault)
            continue
        cells = [values[name] for name in texts if values.get(name) is not None]
        text = "\n".join(map(str, cells))
        part, fault = _part(values.get(params.split_column)) if params.split_column else (part_of_table, "")
        if not all(isinstance(cell, str | int | float) for cell in cells):
            fault = "text cell is not a string or a number"
        group = canonical(values.get(params.group_column)) if params.group_column else ""
        value = canonical(values.get(label))
        fault = _fault(text, value) or fault
        yield ReviewRow(place, text, value, part, group, fault)


def _part(value: Any) -> tuple[str, str]:
    part = PARTS.get(canonical(value).lower(), "")
    return part, "" if part else "neither train nor test"


def _fault(text: str, label: str) -> str:
    if not text.strip():
        return "no text"
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        return "text that is not Unicode"
    return "" if label else "no label"


def _of_file(file: Path, folder: Path) -> ReviewRow:
    """A review in the layout of the Large Movie Review Dataset: pos|neg/*.txt, below train|test or not."""
    names = file.relative_to(folder).parts
    place, label, text, fault = "/".join(names), names[-2], "", ""
    try:
        if file.stat().st_size > LONGEST_FILE:
            fault = f"more than {LONGEST_FILE} bytes"
        else:
            text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        fault = "not UTF-8"
    except OSError as error:
        raise UserError(f"{file} cannot be read ({error.strerror})") from error
    return ReviewRow(place, text, canonical(label), _part_of_text(file, folder), "", fault or _fault(text, label))
