"""A table of texts, scored: the same rows and columns, and more columns with the predictions of a model."""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from imdb_rnn.cli.writing import Answer, added_columns, target_of, writing
from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError
from imdb_rnn.decision import predicted
from imdb_rnn.engine.kernels.arithmetic import probabilities
from imdb_rnn.model import TEXTS, UNSURE, Model
from imdb_rnn.text import columns, profiles, tables
from imdb_rnn.text.tables import Table
from imdb_rnn.text.tables.binary import parquet

BATCH_ROWS, BATCH_CHARACTERS = 4096, 2**24  # at most, of the rows that are in memory at a time
PARQUET_ROWS = 2**14  # in memory at a time; each batch is a row group of the new file
LOOKED_AT = 1000  # rows of a table by which its texts are recognised
AnswersOf = Callable[[list[str]], tuple["Counts", list[Answer]]]  # see `_answers`
OnProgress = Callable[[int], object]  # is called with the number of rows that were scored since the last call


class Counts(NamedTuple):
    """How many rows a table has, are predicted the second label, have no text, get `UNSURE`; and the texts' profile.

    profile: as the predictions without `UNSURE` have it
    """

    rows: int
    positive: int
    blank: int
    unsure: int
    profile: profiles.Profile


def total(counts: Sequence[Counts]) -> Counts:
    """The counts of all rows of several ones, of at least one."""
    rows, positive, blank, unsure = (sum(each) for each in zip(*(of[:4] for of in counts), strict=True))
    return Counts(rows, positive, blank, unsure, profiles.total(of.profile for of in counts))


def find_text_columns(table: Table, named: list[str] | None, trained: Sequence[str] = ()) -> list[str]:
    """The columns of a table whose cells are joined to the texts.

    Args:
        named: their names; None: those of the training if all are there, or else the one column that by its name or
            content holds texts.
        trained: the columns that were joined for the training.

    Raises:
        UserError: when a column does not exist or cannot be inferred.
    """
    if named:
        columns.require(table.columns, named, table.path)
        return named
    if trained and table.has_header and set(trained) <= set(table.columns):
        return list(trained)
    if len(table.columns) == 1:
        return table.columns
    rows = [row.values for row in islice(tables.read_rows(table), LOOKED_AT) if not row.fault]
    name, _ = columns.find_text(table.columns, rows, str(table.path), "--text-column")
    return [name]


def score_table(
    model: Model,
    table: Table,
    out: Path,
    texts: list[str],
    on_progress: OnProgress = lambda rows: None,
    each: bool = False,
    unsure: float | None = None,
) -> Counts:
    """Write a table with the columns that `added_columns` names, probabilities to six decimals, all or nothing.

    The other columns and the rows keep their order and values, a text file its encoding, delimiter and line ends.
    Columns with the names of those are replaced. In a row without a text they are empty.

    Args:
        out: its name tells the form; may be `table` itself.
        texts: columns whose cells are joined to the texts, as for training.
        each: see `added_columns`.
        unsure: see `Model.label_names`.

    Raises:
        UserError: when a row cannot be read, or `out` cannot be written; and as `tables.read_rows` does.
    """
    target, added = target_of(table, out), added_columns(model.labels, each)
    answers_of = partial(_answers, model, added=added, unsure=unsure)
    with files.replacing(out) as new:
        score = _score_parquet if table.form == "parquet" else _score_rows
        counts, _ = answers_of([])
        for more in score(answers_of, table, target, new, texts, added):
            counts = total([counts, more])
            on_progress(more.rows)
    return counts


def _answers(model: Model, texts: list[str], added: Sequence[str], unsure: float | None) -> tuple[Counts, list[Answer]]:
    """The counts of some rows, and the cells for each of their texts."""
    kept = [text for text in texts if text.strip()]
    parts = [model.encode(kept[first : first + TEXTS]) for first in range(0, max(len(kept), 1), TEXTS)]
    logits = np.concatenate(list(map(model.logits, parts)))
    probability, labels = probabilities(logits).round(6), model.label_names(logits, unsure)
    if logits.ndim == 1:
        said, shares = [probability.tolist(), labels], np.stack([(1 - probability).round(6), probability])
    else:
        said, shares = [labels, probability.max(axis=1).tolist()], probability.T
    known: Iterator[Answer] = zip(*said, *shares.tolist()[: len(added) - 2], strict=True)
    of_texts = profiles.profile(parts, predicted(logits, model.threshold), len(model.labels))
    positive, unsure = labels.count(model.labels[1]), labels.count(UNSURE)
    counts = Counts(len(texts), positive, len(texts) - len(kept), unsure, of_texts)
    return counts, [next(known) if text.strip() else (None,) * len(added) for text in texts]


def _score_rows(
    answers_of: AnswersOf, table: Table, target: Table, new: Path, texts: list[str], added: Sequence[str]
) -> Iterator[Counts]:
    with writing(table, target, new, added) as write:
        for rows, joined in _batches(table, texts):
            counts, answers = answers_of(joined)
            for row, answer in zip(rows, answers, strict=True):
                write({name: row[name] for name in row if name not in added}, answer)
            yield counts


def _batches(table: Table, texts: list[str]) -> Iterator[tuple[list[dict[str, Any]], list[str]]]:
    """The rows by column, and their texts; what reading them changed is counted and said."""
    changes = Counter[str]()
    rows: list[dict[str, Any]] = []
    joined: list[str] = []
    characters = 0
    for row in tables.read_rows(table, blank=True):
        if row.fault:
            raise UserError(f"{table.path}, row {row.number}: {row.fault}; fix or remove it")
        changes[row.change] += 1
        rows.append(row.values)
        joined.append(_joined(map(row.values.get, texts), table, row.number))
        characters += len(joined[-1])
        if len(rows) == BATCH_ROWS or characters >= BATCH_CHARACTERS:
            yield rows, joined
            rows, joined, characters = [], [], 0
    if rows:
        yield rows, joined
    for change, times in changes.items():
        if change:
            print(f"{table.path}: {times:,} row{'s' * (times != 1)} with {change}", file=sys.stderr)


def _joined(cells: Iterable[Any], table: Table, number: int) -> str:
    present = [cell for cell in cells if cell is not None]
    for cell in present:
        if not isinstance(cell, str | int | float):
            raise UserError(f"{table.path}, row {number}: {cell!r:.40} is no text; is --text-column another column?")
    return "\n".join(map(str, present))


def _score_parquet(
    answers_of: AnswersOf, table: Table, target: Table, new: Path, texts: list[str], added: Sequence[str]
) -> Iterator[Counts]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kept, numbers = [name for name in table.columns if name not in added], count(1)
    with parquet(table) as file:
        old = file.schema_arrow
        more = [pa.field(name, pa.string() if name == "predicted_label" else pa.float64()) for name in added]
        schema = pa.schema([*(old.field(name) for name in kept), *more], old.metadata)
        with pq.ParquetWriter(new, schema) as writer:
            for batch in file.iter_batches(PARQUET_ROWS):
                cells = zip(*(batch.column(name).to_pylist() for name in texts), strict=True)
                joined = [_joined(row, table, next(numbers)) for row in cells]
                counts, answers = answers_of(joined)
                said = [pa.array([answer[i] for answer in answers], field.type) for i, field in enumerate(more)]
                arrays = [*(batch.column(name) for name in kept), *said]
                writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))
                yield counts
