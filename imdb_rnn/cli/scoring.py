"""Tables of texts with what a trained network says of each: the same rows and columns, and two more."""

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError
from imdb_rnn.decision import is_positive
from imdb_rnn.engine.kernels.arithmetic import expit
from imdb_rnn.model import Model
from imdb_rnn.text import columns, tables

PROBABILITY, LABEL = "probability", "label"  # the columns that are added
AT_ONCE, CHARACTERS = 4096, 2**24  # rows that are in memory together, and when there are fewer
PARQUET_AT_ONCE = 2**14  # rows; each is a row group of the new file
WRITABLE = {
    "csv": ("csv", "tsv", "jsonl"),
    "tsv": ("csv", "tsv", "jsonl"),
    "jsonl": ("jsonl",),
    "parquet": ("parquet",),
}


class Counts(NamedTuple):
    """How many rows a table has, and how many of them are positive."""

    rows: int
    positive: int


def find_text_columns(table: Path, named: list[str] | None) -> list[str]:
    """The columns of a table whose cells are joined to the texts.

    Args:
        named: their names; None: the one that is called as such columns are.

    Raises:
        UserError: when one is not there, or it is not clear which is meant, or a column that is added is there
            already; and as `tables.columns` does.
    """
    there = tables.columns(table)
    _check_names(there, table)
    if not named:
        return [columns.find(there, columns.TEXT, table, "--text-column")]
    columns.require(there, named, table)
    return named


def score_table(
    model: Model, table: Path, out: Path, texts: list[str], told: Callable[[int], object] = lambda rows: None
) -> Counts:
    """Write a table anew with the columns `probability` (six decimals) and `label` added to each row, all or nothing.

    Rows and columns keep their order and values. A few rows are in memory at a time.

    Args:
        out: may be `table` itself. Its name says the format: that of `table`, or for CSV and TSV any of text.
        texts: columns whose cells are joined to the texts, as for training.
        told: is called with how many further rows were scored.

    Raises:
        UserError: when a row cannot be read or has no text, when a column would be there twice, when `out` cannot be
            written; and as `tables.read_rows` does.
    """
    name, _ = tables.form_of(table)
    new_name, compression = tables.form_of(out)
    if new_name not in WRITABLE[name]:
        possible = " or ".join(f".{form}" for form in WRITABLE[name])
        raise UserError(f"{out}: a table in .{name} is written as {possible} only; choose such a name")
    if out.is_dir():
        raise UserError(f"{out} is a folder; name a file")
    header = tables.columns(table)
    _check_names(header, table)
    with files.replacing(out) as new:
        if name == "parquet":
            return _count(_score_parquet(model, table, new, texts), told)
        with ExitStack() as stack:
            file = _create(new, compression, stack)
            write = _write_jsonl(file) if new_name == "jsonl" else _write_separated(file, new_name, header)
            return _count(_score_rows(model, table, texts, write), told)


def _count(scored: Iterable[np.ndarray], told: Callable[[int], object]) -> Counts:
    rows = positive = 0
    for logits in scored:
        rows += len(logits)
        positive += int(is_positive(logits).sum())
        told(len(logits))
    return Counts(rows, positive)


def _score_rows(
    model: Model, table: Path, texts: list[str], write: Callable[[dict[str, Any]], None]
) -> Iterator[np.ndarray]:
    for rows, joined in _together(table, texts):
        logits = model.decision_function(joined)
        for row, value, label in zip(rows, expit(logits).round(6).tolist(), model.label_names(logits), strict=True):
            write({**row, PROBABILITY: value, LABEL: label})
        yield logits


def _together(table: Path, texts: list[str]) -> Iterator[tuple[list[dict[str, Any]], list[str]]]:
    """The rows by column and their texts, checked, as many as are scored at once."""
    rows: list[dict[str, Any]] = []
    joined: list[str] = []
    characters = 0
    for number, values, fault in tables.read_rows(table):
        if fault:
            raise UserError(f"{table}, row {number}: {fault}; mend or remove it")
        _check_names(values, table)
        rows.append(values)
        joined.append(_joined([values.get(name) for name in texts], table, number, texts))
        characters += len(joined[-1])
        if len(rows) == AT_ONCE or characters >= CHARACTERS:
            yield rows, joined
            rows, joined, characters = [], [], 0
    if rows:
        yield rows, joined


def _score_parquet(model: Model, table: Path, new: Path, texts: list[str]) -> Iterator[np.ndarray]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = (
        tables.parquet_schema(table).append(pa.field(PROBABILITY, pa.float64())).append(pa.field(LABEL, pa.string()))
    )
    number = 1
    with pq.ParquetWriter(new, schema) as writer:
        for batch in tables.read_batches(table, PARQUET_AT_ONCE):
            try:
                cells = zip(*(batch.column(name).to_pylist() for name in texts), strict=True)
            except UnicodeDecodeError as error:
                rows = f"rows {number} to {number + batch.num_rows - 1}"
                raise UserError(f"{table}, {rows}: a text is not UTF-8; mend or remove it") from error
            joined = [_joined(row, table, number + place, texts) for place, row in enumerate(cells)]
            number += batch.num_rows
            logits = model.decision_function(joined)
            answers = pa.array(expit(logits).round(6)), pa.array(model.label_names(logits), pa.string())
            writer.write_batch(pa.RecordBatch.from_arrays([*batch.columns, *answers], schema=schema))
            yield logits


def _joined(cells: Iterable[Any], table: Path, number: int, texts: list[str]) -> str:
    present = [cell for cell in cells if cell is not None]
    wrong = [cell for cell in present if not isinstance(cell, str)]
    if wrong:
        raise UserError(f"{table}, row {number}: {' and '.join(texts)} is {wrong[0]!r:.40}, not text")
    text = "\n".join(present)
    if not text.strip():
        raise UserError(f"{table}, row {number}: {' and '.join(texts)} is empty; fill it in or remove the row")
    return text


def _check_names(names: Any, table: Path) -> None:
    for added in (PROBABILITY, LABEL):
        if added in names:
            raise UserError(f"{table} has a column {added!r} already, which would be written twice; rename it")


def _create(path: Path, compression: str, stack: ExitStack) -> IO[str]:
    raw: Any = stack.enter_context(path.open("wb"))
    if compression == "gz":
        raw = stack.enter_context(gzip.GzipFile("", "wb", fileobj=raw, mtime=0))  # no name, no date: the same bytes
    elif compression == "zst":
        import pyarrow as pa

        raw = stack.enter_context(pa.CompressedOutputStream(raw, "zstd"))
    return stack.enter_context(io.TextIOWrapper(raw, "utf-8", newline=""))


def _write_jsonl(file: IO[str]) -> Callable[[dict[str, Any]], None]:
    def write(row: dict[str, Any]) -> None:
        file.write(json.dumps(row, ensure_ascii=False) + "\n")

    return write


def _write_separated(file: IO[str], name: str, header: list[str]) -> Callable[[dict[str, Any]], None]:
    delimiter = tables.DELIMITERS[name]
    plain = csv.writer(file, delimiter=delimiter, lineterminator="\n")
    quoted = csv.writer(file, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)

    def write_cells(cells: list[str]) -> None:
        if name == "tsv" and any("\t" in cell and "\n" in cell for cell in cells):
            raise UserError("a cell has a tab and a line end, with which no .tsv is read back; let --out be a .csv")
        # The module quotes a carriage return only if lines end in one, and would read it back as such an end
        (quoted if any("\r" in cell for cell in cells) else plain).writerow(cells)

    def write(row: dict[str, Any]) -> None:
        *cells, probability, label = row.values()
        write_cells([*cells, f"{probability:.6f}", label])

    write_cells([*header, PROBABILITY, LABEL])
    return write
