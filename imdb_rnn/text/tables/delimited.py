"""Delimited text: which delimiter, which quotes, whether there is a header; and its rows.

The module `csv` reads the rows. Every delimiter and every way to quote is tried on the beginning of the file, and that
one is taken by which most lines are rows as wide as the first.
"""

import csv
import re
from collections import Counter, deque
from collections.abc import Iterator
from typing import Any

from imdb_rnn.text.tables.source import MAX_ROW, is_text, pieces
from imdb_rnn.text.tables.table import SEPARATED, Row, Table, named

LINES = 1000  # of the beginning, that tell the dialect
MOST = 0.8  # share of the lines that are rows as wide as the first, if there is no header and no name that says more
TEXT_NAME = re.compile(r"(text|review|sentence|content|comment|tweet|phrase|评论|内容|文本|影评)\w*", re.IGNORECASE)
LONGEST_NAME = 60
UNMATCHED, EXTRA = "a quote that does not match", "an empty cell more than the header has"
Rows = list[list[str]]


def open_table(table: Table, sample: str) -> Table:
    """Tell delimiter, quotes and header of a text that begins with `sample`."""
    line_end = next((end for end in ("\r\n", "\n", "\r") if end in sample), "\n")
    lines = [line for line in sample.splitlines(keepends=True) if line.strip()][:LINES]
    table, rows = _dialect(table._replace(line_end=line_end), lines)
    has_header = bool(TEXT_NAME.fullmatch(rows[0][0])) if table.form == "lines" else _has_header(rows)
    columns = named(table.path, rows[0] if has_header else [""] * len(rows[0]))
    return table._replace(columns=columns, header=rows[0] if has_header else [])


def _dialect(table: Table, lines: list[str]) -> tuple[Table, Rows]:
    """The table with its dialect, and its rows; of the form `lines` where no dialect makes rows of them."""
    text = "".join(lines)
    best: tuple[float, bool, Table, Rows] = (
        0.0,
        False,
        table._replace(form="lines"),
        [[line.strip()] for line in lines],
    )
    if text.startswith("__label__"):  # of fastText
        return best[2:]
    is_quoted = any(line[0] == '"' or ', "' in line for line in lines)
    layouts = ["doubled", *["backslash"] * ('\\"' in text), "unquoted"]
    for delimiter in reversed(SEPARATED):
        blanks = [True, False] if lines[0].count(delimiter) == lines[0].count(f"{delimiter} ") else [False, True]
        for skips, layout in [(skips, layout) for skips in blanks for layout in layouts]:
            tried = table._replace(delimiter=delimiter, skips_blank=skips, layout=layout)
            share, is_by_line, rows = _fit(tried, lines)
            is_one = len(rows[0]) == 1
            if is_one and (best[0] or delimiter != "," or layout == "unquoted" or not is_quoted):
                continue
            is_enough = share >= MOST or (bool({".csv", ".tsv"} & {*table.path.suffixes}) and _has_header(rows))
            if is_enough and (share, is_by_line) > best[:2] and (is_quoted or not _is_prose(tried, lines, rows)):
                best = share, is_by_line, tried, rows
    return best[2:]


def _fit(table: Table, lines: list[str]) -> tuple[float, bool, Rows]:
    """The share of the lines that are rows as wide as the first, whether each row is one line, and the rows."""
    reader = csv.reader(_prepared(table, lines), **_options(table))
    rows: Rows = []
    good = before = 0
    is_by_line = is_open = True
    while is_open:
        try:
            cells = next(reader, None)
        except csv.Error:
            cells = []
        taken, before, is_open = reader.line_num - before, reader.line_num, cells is not None
        if cells and (not rows or _fits(table, cells, len(rows[0]), taken)):
            good += taken
            is_by_line = is_by_line and taken == 1
            rows.append(cells[: len(rows[0])] if rows else cells)
    return round(good / len(lines), 3), is_by_line, rows or [[""]]


def _fits(table: Table, cells: list[str], width: int, taken: int) -> bool:
    """Whether cells that were read from so many lines are a row; it may have empty cells more than the first."""
    if len(cells) < width or any(cells[width:]) or (not table.skips_blank and any(cell[:2] == ' "' for cell in cells)):
        return False
    # a quote that is not closed in its line takes whole rows in
    return taken == 1 or table.delimiter != "\t" or not any("\n" in cell and "\t" in cell for cell in cells)


def _is_prose(table: Table, lines: list[str], rows: Rows) -> bool:
    """Whether the commas are those of sentences: a blank follows each, and no column repeats its values."""
    if any(line.count(table.delimiter) != line.count(f"{table.delimiter} ") for line in lines):
        return False
    return all(len(set(column)) * 2 > len(rows) for column in zip(*rows, strict=True))


def _has_header(rows: Rows) -> bool:
    """Whether the first row names the columns: it holds no number, and nothing that is a value of its column."""
    first = rows[0]
    if [cell for cell in first if cell] == [str(place) for place in range(len(first) - (not first[0]))]:
        return True  # as pandas numbers columns
    columns = [Counter(column) for column in zip(*(row for row in rows[1:] if row != first), strict=True)]
    are_numbers = [all(map(_is_number, filter(None, column))) and any(column) for column in columns]
    if any(map(_is_number, first)):
        return False
    if any(is_number and cell for is_number, cell in zip(are_numbers, first, strict=False)):
        return True
    is_value = any(cell and column[cell] for cell, column in zip(first, columns, strict=False))
    return not is_value and max(map(len, first)) <= LONGEST_NAME


def _is_number(cell: str) -> bool:
    try:
        return float(cell) is not None
    except ValueError:
        return False


def _options(table: Table) -> dict[str, Any]:
    quoting = csv.QUOTE_NONE if table.layout == "unquoted" else csv.QUOTE_MINIMAL
    return {"delimiter": table.delimiter, "quoting": quoting, "skipinitialspace": table.skips_blank, "strict": True}


def _prepared(table: Table, lines: Any) -> Any:
    return (line.replace('\\"', '""') for line in lines) if table.layout == "backslash" else iter(lines)


def read_rows(table: Table, blank: bool) -> Iterator[Row]:
    """Read the rows, see `tables.read_rows`."""
    number, width, is_header = 0, len(table.columns), table.has_header
    for cells, line, change in _lines(table) if table.form == "lines" else _records(table, width):
        if is_header:
            is_header = False
        elif not any(cells):
            if blank:
                yield Row(number, dict.fromkeys(table.columns, ""))
        else:
            number += 1
            if not line.isascii() and not is_text(line):
                yield Row(number, {}, f"not {table.encoding}")
            elif len(cells) == width or (len(cells) > width and not any(cells[width:])):
                change = change or EXTRA * (len(cells) > width)
                yield Row(number, dict(zip(table.columns, cells, strict=False)), "", change)
            else:
                yield Row(number, {}, change or f"{len(cells)} cells where the header has {width}")


def _lines(table: Table) -> Iterator[tuple[list[str], str, str]]:
    return (([line.rstrip("\r\n")], line, "") for line in pieces(table))


def _records(table: Table, width: int) -> Iterator[tuple[list[str], str, str]]:
    """The cells of each record, its lines, and what reading it changed.

    Where quotes do not match, the first line of the record is read by itself, and the lines after it anew.
    """
    csv.field_size_limit(max(csv.field_size_limit(), MAX_ROW))
    fresh, again, taken, options = _prepared(table, pieces(table)), deque[str](), list[str](), _options(table)

    def following() -> Iterator[str]:
        length = 0
        while line := again.popleft() if again else next(fresh, ""):
            length = length + len(line) if taken else len(line)
            taken.append(line)
            if length > MAX_ROW:
                raise csv.Error
            yield line

    while True:
        try:
            for cells in csv.reader(following(), **options):
                if len(taken) > 1 and not _fits(table, cells, width, len(taken)):
                    break
                yield cells, taken[0] if len(taken) == 1 else "".join(taken), ""
                taken.clear()
            else:
                return
        except csv.Error:
            pass
        line = taken[0].rstrip("\r\n")
        again.extendleft(reversed(taken[1:]))
        taken.clear()
        cells = next(csv.reader([line], **options | {"strict": False}), [])  # quotes within cells are left out
        yield cells if len(cells) == width else line.split(table.delimiter), line, UNMATCHED
