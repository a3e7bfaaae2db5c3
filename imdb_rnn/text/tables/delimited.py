"""Delimited text: which delimiter, which quotes, whether there is a header; and its rows.

The module `csv` reads the rows. Every delimiter and every way to quote is tried on the beginning of the file, and that
one is taken by which most lines are rows as wide as the first.
"""

import csv
import io
import re
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice, product
from typing import Any

from imdb_rnn.text.tables.source import MAX_ROW, is_text, pieces
from imdb_rnn.text.tables.table import SEPARATED, Row, Table, named

LINES = 1000  # of the beginning, that tell the dialect
MOST = 0.8  # share of the lines that are rows as wide as the first, if there is no header and no name that says more
TEXT_NAME = re.compile(r"(text|review|sentence|content|comment|tweet|phrase|评论|内容|文本|影评)\w*", re.IGNORECASE)
QUOTED = re.compile(r'"([^"]|"")*"')  # a cell in quotes, which are no text
LONGEST_NAME = 60
MAX_QUOTES = 200  # in a line; each may be looked at to the end of the line
UNMATCHED, EXTRA = "a quote or a line end that does not match", "an empty cell more than the header has"
Rows = list[list[str]]


def open_table(table: Table, sample: str) -> Table:
    """Tell delimiter, quotes and header of a text that begins with `sample`."""
    line_end = next((end for end in ("\r\n", "\n", "\r") if end in sample), "\n")
    lines = [line for line in io.StringIO(sample, "" if line_end == "\r" else "\n") if line.strip()][:LINES]
    skipped = int(sample[:4].lower() == "sep=" and len(lines) > 1)  # as Excel names the delimiter
    table = table._replace(line_end=line_end, skipped=skipped)
    found, rows = _dialect(table, lines[skipped:])
    if found.form == "lines" and len(lines) > 1:
        titled, below = _dialect(table._replace(skipped=1), lines[1:])
        if titled.form != "lines" and _has_header(below):
            found, rows = titled, below
    has_header = bool(TEXT_NAME.fullmatch(rows[0][0])) if found.form == "lines" else _has_header(rows)
    columns = named(table.path, rows[0] if has_header else [""] * len(rows[0]))
    return found._replace(columns=columns, header=rows[0] if has_header else [])


def _dialect(table: Table, lines: list[str]) -> tuple[Table, Rows]:
    """The table with its dialect, and its rows; of the form `lines` where no dialect makes rows of them."""
    text = "".join(lines)
    best: tuple[float, Table, Rows] = (0.0, table._replace(form="lines"), [[lines[0].strip()]])
    is_quoted = any(line[0] == '"' or ', "' in line for line in lines)
    is_csv = re.search(r"\.[ct]sv\b", f"{table.path.name} {table.member}".lower()) is not None
    for delimiter in () if text.startswith("__label__") else reversed(SEPARATED):
        blanks = [True, False] if lines[0].count(delimiter) == lines[0].count(f"{delimiter} ") else [False, True]
        for skips, layout in product(blanks, ["doubled", *["backslash"] * ('\\"' in text), "unquoted"]):
            tried = table._replace(delimiter=delimiter, skips_blank=skips, layout=layout)
            share, rows = _fit(tried, lines)
            if len(rows[0]) == 1 and (best[0] or delimiter != "," or layout == "unquoted" or not is_quoted):
                continue  # one column is a table if it is quoted
            is_enough = share >= MOST or (is_csv and len(rows[0]) > 1 and _has_header(rows))
            if is_enough and share > best[0] and (is_quoted or not _is_prose(tried, lines, rows)):
                best = share, tried, rows
    return best[1:]


def _fit(table: Table, lines: list[str]) -> tuple[float, Rows]:
    """The share of the lines that are rows as wide as the first, and these rows."""
    reader = csv.reader(_prepared(table, lines), **_options(table))
    found: list[tuple[list[str], int]] = []
    while (before := reader.line_num) < len(lines):
        try:
            cells = next(reader)
        except csv.Error:
            cells = []
        found.append((cells, reader.line_num - before))
    first = found[0][0] or [""]
    rows = [(cells, taken) for cells, taken in found if cells and _fits(table, cells, len(first), taken)]
    share = round(sum(taken for _, taken in rows) / len(lines), 3)
    return share, [cells[: len(first)] for cells, _ in rows] or [first]


def _fits(table: Table, cells: list[str], width: int, taken: int) -> bool:
    """Whether cells that were read from so many lines are a row; it may have empty cells more than the first."""
    if len(cells) < width or any(cells[width:]) or (not table.skips_blank and any(cell[:2] == ' "' for cell in cells)):
        return False
    if table.layout == "unquoted" and any(QUOTED.fullmatch(cell) for cell in cells):
        return False
    # a quote that is not closed in its line takes whole rows in
    return taken == 1 or table.delimiter != "\t" or not any("\n" in cell and "\t" in cell for cell in cells)


def _is_prose(table: Table, lines: list[str], rows: Rows) -> bool:
    """Whether the commas are those of sentences: a blank follows each, and no column repeats its values."""
    if any(line.count(table.delimiter) != line.count(f"{table.delimiter} ") for line in lines):
        return False
    return all(len(set(column)) * 2 > len(rows) for column in zip(*rows, strict=True))


def _has_header(rows: Rows) -> bool:
    """Whether the first row is a header: it has no numbers, and none of its cells occurs again in its column."""
    first = rows[0]
    if [cell for cell in first if cell] == [str(place) for place in range(len(first) - (not first[0]))]:
        return True  # as pandas numbers columns
    if any(map(_is_number, first)):
        return False
    columns = [set(column) for column in zip(*(row for row in rows[1:] if row != first), strict=True)]
    named = [(cell, column) for cell, column in zip(first, columns, strict=False) if cell]
    if any(any(column) and all(map(_is_number, filter(None, column))) for _, column in named):
        return True
    return max(map(len, first)) <= LONGEST_NAME and not any(cell in column for cell, column in named)


def _is_number(cell: str) -> bool:
    try:
        return float(cell) is not None
    except ValueError:
        return False


def _options(table: Table) -> dict[str, Any]:
    quoting = csv.QUOTE_NONE if table.layout == "unquoted" else csv.QUOTE_MINIMAL
    return {"delimiter": table.delimiter, "quoting": quoting, "skipinitialspace": table.skips_blank, "strict": True}


def _prepared(table: Table, lines: Iterable[str]) -> Iterator[str]:
    return (line.replace('\\"', '""') for line in lines) if table.layout == "backslash" else iter(lines)


def read_rows(table: Table, blank: bool) -> Iterator[Row]:
    """Read the rows, see `tables.read_rows`."""
    number, width, is_header = 0, len(table.columns), table.has_header
    lines = islice(pieces(table), table.skipped, None)
    texts = (([line.rstrip("\r\n")], line, "") for line in lines)
    for cells, line, change in texts if table.form == "lines" else _records(table, lines):
        if not any(cells):
            if blank and not is_header:
                yield Row(number, dict.fromkeys(table.columns, ""))
        elif is_header:
            is_header = False
        else:
            number += 1
            if not line.isascii() and not is_text(line):
                yield Row(number, {}, f"not {table.encoding}")
            elif len(cells) == width or (len(cells) > width and not any(cells[width:])):
                change = change or EXTRA * (len(cells) > width)
                yield Row(number, dict(zip(table.columns, cells, strict=False)), "", change)
            else:
                yield Row(number, {}, change or f"{len(cells)} cells where the header has {width}")


def _records(table: Table, lines: Iterator[str]) -> Iterator[tuple[list[str], str, str]]:
    """The cells of each record, its lines, and what reading it changed.

    Where a quote is never closed, the first line of the record becomes a row, and reading goes on with the second line.
    """
    csv.field_size_limit(max(csv.field_size_limit(), MAX_ROW))
    again, taken, options = deque[str](), list[str](), _options(table)
    fresh, width = _prepared(table, lines), len(table.columns)

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
        line = taken[0].rstrip("\r\n").replace("\r", " ")
        again.extendleft(reversed(taken[1:]))
        taken.clear()
        cells = _tolerant(line, table.delimiter)
        yield cells if len(cells) == width else line.split(table.delimiter), line, UNMATCHED


def _tolerant(line: str, delimiter: str) -> list[str]:
    """The cells of a line where a quote ends a cell only before a delimiter or the end of the line."""
    if line.count('"') > MAX_QUOTES:
        return []
    end = re.escape(delimiter)
    cells = re.findall(rf'(?:^|{end})(?:"(.*?)"(?={end}|$)|([^{end}]*))', line)
    return [quoted.replace('""', '"') or bare for quoted, bare in cells]
