"""Scored tables, written like the given ones: delimited text, JSON and Excel."""

import csv
import datetime
import gzip
import io
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import IO, Any

from imdb_rnn.core.errors import UserError
from imdb_rnn.text.tables import Table

Answer = tuple[float | str | None, ...]  # what `added_columns` names; nothing of a text that is blank
Write = Callable[[dict[str, Any], Answer], object]
FORMS = {
    ".csv": "delimited", ".tsv": "delimited", ".tab": "delimited", ".txt": "delimited",
    ".jsonl": "json", ".ndjson": "json", ".json": "json", ".xlsx": "excel", ".parquet": "parquet",
}  # fmt: skip
ONLY = {"json": ["json"], "parquet": ["parquet"]}  # what tables of some forms can be written as


def added_columns(labels: Sequence[str], each: bool = False) -> list[str]:
    """The columns that a scored table has more: with `each` also the probability of each label."""
    two = ["predicted_probability", "predicted_label"] if len(labels) == 2 else ["predicted_label", "probability"]
    return two + [f"probability_{label}" for label in labels if each]


def target_of(table: Table, out: Path) -> Table:
    """How a scored table is written: as the name says, and like the given table where that has the same form.

    Raises:
        UserError: when the name says no form that can be written.
    """
    compression = {".gz": "gzip", ".zst": "zstd"}.get(out.suffix.lower(), "")
    suffix = Path(out.stem if compression else out).suffix.lower()
    form, possible = FORMS.get(suffix, ""), ONLY.get(table.form, ["delimited", "json", "excel"])
    if form not in possible or (compression and form in ("excel", "parquet")):
        names = " or ".join(name for name in FORMS if FORMS[name] in possible)
        raise UserError(f"{out}: {table.path.name} can be written as {names} only; choose such a name")
    if out.is_dir():
        raise UserError(f"{out} is a folder; name a file")
    if form == "excel" and out.exists() and out.samefile(table.path):
        raise UserError(f"{out} may have other sheets, which would be lost; name another file")
    if form != table.form:
        encoding = table.encoding if form == "delimited" and table.encoding else "UTF-8"
        table = table._replace(form=form, delimiter="", layout="lines", encoding=encoding, header=table.columns)
    if form == "delimited" and (not table.delimiter or suffix not in Path(table.member or table.path).suffixes):
        table = table._replace(delimiter="," if suffix == ".csv" else "\t", layout="doubled")
    return table._replace(path=out, compression=compression)


@contextmanager
def writing(table: Table, target: Table, new: Path, added: Sequence[str]) -> Iterator[Write]:
    """Yield a function that writes a row, its cells and its answer, to `new`.

    Raises:
        UserError: when a cell cannot be written in such a form.
    """
    kept = [name for name, column in zip(target.header, table.columns, strict=False) if column not in added]
    header = [*kept, *added] if target.header else []
    if target.form == "excel":
        with _excel(target, header, new) as write:
            yield write
        return
    with ExitStack() as stack:
        raw: Any = stack.enter_context(new.open("wb"))
        if target.compression == "gzip":
            raw = stack.enter_context(gzip.GzipFile("", "wb", fileobj=raw, mtime=0))  # no name, no date: same bytes
        elif target.compression == "zstd":
            import pyarrow as pa

            raw = stack.enter_context(pa.CompressedOutputStream(raw, "zstd"))
        file = stack.enter_context(io.TextIOWrapper(raw, target.encoding, newline=""))
        if target.has_bom and target.encoding == "UTF-8":
            file.write("\ufeff")
        try:
            yield from _json(target, added, file) if target.form == "json" else _delimited(target, header, file)
        except UnicodeEncodeError as error:
            fault = f"{error.object!r:.40} cannot be written in {target.encoding}; let --out be a .jsonl"
            raise UserError(f"{target.path}: {fault}") from error


def _json(target: Table, added: Sequence[str], file: IO[str]) -> Iterator[Write]:
    before, between, end = ("[\n", ",\n", "\n]\n") if target.layout == "array" else ("", "\n", "\n")

    def write(cells: dict[str, Any], answer: Answer) -> None:
        nonlocal before
        values = cells | dict(zip(added, answer, strict=True))
        file.write(before + json.dumps(values, ensure_ascii=False, default=str))
        before = between

    yield write
    file.write(end if before == between else "")


def _delimited(target: Table, header: list[str], file: IO[str]) -> Iterator[Write]:
    style: dict[str, Any] = {"delimiter": target.delimiter, "lineterminator": target.line_end}
    bare: dict[str, Any] = {"quoting": csv.QUOTE_NONE, "quotechar": None} if target.layout == "unquoted" else {}
    plain = csv.writer(file, **style, **bare)
    quoted = csv.writer(file, **style, quoting=csv.QUOTE_ALL)

    def write(cells: dict[str, Any], answer: Answer) -> None:
        row, said = list(cells.values()), [f"{said:.6f}" if isinstance(said, float) else said for said in answer]
        if target.delimiter == "\t" and any(isinstance(cell, str) and "\t" in cell and "\n" in cell for cell in row):
            raise UserError(f"{target.path} cannot hold a cell with a tab and a line end; let --out be a .csv")
        # `csv` quotes a carriage return only if lines end in one, but would read it back as a line end
        writer = quoted if any(isinstance(cell, str) and "\r" in cell for cell in row) else plain
        writer.writerow([*row, *said])

    if header:
        plain.writerow(header)
    yield write


@contextmanager
def _excel(target: Table, header: list[str], new: Path) -> Iterator[Write]:
    import xlsxwriter

    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(new, options | {"default_date_format": "yyyy-mm-dd hh:mm:ss", "tmpdir": str(new.parent)})
    book.set_properties({"created": datetime.datetime(2000, 1, 1)})  # the same bytes every day
    sheet, numbers = book.add_worksheet((target.member or "scored")[:31]), count()

    def write_cells(row: list[Any]) -> None:
        number = next(numbers)
        if sheet.write_row(number, 0, row):
            raise UserError(f"{target.path}, row {number}: too long for Excel; let --out be a .csv")

    write_cells(header)
    yield lambda cells, answer: write_cells([*cells.values(), *answer])
    book.close()
