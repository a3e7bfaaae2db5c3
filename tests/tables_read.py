"""What is read of tables."""

from pathlib import Path

from imdb_rnn.text.tables import open_table, read_rows


def cells_of(path: Path) -> list[list]:
    """The columns and the cells of a table in which nothing is wrong."""
    table = open_table(path)
    rows = list(read_rows(table))
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
    assert {row.fault for row in rows} <= {""}
    return [table.columns, *(list(row.values.values()) for row in rows)]
