"""A table of texts, scored: the same rows and columns, and two more columns with the predictions of a model."""

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError
from imdb_rnn.decision import predicted
from imdb_rnn.engine.kernels.arithmetic import probabilities
from imdb_rnn.model import Model
from imdb_rnn.text import columns, tables

ADDED = PROBABILITY, LABEL = "predicted_probability", "predicted_label"
BATCH_ROWS, BATCH_CHARACTERS = 4096, 2**24  # at most, of the rows that are in memory at a time
PARQUET_ROWS = 2**14  # in memory at a time; each batch is a row group of the new file
WRITABLE = {
    "csv": ("csv", "tsv", "jsonl"),
    "tsv": ("csv", "tsv", "jsonl"),
    "jsonl": ("jsonl",),
    "parquet": ("parquet",),
}
OnProgress = Callable[[int], object]  # is called with the number of rows that were scored since the last call


class Counts(NamedTuple):
    """How many rows a table has, and how many of them are predicted positive."""

    rows: int
    positive: int


def find_text_columns(table: Path, named: list[str] | None) -> list[str]:
    """The columns of a table whose cells are joined to the texts.

    Args:
        named: their names; None: the one column with a usual name for texts.

    Raises:
        UserError: when a column does not exist or cannot be inferred; and as `tables.open_table` does.
    """
    opened = tables.open_table(table)
    if named:
        columns.require(opened.columns, named, table)
        return named
    rows = [row.values for row in islice(tables.read_rows(opened), 1000) if not row.fault]
    name, _ = columns.find_text(opened.columns, rows, str(table), "--text-column")
    return [name]


def is_scored(table: Path) -> bool:
    """Whether a table has columns named as those that scoring adds. Raises `UserError` as `tables.open_table` does."""
    return not set(ADDED).isdisjoint(tables.open_table(table).columns)


def score_table(
    model: Model, table: Path, out: Path, texts: list[str], on_progress: OnProgress = lambda rows: None
) -> Counts:
    """Write a table with the columns `predicted_probability` (six decimals) and `predicted_label`, all or nothing.

    The other columns and the rows keep their order and values. Columns with the names of the two are replaced. A few
    rows at a time are in memory.

    Args:
        out: may be `table` itself. Its name tells the format: that of `table`, or for CSV and TSV any text format.
        texts: columns whose cells are joined to the texts, as for training.

    Raises:
        UserError: when a row cannot be read or has no text, or `out` cannot be written; and as `tables.read_rows` does.
    """
    name, _ = tables.form_of(table)
    new_name, compression = tables.form_of(out)
    if new_name not in WRITABLE[name]:
        possible = " or ".join(f".{form}" for form in WRITABLE[name])
        raise UserError(f"{out}: a .{name} table can be written as {possible} only; choose such a name")
    if out.is_dir():
        raise UserError(f"{out} is a folder; name a file")
    rows = positive = 0
    with files.replacing(out) as new, ExitStack() as stack:
        if name == "parquet":
            scored = _score_parquet(model, table, new, texts)
        else:
            file = _create(new, compression, stack)
            write = (
                _jsonl_writer(file)
                if new_name == "jsonl"
                else _csv_writer(file, new_name, tables.open_table(table).columns)
            )
            scored = _score_rows(model, table, texts, write)
        for logits in scored:
            rows += len(logits)
            positive += int(predicted(logits).sum())
            on_progress(len(logits))
    return Counts(rows, positive)


def _score_rows(
    model: Model, table: Path, texts: list[str], write: Callable[[dict[str, Any]], None]
) -> Iterator[np.ndarray]:
    for rows, joined in _batches(table, texts):
        logits = model.decision_function(joined)
        for row, probability, label in zip(
            rows, probabilities(logits).round(6).tolist(), model.label_names(logits), strict=True
        ):
            write({name: row[name] for name in row if name not in ADDED} | {PROBABILITY: probability, LABEL: label})
        yield logits


def _batches(table: Path, texts: list[str]) -> Iterator[tuple[list[dict[str, Any]], list[str]]]:
    """The rows by column, and their texts, checked."""
    rows: list[dict[str, Any]] = []
    joined: list[str] = []
    characters = 0
    for number, values, fault, _ in tables.read_rows(tables.open_table(table)):
        if fault:
            raise UserError(f"{table}, row {number}: {fault}; fix or remove it")
        rows.append(values)
        joined.append(_joined([values.get(name) for name in texts], table, number, texts))
        characters += len(joined[-1])
        if len(rows) == BATCH_ROWS or characters >= BATCH_CHARACTERS:
            yield rows, joined
            rows, joined, characters = [], [], 0
    if rows:
        yield rows, joined


def _score_parquet(model: Model, table: Path, new: Path, texts: list[str]) -> Iterator[np.ndarray]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = tables.parquet_schema(table)
    kept = [name for name in schema.names if name not in ADDED]
    added = [pa.field(PROBABILITY, pa.float64()), pa.field(LABEL, pa.string())]
    schema = pa.schema([*(schema.field(name) for name in kept), *added], schema.metadata)
    number = 1
    with pq.ParquetWriter(new, schema) as writer:
        for batch in tables.read_batches(table, PARQUET_ROWS):
            try:
                cells = zip(*(batch.column(name).to_pylist() for name in texts), strict=True)
            except UnicodeDecodeError as error:
                rows = f"rows {number} to {number + batch.num_rows - 1}"
                raise UserError(f"{table}, {rows}: a text is not UTF-8; fix or remove it") from error
            joined = [_joined(row, table, number + i, texts) for i, row in enumerate(cells)]
            number += batch.num_rows
            logits = model.decision_function(joined)
            answers = pa.array(probabilities(logits).round(6)), pa.array(model.label_names(logits), pa.string())
            arrays = [*(batch.column(name) for name in kept), *answers]
            writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))
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


def _create(path: Path, compression: str, stack: ExitStack) -> IO[str]:
    raw: Any = stack.enter_context(path.open("wb"))
    if compression == "gz":
        raw = stack.enter_context(gzip.GzipFile("", "wb", fileobj=raw, mtime=0))  # no name, no date: the same bytes
    elif compression == "zst":
        import pyarrow as pa

        raw = stack.enter_context(pa.CompressedOutputStream(raw, "zstd"))
    return stack.enter_context(io.TextIOWrapper(raw, "utf-8", newline=""))


def _jsonl_writer(file: IO[str]) -> Callable[[dict[str, Any]], None]:
    return lambda row: print(json.dumps(row, ensure_ascii=False), file=file)


def _csv_writer(file: IO[str], name: str, header: list[str]) -> Callable[[dict[str, Any]], None]:
    delimiter = tables.DELIMITERS[name]
    plain = csv.writer(file, delimiter=delimiter, lineterminator="\n")
    quoted = csv.writer(file, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)

    def write_cells(cells: list[str]) -> None:
        if name == "tsv" and any("\t" in cell and "\n" in cell for cell in cells):
            raise UserError("a cell has a tab and a line end, which a .tsv cannot hold; let --out be a .csv")
        # `csv` quotes a carriage return only if lines end in one, but would read it back as a line end.
        (quoted if any("\r" in cell for cell in cells) else plain).writerow(cells)

    write_cells([*(name for name in header if name not in ADDED), *ADDED])
    return lambda row: write_cells([*list(row.values())[:-2], f"{row[PROBABILITY]:.6f}", row[LABEL]])
