"""Many tables, scored into a folder: each table is a part, which is written whole or not at all, and only once."""

import glob
import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from imdb_rnn.cli.scoring import Counts, OnProgress, find_text_columns, score_table
from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError
from imdb_rnn.model import Model
from imdb_rnn.text.tables import SUFFIXES, Table, open_table
from imdb_rnn.text.tables.source import reading

FOLDER = ".imdb-rnn"  # next to the scored tables: a record of each, and the scratch folder


class Part(NamedTuple):
    """One table of many.

    out: the scored table, which has the same name if tables can be written so
    texts: the columns whose cells are joined to the texts
    each: whether the probability of each label is written
    unsure: see `Model.label_names`
    """

    table: Table
    out: Path
    texts: list[str]
    each: bool = False
    unsure: float | None = None


def find_tables(named: list[str], out: Path) -> list[Path]:
    """The tables that are named: files, folders, and patterns as in the shell, where `**` stands for any folders.

    A pattern that matches files in `out`, the folder of the scored tables, leaves these out.

    Raises:
        UserError: when a name matches no table.
    """
    found: dict[Path, Path] = {}
    for name in named:
        path = Path(name)
        pattern = glob.escape(f"{name}/") + "*" if path.is_dir() else name
        matches = map(Path, glob.glob(pattern, recursive=True))  # noqa: PTH207  # Path.glob takes no absolute pattern
        paths = sorted(match for match in matches if match.is_file() and match.suffix.lower() in SUFFIXES)
        if not path.exists():
            paths = [match for match in paths if match.parent.resolve() != out.resolve()]
        for table in [path] if path.is_file() else paths:
            found.setdefault(table.resolve(), table)
        if not paths and not path.is_file():
            kinds = "files, a folder or a pattern of .csv, .jsonl, .xlsx and the like"
            raise UserError(f"{name}: no table found; give {kinds}")
    return list(found.values())


def plan(
    paths: list[Path],
    out: Path,
    named: list[str] | None,
    trained: Sequence[str] = (),
    each: bool = False,
    unsure: float | None = None,
) -> list[Part]:
    """Check, before the first table is scored, where each will be written and which columns are read.

    Args:
        named, trained: see `find_text_columns`.
        each, unsure: see `Part`.

    Raises:
        UserError: when `out` is not a folder or contains the tables themselves, or two tables have the same name; and
            as `open_table` and `find_text_columns` do.
    """
    if out.is_file() or (not out.exists() and out.suffix.lower() in SUFFIXES):
        raise UserError(f"{out} should be a folder: several tables are written; name a folder")
    first: dict[Path, Path] = {}
    for path in paths:
        other = first.setdefault(_out(path, out), path)
        if other is not path:
            raise UserError(f"{other} and {path} would both become {_out(path, out)}; score them into two folders")
        if path.parent.resolve() == out.resolve():
            raise UserError(f"{path} would be overwritten; name another folder than its own")
    tables = map(open_table, paths)
    return [
        Part(table, _out(table.path, out), find_text_columns(table, named, trained), each, unsure) for table in tables
    ]


def _out(path: Path, out: Path) -> Path:
    """A table of a zip archive is written without one, a workbook of any kind as .xlsx."""
    name = path.with_suffix("").name if path.suffix.lower() == ".zip" else path.name
    return out / (Path(name).with_suffix(".xlsx").name if path.suffix.lower() in (".xls", ".xlsm", ".ods") else name)


@contextmanager
def scratch_folder(out: Path) -> Iterator[Path]:
    """An empty folder on the disk of the scored tables, removed afterwards; a killed run may have left an old one.

    Raises:
        UserError: when `out` cannot be written to.
    """
    scratch = out / FOLDER / "unfinished"
    try:
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
    except OSError as error:
        raise UserError(f"{out} cannot be written to ({error.strerror}); allow it or name another folder") from error
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def done(part: Part, model: str) -> Counts | None:
    """The counts of a part that is done by a model, given by its `digest`; None if anything of it has changed."""
    try:
        record = json.loads(_record(part).read_bytes())
        counts = Counts(*(record[field] for field in Counts._fields))
        now = _describe(model, digest(part.table.path), part, digest(part.out), counts)
    except (OSError, ValueError, LookupError, TypeError, UserError):
        return None
    return counts if record == now else None


def score_part(model: Model, model_digest: str, part: Part, scratch: Path, on_progress: OnProgress) -> Counts:
    """Write the scored table, and then its record.

    Args:
        scratch: a folder on the disk of `part.out`, for the table until it is whole.

    Raises:
        UserError: as `score_table` does.
    """
    table = digest(part.table.path)  # before it is read: a table that changes meanwhile does not count as done
    new = scratch / part.out.name
    counts = score_table(model, part.table, new, part.texts, on_progress, part.each, part.unsure)
    record = _describe(model_digest, table, part, digest(new), counts)
    try:
        new.replace(part.out)
    except OSError as error:
        raise UserError(f"{part.out} cannot be written ({error.strerror}); allow writing, then run again") from error
    files.write_json(_record(part), record)
    return counts


def _describe(model: str, table: str, part: Part, scored: str, counts: Counts) -> dict:
    """What a scored table was made from, and what it became; files by the SHA-256 of their bytes."""
    asked = {"texts": part.texts, "each": part.each, "unsure_above": part.unsure}
    return {"model": model, "table": table, **asked, "scored": scored} | counts._asdict()


def digest(path: Path) -> str:
    """The SHA-256 of a file's bytes. Raises `UserError` when it cannot be read."""
    with reading(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _record(part: Part) -> Path:
    return part.out.parent / FOLDER / f"{part.out.name}.json"
