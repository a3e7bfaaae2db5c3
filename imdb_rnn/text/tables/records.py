"""JSON: one object a line, objects one after another, an array of objects, or an object that holds such an array."""

import json
import math
import re
from collections.abc import Iterator
from itertools import islice

from imdb_rnn.core.errors import UserError
from imdb_rnn.text.tables.source import MAX_ROW, is_text, pieces
from imdb_rnn.text.tables.table import Row, Table, named

FIRST = 1000  # objects, whose keys are the columns
PIECE = 2**16  # characters that are read at a time where objects are not lines
BEGIN = re.compile(r"\s*(\{\s*[\"}]|\[\s*[\[{\]\"])")
SPACE = re.compile(r"[\s,\x1e]*")
KEY, LIST = re.compile(r'[\s,{]*"[^"]*"\s*:\s*'), re.compile(r"\[(?=\s*\{)")
DECODER = json.JSONDecoder(parse_int=len, parse_float=len)
ORIENT = "with pandas: to_json(PATH, orient='records', lines=True)"


def open_table(table: Table, sample: str) -> Table:
    """Tell how the objects are written, and their keys. Raises `UserError` when there is no object."""
    begin = [line.strip() for line in sample.split("\n") if line.strip()]
    single = [line for line in begin if line[0] == "{" and line[-1] == "}"]
    is_lines = len(single) * 2 >= len(begin)
    if len(begin) == 1:
        is_lines = not _start(sample) and not _row(table, 1, sample).fault
    line_end = "\r\n" if "\r\n" in sample else "\n"
    table = table._replace(layout="lines" if is_lines else "array", line_end=line_end)
    rows = [row.values for row in islice(read_rows(table), FIRST) if row.values]
    if not rows:
        raise UserError(f"{table.path} holds no JSON object; it should have one per row ({ORIENT})")
    if all(isinstance(value, dict) for value in rows[0].values()):
        raise UserError(f"{table.path} holds columns, not rows; write one object per row ({ORIENT})")
    keys = list(dict.fromkeys(key for values in rows for key in values))
    named(table.path, keys)
    return table._replace(columns=keys, header=keys)


def read_rows(table: Table, blank: bool = False) -> Iterator[Row]:
    """Read the objects, see `tables.read_rows`."""
    texts = filter(str.strip, pieces(table)) if table.layout == "lines" else _objects(table)
    return (_row(table, number, text) for number, text in enumerate(texts, start=1))


def _objects(table: Table) -> Iterator[str]:
    """The text of each object of the array, or of those that stand one after another."""
    source, number = pieces(table, PIECE), 1
    text = next(source)
    start = place = _start(text)
    while True:
        place = SPACE.match(text, place).end()  # type: ignore[union-attr]
        if start and text[place : place + 1] == "]":
            return
        try:
            _, end = DECODER.raw_decode(text, place)
        except (ValueError, RecursionError) as error:
            more = next(source, "") if len(text) - place <= MAX_ROW else ""
            if not more and place == len(text) and not start:
                return
            if not more:
                near = text[place : place + 40]
                raise UserError(f"{table.path}, row {number}: not valid JSON, near {near!r}") from error
            text, place = text[place:] + more, 0
        else:
            number += 1
            yield text[place:end]
            place = end


def _start(text: str) -> int:
    """Where the objects of an array begin, which may be in an object: `{"version": 1, "data": [{`; 0 if nowhere."""
    array = re.match(r"\s*\[", text)
    place = array.end() if array else 0
    while not array and (key := KEY.match(text, place)):
        if found := LIST.match(text, key.end()):
            return found.end()
        try:
            _, place = DECODER.raw_decode(text, key.end())
        except (ValueError, RecursionError):
            return 0
    return place if array else 0


def _row(table: Table, number: int, text: str) -> Row:
    if not is_text(text):
        return Row(number, {}, f"not {table.encoding}")
    try:
        values = json.loads(text, parse_constant=_finite, parse_float=_finite)
        if not isinstance(values, dict):
            return Row(number, {}, "not a JSON object")
        if "\\u" in text:
            json.dumps(values, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return Row(number, {}, "an unpaired surrogate escape")
    except (ValueError, RecursionError):
        return Row(number, {}, "not valid JSON")
    return Row(number, values)


def _finite(number: str) -> float | None:
    """A number; none for what JSON cannot write: `NaN`, which pandas writes where there is no value, and 1e999."""
    value = float(number)
    return value if math.isfinite(value) else None
