"""Excel and LibreOffice workbooks, read by python-calamine, and Parquet files, read by pyarrow."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

from imdb_rnn.core.errors import UserError
from imdb_rnn.text.tables.source import MAX_ROW
from imdb_rnn.text.tables.table import Row, Table, named

PARQUET_ROWS = 256  # that are in memory at a time
UNREADABLE = "a value that cannot be read"


def open_table(table: Table, sample: str) -> Table:
    """Tell the columns of a Parquet file, or of the first sheet of a workbook with a table."""
    if table.form == "parquet":
        with parquet(table) as file:
            names = list(file.schema_arrow.names)
        if named(table.path, names) != names:
            raise UserError(f"{table.path} has columns with the same name, or without one; give them different names")
        return table._replace(columns=names, header=names)
    with _workbook(table) as book:
        for name in book.sheet_names:
            rows = list(islice(_cells(book, name), 2))
            if len(rows) == 2:
                return table._replace(columns=named(table.path, rows[0]), header=rows[0], member=name)
    raise UserError(f"{table.path} has no sheet with a table: a header and rows")


def read_rows(table: Table, blank: bool) -> Iterator[Row]:
    """Read the rows, see `tables.read_rows`."""
    return _parquet_rows(table) if table.form == "parquet" else _excel_rows(table, blank)


@contextmanager
def _workbook(table: Table) -> Iterator[Any]:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        with CalamineWorkbook.from_path(table.path) as book:
            yield book
    except CalamineError as error:
        why = " ".join(str(error).split())[:200]
        raise UserError(f"{table.path} cannot be read ({why}); save it again, or the sheet as .csv") from error


def _cells(book: Any, name: str) -> Iterator[list[Any]]:
    """The rows from the header on; a title above it, alone in its row, is no part of the table."""
    is_table = False
    for cells in book.get_sheet_by_name(name).to_python():
        is_table = is_table or sum(cell != "" for cell in cells) > min(1, len(cells) - 1)
        if is_table:
            yield [int(cell) if isinstance(cell, float) and cell.is_integer() else cell for cell in cells]


def _excel_rows(table: Table, blank: bool) -> Iterator[Row]:
    number = 0
    with _workbook(table) as book:
        for row in islice(_cells(book, table.member), 1, None):
            is_blank = all(cell == "" for cell in row)
            number += not is_blank
            if blank or not is_blank:
                yield Row(number, dict(zip(table.columns, row, strict=True)))


@contextmanager
def parquet(table: Table) -> Iterator[Any]:
    """The open file of a Parquet table: a `pyarrow.parquet.ParquetFile`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(table.path) as file:
            yield file
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise UserError(f"{table.path} is damaged ({' '.join(str(error).split())[:200]}); fetch it again") from error


def _parquet_rows(table: Table) -> Iterator[Row]:
    number = 0
    with parquet(table) as file:
        for batch in file.iter_batches(PARQUET_ROWS):
            for cells in zip(*map(_values, batch.columns), strict=True):
                number += 1
                if any(isinstance(cell, str | bytes) and len(cell) > MAX_ROW for cell in cells):
                    raise UserError(f"{table.path}, row {number}: a cell of more than {MAX_ROW >> 20} MB")
                values = {name: None if cell is ... else cell for name, cell in zip(table.columns, cells, strict=True)}
                yield Row(number, values, "", UNREADABLE if ... in cells else "")


def _values(column: Any) -> list[Any]:
    """Python's values of an Arrow array; ... where it has none: for a string that is no UTF-8, a date too far."""
    try:
        return column.to_pylist()
    except (ValueError, OverflowError, LookupError):
        return [_values(column[place : place + 1])[0] for place in range(len(column))] if len(column) > 1 else [...]
