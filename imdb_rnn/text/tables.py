"""Tables of texts, read row by row: CSV, TSV, JSONL and Parquet, all but the last also compressed by gzip or zstd.

However large a file is, a few of its rows are in memory at a time. A row that cannot be read says why, and reading goes
on; a fault of the whole file is a `UserError`. Text stays as it is: `NA` and `null` are words.
"""

import csv
import gzip
import io
import json
import math
import zlib
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from imdb_rnn.core.errors import UserError

if TYPE_CHECKING:
    import pyarrow as pa  # loaded only for Parquet and zstd: it takes a tenth of a second

TWICE, TOO_LARGE = "a duplicate key", "a number that is too large"  # why a line of JSONL cannot be read
MAX_CELL = 10 * 2**20  # characters, of a whole row in CSV, TSV and JSONL; a quote that is never closed ends here
MAX_COLUMNS = 10_000
PARQUET_ROWS = 256  # that are in memory at a time
DELIMITERS = {"csv": ",", "tsv": "\t"}
FORMATS = (*DELIMITERS, "jsonl", "parquet")


class Row(NamedTuple):
    """A row of a table.

    number: from 1; the header is not counted, nor are blank lines
    values: by column; CSV and TSV give str, JSONL and Parquet types of their own; empty if there is a fault
    fault: why the row cannot be read; empty if it can
    change: what reading it changed, such as an empty cell more than the header has; empty if nothing
    """

    number: int
    values: dict[str, Any]
    fault: str = ""
    change: str = ""


class Table(NamedTuple):
    """A table, recognised by its content.

    form: delimited, lines (one text a line), json, parquet or excel
    columns: their names in order; of a table without a header `column 1`, `column 2`, ...
    encoding, delimiter: as they are said to the user; empty for binary forms
    line_end, compression, member: what is needed to write the table back alike; member is a file of a zip, or a sheet
    """

    path: Path
    form: str
    columns: list[str]
    has_header: bool = True
    encoding: str = ""
    has_bom: bool = False
    delimiter: str = ""
    line_end: str = "\n"
    compression: str = ""
    member: str = ""


def open_table(path: Path) -> Table:
    """Look at a file and tell what table it holds. Raises `UserError` when it holds none that can be read."""
    name, compression = form_of(path)
    form = {"jsonl": "json", "parquet": "parquet"}.get(name, "delimited")
    encoding = "" if form == "parquet" else "UTF-8"
    return Table(
        path, form, columns(path), encoding=encoding, delimiter=DELIMITERS.get(name, ""), compression=compression
    )


def described(table: Table) -> str:
    """What a table is, for people: `comma-separated, UTF-8`."""
    names = {",": "comma-separated", ";": "semicolon-separated", "\t": "tab-separated", "|": "bar-separated"}
    form = {"lines": "one text a line", "json": "JSON", "parquet": "Parquet", "excel": "Excel"}
    parts = [names.get(table.delimiter) or form[table.form], table.encoding, table.compression, table.member]
    return ", ".join(filter(None, parts))


def form_of(path: Path) -> tuple[str, str]:
    """Tell format and compression by a file's name: `("csv", "gz")` of `reviews.csv.gz`, `("parquet", "")`.

    Raises:
        UserError: when the name is not one of a table.
    """
    first, last = ("", "", *(suffix.lower().removeprefix(".") for suffix in path.suffixes))[-2:]
    name, compression = (first, last) if last in ("gz", "zst") else (last, "")
    if name not in FORMATS or (name == "parquet" and compression):
        raise UserError(
            f"{path} is not a table by its name; it should end in .csv, .tsv, .jsonl or .parquet, the first three "
            "optionally followed by .gz or .zst"
        )
    return name, compression


def is_table(path: Path) -> bool:
    """Whether a file is a table, by its name."""
    try:
        form_of(path)
    except UserError:
        return False
    return True


def columns(path: Path) -> list[str]:
    """The names of a table's columns, in order; of JSONL the keys of the first object.

    Raises:
        UserError: when there are none, or more than `MAX_COLUMNS`, or two have the same name; and as `read_rows` does.
    """
    name, _ = form_of(path)
    if name == "parquet":
        return list(parquet_schema(path).names)
    if name == "jsonl":
        with closing(_read_jsonl(path)) as rows:
            first = next((row.values for row in rows if not row.fault), None)
        if first is None:
            raise UserError(f"{path} holds no JSON object; it should have one per line")
        return _checked(path, first)
    with closing(_records(path)) as records:
        return _header(path, records)


def read_rows(table: Table) -> Iterator[Row]:
    """Read a table row by row.

    CSV is as the module `csv` reads it with quotes that match: `"` around a cell, `""` for a quote in it. A byte order
    mark at the beginning of text and `\\r\\n` at the end of a line are no part of it.

    Raises:
        UserError: when the file is missing, unreadable, damaged or no table, holds NUL bytes (UTF-16 text does, too), a
            cell of more than `MAX_CELL` characters (in text: such a row), or no columns, as `columns` says.
    """
    return {"json": _read_jsonl, "parquet": _read_parquet}.get(table.form, _read_separated)(table.path)


def _read_separated(path: Path) -> Generator[Row, None, None]:
    with closing(_records(path)) as records:
        header = _header(path, records)
        number = 0
        for cells, fault, lines in records:
            rows = lines if fault else 1  # a quote that does not match takes many rows for one
            if not fault and len(cells) != len(header):
                fault = f"{len(cells)} fields where the header has {len(header)}"
            for _ in range(rows):
                number += 1
                yield Row(number, {} if fault else dict(zip(header, cells, strict=True)), fault)


def _header(path: Path, records: Iterator[tuple[list[str], str, int]]) -> list[str]:
    cells, fault, _ = next(records, ([], "the file is empty", 0))
    if fault:
        remedy = " (GB18030?); save the file as UTF-8" if fault == "not UTF-8" else ""
        raise UserError(f"{path}: cannot read the header: {fault}{remedy}")
    return _checked(path, cells)


def _records(path: Path) -> Generator[tuple[list[str], str, int], None, None]:
    """The cells of each record that is not blank, the header among them, why it cannot be read, and its lines."""
    name, _ = form_of(path)
    length, is_utf8, number = 0, True, 0

    def lines(text: IO[str]) -> Iterator[str]:
        nonlocal length, is_utf8, number
        while line := text.readline(MAX_CELL + 1):
            number += 1
            length += len(line)
            _check_line(path, number, length, "\0" in line)
            is_utf8 = is_utf8 and _is_utf8(line)
            yield line

    with _reading(path), _open(path) as raw, io.TextIOWrapper(raw, "utf-8-sig", "surrogateescape", newline="") as text:
        records = csv.reader(lines(text), delimiter=DELIMITERS[name], strict=True)
        while True:
            length, is_utf8, cells, fault, before = 0, True, [], "", number
            limit = csv.field_size_limit(MAX_CELL)  # of the whole process: others get theirs back
            try:
                cells = next(records)
            except StopIteration:
                return
            except csv.Error:
                fault = "its quotes do not match"
            finally:
                csv.field_size_limit(limit)
            if not is_utf8:
                fault = "not UTF-8"
            if name == "tsv" and any("\n" in cell and "\t" in cell for cell in cells):
                fault = "a quote that is not closed in its line"  # it took whole rows in
            if cells or fault:
                yield cells, fault, number - before


def _is_utf8(line: str) -> bool:
    if not line.isascii():
        try:
            line.encode()
        except UnicodeEncodeError:  # a byte that is no UTF-8 is kept as a lone surrogate
            return False
    return True


def _check_line(path: Path, number: int, length: int, is_binary: bool) -> None:
    if is_binary:
        raise UserError(f"{path}, line {number}: NUL bytes, so it is not UTF-8 text; convert the file to UTF-8")
    if length > MAX_CELL:
        what = f"more than {MAX_CELL >> 20} MB without the end of a row"
        raise UserError(f"{path}, line {number}: {what}; is a quote never closed, or the format another?")


def _read_jsonl(path: Path) -> Generator[Row, None, None]:
    with _reading(path), _open(path) as file:
        number = rows = 0
        while line := file.readline(MAX_CELL + 1):
            number += 1
            _check_line(path, number, len(line), b"\0" in line)
            line = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
            if not line.isspace() and line:
                rows += 1
                yield _parse(rows, line)


def _parse(number: int, line: bytes) -> Row:
    try:
        text = line.decode()
        values = json.loads(text, parse_constant=_refuse, parse_float=_finite, object_pairs_hook=_object)
        if not isinstance(values, dict):
            return Row(number, {}, "not a JSON object")
        if "\\u" in text:
            json.dumps(values, ensure_ascii=False).encode()
    except UnicodeDecodeError:
        return Row(number, {}, "not UTF-8")
    except UnicodeEncodeError:
        return Row(number, {}, "an unpaired surrogate escape")
    except (ValueError, RecursionError) as error:
        return Row(number, {}, str(error) if str(error) in (TWICE, TOO_LARGE) else "not valid JSON")
    return Row(number, values)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _finite(number: str) -> float:
    value = float(number)
    if math.isinf(value):  # which JSON has no way to write
        raise ValueError(TOO_LARGE)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError(TWICE)
    return values


def parquet_schema(path: Path) -> "pa.Schema":
    """The columns of a Parquet file with their types. Raises `UserError` as `columns` does."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with _reading(path, pa.ArrowException), path.open("rb") as raw, pq.ParquetFile(raw) as file:
        schema = file.schema_arrow
    _checked(path, schema.names)
    return schema


def read_batches(path: Path, size: int) -> Iterator["pa.RecordBatch"]:
    """Read a Parquet file, at most `size` rows at a time. Raises `UserError` as `read_rows` does."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    parquet_schema(path)
    with _reading(path, pa.ArrowException), path.open("rb") as raw, pq.ParquetFile(raw) as file:
        yield from file.iter_batches(size)


def _read_parquet(path: Path) -> Iterator[Row]:
    number = 0
    for batch in read_batches(path, PARQUET_ROWS):
        for values in _python_values(batch):
            number += 1
            for name, value in (values or {}).items():
                if isinstance(value, str | bytes) and len(value) > MAX_CELL:
                    raise UserError(f"{path}, row {number}: more than {MAX_CELL >> 20} MB in column {name}")
            yield Row(number, {}, "a value that cannot be read") if values is None else Row(number, values)


def _python_values(batch: "pa.RecordBatch") -> list[dict[str, Any] | None]:
    """The rows by column; None for one that Python has no values for: a string that is no UTF-8, a date too far."""
    try:
        return batch.to_pylist()
    except (ValueError, OverflowError):
        if batch.num_rows == 1:
            return [None]
        return [values for place in range(batch.num_rows) for values in _python_values(batch.slice(place, 1))]


def _checked(path: Path, names: Iterable[str]) -> list[str]:
    names = list(names)
    if not names:
        raise UserError(f"{path} has no columns")
    if len(names) > MAX_COLUMNS:
        raise UserError(f"{path} has {len(names)} columns, more than {MAX_COLUMNS}")
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise UserError(f"{path} has {count} columns named {name!r}; give them different names")
    return names


def _open(path: Path) -> IO[bytes]:
    _, compression = form_of(path)
    if compression == "gz":
        return gzip.open(path)  # type: ignore[return-value]
    raw = path.open("rb")
    if compression == "zst":
        import pyarrow as pa

        return io.BufferedReader(pa.CompressedInputStream(raw, "zstd"))
    return raw


@contextmanager
def _reading(path: Path, *others: type[Exception]) -> Iterator[None]:
    faults: tuple[type[Exception], ...] = (OSError, EOFError, zlib.error, *others)
    try:
        yield
    except faults as error:
        if isinstance(error, OSError) and error.errno:
            raise UserError(f"{path} cannot be read ({error.strerror})") from error
        raise UserError(f"{path} is damaged ({' '.join(str(error).split())})") from error
