"""The door for people's tables: what a file holds is told by its content, and its rows are read one after another.

However large a file is, a few of its rows are in memory at a time; of a workbook the sheet is.
"""

from collections.abc import Iterator
from pathlib import Path

from imdb_rnn.core.errors import UserError
from imdb_rnn.text.tables import binary, delimited, records, source
from imdb_rnn.text.tables.table import Row, Table, described

__all__ = ["SUFFIXES", "Row", "Table", "described", "open_table", "read_rows"]

SUFFIXES = (  # of tables in a folder; a table that is named may have any name
    *(".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".json", ".parquet", ".xlsx", ".xlsm", ".xls", ".ods"),
    *(".zip", ".gz", ".zst"),
)
READERS = {"delimited": delimited, "lines": delimited, "json": records, "excel": binary, "parquet": binary}


def open_table(path: Path) -> Table:
    """Look at a file and tell by its content what table it holds.

    Raises:
        UserError: when the file is missing, unreadable, damaged or empty, or holds no table or several.
    """
    with source.reading(path):
        table, sample = source.look(path)
        if not table.form:
            table = table._replace(form="json" if records.BEGIN.match(sample) else "delimited")
        table = READERS[table.form].open_table(table, sample)
    if not table.columns:
        raise UserError(f"{path} has no columns")
    return table


def read_rows(table: Table, *, blank: bool = False) -> Iterator[Row]:
    """Read a table row by row. A row that cannot be read says why, and reading goes on.

    Text stays as it is: `NA` and `null` are words. Delimited text gives str, other forms types of their own.

    Args:
        blank: whether rows of empty cells only are rows, too, which have the number of the row before.

    Raises:
        UserError: when the file is damaged, or holds NUL bytes or a row of more than `source.MAX_ROW` characters.
    """
    with source.reading(table.path):
        yield from READERS[table.form].read_rows(table, blank)
