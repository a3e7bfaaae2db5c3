import datetime
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from tables_read import cells_of

from imdb_rnn.core.errors import UserError
from imdb_rnn.text.tables import Row, described, open_table, read_rows


def test_the_first_sheet_with_a_table_is_read(tmp_path):
    book = xlsxwriter.Workbook(tmp_path / "a.xlsx", {"default_date_format": "yyyy-mm-dd"})
    book.add_worksheet("Empty")
    sheet = book.add_worksheet("Reviews")
    sheet.write(0, 0, "Reviews of May")
    for place, row in enumerate(
        [["text", "stars", "day", ""], ["=good", 5, datetime.date(2020, 1, 2)], [], ["7", 0.5]]
    ):
        sheet.write_row(2 + place, 0, row) if place != 1 else [
            sheet.write_string(3, 0, row[0]),
            sheet.write_row(3, 1, row[1:]),
        ]
    sheet.write_formula(6, 0, "=A1", None, "calculated")
    book.close()
    table = open_table(tmp_path / "a.xlsx")
    assert described(table) == "Excel, sheet Reviews"
    assert table.columns == ["text", "stars", "day"]
    day = datetime.date(2020, 1, 2)
    expected = [["=good", 5, day], ["7", 0.5, ""], ["calculated", "", ""]]
    assert [list(row.values.values()) for row in read_rows(table)] == expected
    assert [row.number for row in read_rows(table, blank=True)] == [1, 1, 2, 3]


def test_a_sheet_of_libreoffice_is_read(tmp_path):
    kind, base = "application/vnd.oasis.opendocument.spreadsheet", "urn:oasis:names:tc:opendocument:xmlns"
    cell = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    rows = [["text", "n"], ["好", "1"]]
    table = "".join(f"<table:table-row>{''.join(map(cell.format, row))}</table:table-row>" for row in rows)
    body = f'<office:spreadsheet><table:table table:name="S">{table}</table:table></office:spreadsheet>'
    names = " ".join(f'xmlns:{name}="{base}:{name}:1.0"' for name in ("office", "table", "text"))
    file = f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>'
    members = {
        "mimetype": kind,
        "META-INF/manifest.xml": f'<manifest:manifest xmlns:manifest="{base}:manifest:1.0">{file}</manifest:manifest>',
        "content.xml": f"<office:document-content {names}><office:body>{body}</office:body></office:document-content>",
    }
    with zipfile.ZipFile(tmp_path / "a.ods", "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    assert cells_of(tmp_path / "a.ods") == rows


def test_parquet_keeps_its_types(tmp_path):
    values = [
        {"text": "NA", "stars": 5, "day": datetime.date(2020, 1, 2), "tags": ["a"], "kind": "x"},
        {"text": None, "stars": None, "day": None, "tags": None, "kind": "y"},
    ] * 400  # more than are read at once
    table = pa.Table.from_pylist(values)
    pq.write_table(table.set_column(4, "kind", table["kind"].dictionary_encode()), tmp_path / "a.parquet")
    found = open_table(tmp_path / "a.parquet")
    assert (found.columns, described(found)) == (["text", "stars", "day", "tags", "kind"], "Parquet")
    assert [row.values for row in read_rows(found)] == values


def test_a_value_of_parquet_that_cannot_be_read_does_no_harm_to_others(tmp_path):
    text = pa.array([b"good", b"caf\xe9", b"bad"]).view(pa.string())
    until = pa.array([2**62, 0, 0], pa.timestamp("us"))
    pq.write_table(pa.table({"text": text, "until": until}), tmp_path / "a.parquet")
    first, second, third = read_rows(open_table(tmp_path / "a.parquet"))
    assert (first.values["text"], second.values["text"], third.values["text"]) == ("good", None, "bad")
    assert first.change == second.change == "a value that cannot be read"
    assert third == Row(3, {"text": "bad", "until": datetime.datetime(1970, 1, 1)})


def test_a_large_cell_of_parquet_is_refused(tmp_path):
    pq.write_table(pa.table({"text": ["a", "b" * (10 << 20 | 1)]}), tmp_path / "a.parquet")
    with pytest.raises(UserError, match="row 2: a cell of more than 10 MB"):
        list(read_rows(open_table(tmp_path / "a.parquet")))
