"""Tables that are sent: scored as `imdb-rnn predict --table` does."""

import os
import shutil
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Annotated

from fastapi import HTTPException
from pydantic import BaseModel, ConfigDict, Field

from imdb_rnn.cli.scoring import find_text_columns, score_table
from imdb_rnn.cli.serving.limits import SECONDS
from imdb_rnn.core.errors import UserError
from imdb_rnn.model import Model
from imdb_rnn.text.tables import Table, open_table

MAX_UNPACKED = 2**28  # bytes of a workbook
MEDIA = {
    ".csv": "text/csv", ".tsv": "text/tab-separated-values", ".json": "application/json",
    ".jsonl": "application/jsonl", ".parquet": "application/vnd.apache.parquet",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}  # fmt: skip
READ = [
    *MEDIA.values(),
    "application/vnd.ms-excel",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/octet-stream",
]


class TableQuestion(BaseModel):
    """How a table is scored."""

    model_config = ConfigDict(extra="forbid")
    text_column: list[str] = []
    probabilities: bool = False
    unsure: Annotated[float | None, Field(gt=0, lt=1)] = None


def score(
    model: Model, content: IO[bytes], asked: TableQuestion, until: float, on_progress: Callable[[int], object]
) -> tuple[bytes, str]:
    """Score a table as `imdb-rnn predict --table` does.

    Args:
        until: when to give up, by `time.monotonic`.
        on_progress: see `score_table`.

    Returns:
        The scored table, and the ending of the name of such a file.

    Raises:
        UserError: as `open_table`, `find_text_columns` and `score_table` do.
        HTTPException: when it is too late, or the table is compressed.
    """

    def go_on(rows: int) -> None:
        if time.monotonic() > until:
            raise HTTPException(503, f"no answer within {SECONDS:.0f} s; send a smaller table")
        on_progress(rows)

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "table")
        with path.open("wb") as file:
            shutil.copyfileobj(content, file)
        try:
            _require_small(path)
            table = open_table(path)
            if table.compression:
                raise HTTPException(415, "the table is compressed; send it as it is")
            suffix = _suffix(table)
            table = table._replace(path=path.rename(path.with_suffix(suffix)))
            texts = find_text_columns(table, asked.text_column, model.provenance.get("text_columns", []))
            out = Path(folder, f"scored{suffix}")
            score_table(model, table, out, texts, go_on, asked.probabilities, asked.unsure)
            return out.read_bytes(), suffix
        except RuntimeError as error:  # of a workbook that says that it is encrypted
            raise UserError("the table cannot be read (it is encrypted)") from error
        except UserError as error:
            said = str(error).replace(f"{folder}{os.sep}", "").replace("--text-column", "text_column")
            raise UserError(said) from error


def _require_small(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(info.file_size for info in archive.infolist()) > MAX_UNPACKED:
                raise HTTPException(413, f"the table has more than {MAX_UNPACKED >> 20} MB when it is unpacked")
    except (zipfile.BadZipFile, ValueError):
        pass  # it is none, or damaged, which reading it says


def _suffix(table: Table) -> str:
    if table.form == "json":
        return ".json" if table.layout == "array" else ".jsonl"
    if table.form in ("excel", "parquet"):
        return {"excel": ".xlsx", "parquet": ".parquet"}[table.form]
    return ".tsv" if table.delimiter == "\t" else ".csv"
