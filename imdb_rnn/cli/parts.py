"""Many tables, scored into a folder: each is a part, whole or not there, and what is done is not done again."""

import glob
import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from imdb_rnn.cli.scoring import Counts, find_text_columns, score_table
from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError
from imdb_rnn.model import Model
from imdb_rnn.text import tables

ABOUT = ".imdb-rnn"  # a folder beside the scored tables: a record of each, and what is not whole yet
UNFINISHED = "unfinished"
READ = 2**20  # bytes


class Part(NamedTuple):
    """One table of many.

    out: where it is written scored, under the same name
    texts: the columns whose cells are joined to the texts
    """

    table: Path
    out: Path
    texts: list[str]


class Record(BaseModel):
    """What a scored table was made of and what it has become; files by the SHA-256 of their bytes."""

    model_config = ConfigDict(extra="forbid", strict=True)
    model: str
    table: str
    texts: list[str]
    scored: str
    rows: int
    positive: int


def find_tables(named: list[str], out: Path) -> list[Path]:
    """The tables that are meant by names of files, folders, and patterns as the shell has them; `**`: any folders.

    A pattern that reaches the folder of the scored tables, `out`, does not mean those.

    Raises:
        UserError: when there is none by one of the names.
    """
    found: dict[Path, Path] = {}
    for name in named:
        pattern = name
        if Path(name).exists():
            pattern = glob.escape(name) + "/*" * Path(name).is_dir()
        matches = map(Path, glob.glob(pattern, recursive=True))  # noqa: PTH207  # that of Path takes no absolute pattern
        paths = sorted(path for path in matches if path.is_file() and tables.is_table(path))
        if not Path(name).exists():
            paths = [path for path in paths if path.parent.resolve() != out.resolve()]
        if not paths:
            endings = ", ".join(f".{form}" for form in tables.FORMATS)
            raise UserError(f"{name}: no table is there; their names end in {endings}")
        for path in paths:
            found.setdefault(path.resolve(), path)
    return list(found.values())


def plan(paths: list[Path], out: Path, named: list[str] | None) -> list[Part]:
    """Say what becomes of each table, before the first is scored.

    Args:
        out: the folder of the scored tables.
        named: columns of texts, as `find_text_columns` has them.

    Raises:
        UserError: when `out` is no folder, or holds the tables themselves, or two would become one; and as
            `find_text_columns` does.
    """
    if out.exists() and not out.is_dir():
        raise UserError(f"{out} is a file; several tables are written to a folder, name one")
    if not out.exists() and tables.is_table(out):
        raise UserError(f"{out} is named like a table; several tables are written to a folder, name one")
    known: dict[str, Path] = {}
    for path in paths:
        other = known.setdefault(path.name, path)
        if other is not path:
            raise UserError(f"{other} and {path} would both become {out / path.name}; score them into two folders")
        if path.parent.resolve() == out.resolve():
            raise UserError(f"{path} would be overwritten; name another folder than its own")
    return [Part(path, out / path.name, find_text_columns(path, named)) for path in paths]


@contextmanager
def place_in(out: Path) -> Iterator[Path]:
    """A new folder in that of the scored tables, for those that are not whole yet. Removed afterwards.

    What an earlier run left of its own, which was killed, is removed first. Raises `UserError` if `out` cannot be
    written to.
    """
    unfinished = out / ABOUT / UNFINISHED
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        place = Path(tempfile.mkdtemp(dir=unfinished))
    except OSError as error:
        raise UserError(f"{out} cannot be written to ({error.strerror}); allow it or name another folder") from error
    try:
        yield place
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def done(part: Part, model: str) -> Counts | None:
    """What was counted when the part was done; None if it has not been, or any of what was read or written changed.

    Args:
        model: the `digest` of its file.
    """
    try:
        record = Record.model_validate_json(_record(part).read_bytes())
        is_same = (
            (record.model, record.texts) == (model, part.texts)
            and record.scored == digest(part.out)
            and record.table == digest(part.table)
        )
    except (OSError, ValueError, UserError):
        return None
    return Counts(record.rows, record.positive) if is_same else None


def score_part(model: Model, digest_of_model: str, part: Part, place: Path, told: Callable[[int], object]) -> Counts:
    """Write the scored table and then its record.

    Args:
        place: a folder on the disk of `part.out`, where the table is until it is whole.
        told: as for `score_table`.

    Raises:
        UserError: as `score_table` does.
    """
    table = digest(part.table)  # before it is read: if it changes meanwhile, it will not be taken for done
    new = place / part.out.name
    counts = score_table(model, part.table, new, part.texts, told)
    scored = digest(new)
    try:
        new.replace(part.out)
    except OSError as error:
        raise UserError(f"{part.out} cannot be written ({error.strerror}); allow writing, then run again") from error
    record = Record(model=digest_of_model, table=table, texts=part.texts, scored=scored, **counts._asdict())
    files.write_json(_record(part), record.model_dump())
    return counts


def digest(path: Path) -> str:
    """The SHA-256 of a file's bytes. Raises `UserError` when it cannot be read."""
    sha256 = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while data := file.read(READ):
                sha256.update(data)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror})") from error
    return sha256.hexdigest()


def _record(part: Part) -> Path:
    return part.out.parent / ABOUT / f"{part.out.name}.json"
