"""The bytes and the text of a file: archives and compression, encodings, and what is no table at all."""

import codecs
import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from imdb_rnn.core.errors import UserError
from imdb_rnn.text.tables.table import Table

MAX_ROW = 10 * 2**20  # characters
SAMPLE = 2**18  # bytes that tell what a file is
SEARCHED = 2**26  # bytes that are searched for one that is not ASCII, which tells the encoding
MAX_WORKBOOK, MAX_CELLS = 2**30, 10**8  # bytes, decompressed, and cells, empty ones too: all are read at once
MAGIC = {
    b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"PK": "zip", b"PAR1": "parquet", b"\xd0\xcf\x11\xe0": "excel",
    b"7z\xbc\xaf": "a 7z archive", b"Rar!": "a RAR archive", b"%PDF": "a PDF file", b"BZh": "a bzip2 file",
}  # fmt: skip
MARKS = {codecs.BOM_UTF8: "UTF-8", codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16"}
ENCODINGS = {  # that are looked for where text is not UTF-8; of those that fit alike the first one is taken
    "cp1252": "Windows-1252", "gb18030": "GB18030", "big5": "Big5", "shift_jis": "Shift_JIS", "euc_kr": "EUC-KR",
    "cp1251": "Windows-1251",
}  # fmt: skip
NO_TABLE = re.compile(r"(.*/)?(readme|licen[cs]e|__macosx|\.|$)", re.IGNORECASE)  # in an archive
TO_JSON = "import ast,json,sys; [print(json.dumps(ast.literal_eval(line))) for line in sys.stdin]"
REFUSED = {  # what people take for a table, by how it begins
    r"version https://git-lfs": "is a pointer of Git LFS, not the table; run `git lfs pull` where it was cloned",
    r"\s*<(!doctype|html|head|\?xml)": "is a web page (HTML); download the file itself, on GitHub by `Raw`",
    r"[\s\[]*\{\s*'": f'holds Python dicts, not JSON; convert it: python -c "{TO_JSON}" <FILE >NEW.jsonl',
    r"\s*$": "is empty; put a table there",
}


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what libraries raise for a file that is unreadable or damaged into a `UserError`."""
    try:
        yield
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, UnicodeError) as error:
        if isinstance(error, OSError) and error.errno:
            raise UserError(f"{path} cannot be read ({error.strerror})") from error
        raise UserError(f"{path} is damaged ({' '.join(str(error).split())[:200]}); fetch it again") from error


def look(path: Path) -> tuple[Table, str]:
    """Tell what a file is: a table whose form is not known yet if it is text, and the whole lines of its beginning.

    Raises:
        UserError: when it holds no table.
    """
    with path.open("rb") as file:
        kind = _kind(file.read(8))
    if " " in kind:
        raise UserError(f"{path} is {kind}, not a table; unpack it, or save the table as .csv or .xlsx")
    if kind in ("excel", "parquet"):
        return Table(path, kind), ""
    table = _of_zip(path) if kind == "zip" else Table(path, "", compression=kind)
    if table.form:
        return table, ""
    with open_bytes(table) as raw:
        sample = raw.read(SAMPLE)
        inner = "a tar archive" if sample[257:262] == b"ustar" else _kind(sample)
        if inner:
            raise UserError(f"{path}: the {kind} file holds {inner}; unpack it first")
        table = _decoded(table, raw, sample)
    text = sample.decode(table.encoding, "ignore").removeprefix("\ufeff")
    if len(sample) == SAMPLE:
        text = text.rpartition("\n")[0] or text
    for begin, fault in REFUSED.items():
        if re.match(begin, text, re.IGNORECASE):
            raise UserError(f"{path} {fault}")
    return table, text


def _kind(begin: bytes) -> str:
    return next((kind for magic, kind in MAGIC.items() if begin.startswith(magic)), "")


def _of_zip(path: Path) -> Table:
    """A workbook, or the one table in an archive."""
    with zipfile.ZipFile(path) as archive:
        names, size = archive.namelist(), sum(info.file_size for info in archive.infolist())
        sheets = [archive.open(name).read(SAMPLE) for name in names if name.startswith("xl/worksheets/sheet")]
    if "[Content_Types].xml" in names or "content.xml" in names:
        cells = sum(map(_cells, sheets))
        if size > MAX_WORKBOOK or cells > MAX_CELLS:
            raise UserError(f"{path} is too large for a workbook ({size >> 20} MB, {cells:,} cells); save it as .csv")
        return Table(path, "excel")
    tables = [name for name in names if not NO_TABLE.match(name)]
    if len(tables) != 1:
        held = ", ".join(tables[:3]) + ", …" * (len(tables) > 3) if tables else "none"
        raise UserError(f"{path} should hold one table, and holds {held}; unpack it")
    return Table(path, "", compression="zip", member=tables[0])


def _cells(sheet: bytes) -> int:
    """How many cells a sheet has, as its XML says at its beginning."""
    from xlsxwriter.utility import xl_cell_to_rowcol

    end = re.search(rb'<dimension ref="\w+:(\w+)"', sheet)
    row, column = xl_cell_to_rowcol(end[1].decode()) if end else (-1, -1)
    return (row + 1) * (column + 1)


def open_bytes(table: Table) -> IO[bytes]:
    """Open what is in a file, decompressed."""
    if table.compression == "zip":
        try:
            return zipfile.ZipFile(table.path).open(table.member)
        except RuntimeError as error:
            raise UserError(f"{table.path} needs a password; unpack it first") from error
    if table.compression == "zstd":
        import pyarrow as pa

        return io.BufferedReader(pa.CompressedInputStream(table.path.open("rb"), "zstd"))
    return gzip.open(table.path) if table.compression else table.path.open("rb")  # type: ignore[return-value]


def _decoded(table: Table, raw: IO[bytes], sample: bytes) -> Table:
    """A table with its encoding; text that is ASCII as far as it is searched is UTF-8."""
    for mark, name in MARKS.items():
        if sample.startswith(mark):
            return table._replace(encoding=name, has_bom=True)
    searched = len(sample)
    while sample.isascii() and sample and searched < SEARCHED:
        sample = raw.read(SAMPLE)
        searched += len(sample)
    lines = [line for line in sample.split(b"\n") if not line.isascii()]
    broken = [line for line in lines if not is_text(line.decode(errors="surrogateescape"))]
    if len(broken) * 2 <= len(lines) or (len(lines) == 1 and len(sample) == SAMPLE):  # the last line may be cut
        return table._replace(encoding="UTF-8")
    from charset_normalizer import from_bytes

    found = {match.encoding: match.chaos for match in from_bytes(b"\n".join(broken), cp_isolation=list(ENCODINGS))}
    return table._replace(encoding=ENCODINGS[min(ENCODINGS, key=lambda name: found.get(name, 1))])


def pieces(table: Table, size: int = 0) -> Iterator[str]:
    """The lines of a table's text with their ends, or pieces of a size; a byte order mark is no part of them.

    A byte that the encoding does not know becomes a lone surrogate, see `is_text`.

    Raises:
        UserError: for NUL bytes and a line of more than `MAX_ROW` characters.
    """
    number = 0
    newline = "" if table.line_end == "\r" else "\n"
    with open_bytes(table) as raw, io.TextIOWrapper(raw, table.encoding, "surrogateescape", newline=newline) as text:
        while piece := text.read(size) if size else text.readline(MAX_ROW + 1):
            number += 1
            if "\0" in piece:
                raise UserError(f"{table.path}, line {number}: NUL bytes: damaged, or no text; save it as UTF-8 text")
            if len(piece) > MAX_ROW:
                raise UserError(f"{table.path}, line {number} is longer than {MAX_ROW >> 20} MB; is it a table?")
            yield piece.removeprefix("\ufeff") if number == 1 else piece


def is_text(line: str) -> bool:
    """Whether all bytes of a line were characters of its encoding."""
    try:
        return line.isascii() or bool(line.encode())
    except UnicodeEncodeError:
        return False
