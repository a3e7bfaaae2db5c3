"""What a table is, and what a row of it is."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from imdb_rnn.core.errors import UserError

MAX_COLUMNS = 10_000
SEPARATED = {",": "comma-separated", ";": "semicolon-separated", "\t": "tab-separated", "|": "bar-separated"}


class Table(NamedTuple):
    """A table, recognised by its content.

    form: delimited, lines (one text a line), json, parquet or excel
    columns: their names in order; a column without a name is `column 1`, `column 2`, ...
    header: the names as they are written; empty if there is no header
    encoding: the name of the codec; empty for parquet and excel
    skipped: lines above the header: `sep=;`, or a title
    delimiter, skips_blank: what separates cells, and whether blanks after it are no part of them
    layout: of delimited text how a quote within quotes is written, `doubled` or `backslash`, or `unquoted`; of JSON
        `lines` or `array`
    line_end, compression: as in the file; member is the file of a zip archive, or the sheet of a workbook
    """

    path: Path
    form: str
    columns: list[str] = []  # noqa: RUF012  # never changed
    header: list[str] = []  # noqa: RUF012
    encoding: str = ""
    has_bom: bool = False
    delimiter: str = ""
    skips_blank: bool = False
    layout: str = ""
    skipped: int = 0
    line_end: str = "\n"
    compression: str = ""
    member: str = ""

    @property
    def has_header(self) -> bool:
        """Whether names of the columns are written in the file."""
        return bool(self.header)


class Row(NamedTuple):
    """A row of a table.

    number: from 1; neither the header nor blank rows are counted
    values: by column; empty if there is a fault
    fault: why the row cannot be read; empty if it can
    change: what reading it changed, such as an empty cell more than the header has; empty if nothing
    """

    number: int
    values: dict[str, Any]
    fault: str = ""
    change: str = ""


def described(table: Table) -> str:
    """What a table is, for people: `comma-separated, UTF-8`, `JSON lines, UTF-8, gzip`, `Excel, sheet Reviews`."""
    forms = {"lines": "one text a line", "json": f"JSON {table.layout}", "parquet": "Parquet", "excel": "Excel, sheet"}
    form = forms.get(table.form) or SEPARATED[table.delimiter]
    if table.form == "excel":
        return f"{form} {table.member}"
    return ", ".join(filter(None, [form, table.encoding, table.compression, table.member]))


def named(path: Path, header: Iterable[Any]) -> list[str]:
    """The names of columns; one without a name, or with that of a column before it, gets its own.

    Raises:
        UserError: when there are more than `MAX_COLUMNS`.
    """
    names: dict[str, None] = {}
    for place, cell in enumerate(header, start=1):
        name = str(cell).strip() or f"column {place}"
        names[f"{name} ({place})" if name in names else name] = None
    if len(names) > MAX_COLUMNS:
        raise UserError(f"{path} has {len(names)} columns, more than {MAX_COLUMNS}")
    return list(names)
