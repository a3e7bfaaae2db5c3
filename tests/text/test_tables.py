import csv
import datetime
import gzip
import io
import json
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st
from material import peak_memory

from imdb_rnn.core.errors import UserError
from imdb_rnn.text.tables import Row, described, open_table, read_rows


@pytest.fixture
def write(tmp_path):
    """Write bytes, or text as UTF-8, to a file of this name."""

    def to_file(name: str, content: str | bytes) -> Path:
        (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
        return tmp_path / name

    return to_file


def cells_of(path: Path) -> list[list]:
    """The columns and the cells of a table in which nothing is wrong."""
    table = open_table(path)
    rows = list(read_rows(table))
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
    assert {row.fault for row in rows} <= {""}
    return [table.columns, *(list(row.values.values()) for row in rows)]


GOOD, BAD = ["a good film, really", "1"], ["a bad one; or so", "0"]
TABLE = [["review", "stars"], GOOD, BAD, GOOD]


@pytest.mark.parametrize("name", ["a.csv", "a.txt", "whatever"])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('review,stars\n"a good film, really",1\na bad one; or so,0\n"a good film, really",1\n', "comma-separated"),
        ("review\tstars\n" + "a good film, really\t1\na bad one; or so\t0\n" * 2, "tab-separated"),
        ('review;stars\r\na good film, really;1\r\n"a bad one; or so";0\r\n', "semicolon-separated"),
        ("review|stars\na good film, really|1\na bad one; or so|0\n", "bar-separated"),
        ('review, stars\n"a good film, really", 1\n"a bad one; or so", 0\n', "comma-separated"),
        ('stars, review\n1, "a good film, really"\n0, "a bad one; or so"\n', "comma-separated"),
        ('review,stars\r\n"a good film, really",1\n"a bad one; or so",0\r\n', "comma-separated"),
        ('review,stars\n\n"a good film, really",1\n,\n"a bad one; or so",0\n,\n,,,\n', "comma-separated"),
    ],
)
def test_delimiters_are_found_whatever_the_name(write, name, text, said):
    path = write(name, text)
    columns, *rows = cells_of(path)
    assert sorted(columns) == ["review", "stars"]
    assert [sorted(row, reverse=True) for row in rows[:2]] == [GOOD, BAD]
    assert described(open_table(path)) == f"{said}, UTF-8"


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ('id,text\n1,"he said ""wow"", twice"\n2,"two\nlines"\n', ['he said "wow", twice', "two\nlines"]),
        ('id\ttext\n"1"\t"\\"Wow\\" they said, \\n"\n"2"\t"a\tb"\n', ['"Wow" they said, \\n', "a\tb"]),
        ('id\ttext\n1\t"Wow, they said\n2\tthe 5" disc\n3\tgood\n', ['"Wow, they said', 'the 5" disc', "good"]),
        ('"id","text"\n"1","so "good" it is"\n"2","a ""b"""\n', ['so "good" it is', 'a "b"']),
        ("id,text\n1,NA\n2,null\n3, x \n", ["NA", "null", " x "]),
        ('id,text\n1,"one,"\n2,\n3,"\\"\n', ["one,", "", "\\"]),
    ],
)
def test_quotes_are_read_as_they_were_written(write, text, cells):
    columns, *rows = cells_of(write("a.csv", text))
    assert columns == ["id", "text"]
    assert [row[1] for row in rows] == cells


@pytest.mark.parametrize(
    ("encoding", "texts"),
    [
        ("UTF-8", ["这部电影很好看", "太难看了"]),
        ("GB18030", ["这部电影很好看，演员很棒", "太难看了，浪费时间"]),
        ("UTF-16", ["这部电影很好看", "a café"]),
        ("Windows-1252", ["a naïve café – très bien", "Ein schöner Film"]),
        ("Big5", ["這部電影很好看，演員很棒", "劇情無聊，浪費時間"]),
    ],
)
@pytest.mark.parametrize("begin", ["", "a plain line,1\n" * 50_000])
def test_encodings_are_found(write, encoding, texts, begin):
    text = "text,label\n" + begin + "".join(f"{text},1\n" for text in texts)
    path = write("a.csv", text.encode(encoding))
    assert open_table(path).encoding == encoding
    assert [row[0] for row in cells_of(path)[-2:]] == texts


def test_byte_order_marks_are_no_text(write):
    for content in (b"\xef\xbb\xbf" + "text,é\n好,1\n".encode(), b"\xfe\xff" + "text,é\n好,1\n".encode("utf-16-be")):
        path = write("a.csv", content)
        assert open_table(path).has_bom
        assert cells_of(path) == [["text", "é"], ["好", "1"]]


@pytest.mark.parametrize(
    ("text", "columns", "has_header"),
    [
        ("1,fine\n2,bad\n1,good\n", ["column 1", "column 2"], False),
        ("fine film,positive\nbad,negative\ngood,positive\n", ["column 1", "column 2"], False),
        ("\n\nreview,sentiment\nbad\u2028film,negative\ngood\x85\x0c,positive\n", ["review", "sentiment"], True),
        ("review,sentiment\nbad,negative\ngood,positive\n", ["review", "sentiment"], True),
        (",review,,\n0,bad,,\n1,good,,\n", ["column 1", "review", "column 3", "column 4"], True),
        ("v1,v2,,\nham,bad,,\nspam,good,,\n", ["v1", "v2", "column 3", "column 4"], True),
        (",0,1\n0,bad,no\n1,good,yes\n", ["column 1", "0", "1"], True),
        ("text,text,n\nbad,b,1\n", ["text", "text (2)", "n"], True),
        ("text,n\nbad,1\ntext,n\nbad,1\n", ["text", "n"], True),
        ("a dull film\na fine film\n", ["column 1"], False),
        ("review\na dull, dull film\na fine film\n", ["review"], True),
        ("sep=,\nreview,n\nbad,1\n", ["review", "n"], True),
        ('Reviews of May\n\nreview,n\n"bad, bad",1\ngood,0\n', ["review", "n"], True),
        ('"review","n"\n"1","bad, bad",1\n"2","good",0\n', ["column 1", "review", "n"], True),
        ('review,n\n"bad, so\nbad, bad",1\n', ["review", "n"], True),
        ('"review"\n"a dull, dull film"\n"a fine film"\n', ["review"], True),
        ("a dull film, number 1 .\nmore of it, number 2 .\nno end, number 3 .\n", ["column 1"], False),
        ("__label__1 dull, so dull\n__label__2 a film, a fine one\n", ["column 1"], False),
    ],
)
def test_a_header_is_one_by_its_content(write, text, columns, has_header):
    path = write("a.txt", text)
    table = open_table(path)
    assert (table.columns, table.has_header) == (columns, has_header)
    more = sum(begin in text for begin in ("sep=", "Reviews of", ", so\n"))  # a title, or a cell of two lines
    assert len(list(read_rows(table))) == sum(map(bool, text.split("\n"))) - has_header - more


@pytest.mark.parametrize(
    ("line", "fault", "change"),
    [
        (b"1,bad,x", "3 cells where the header has 2", ""),
        (b"1", "1 cells where the header has 2", ""),
        (b"1,caf\xe9", "not UTF-8", ""),
        (b"1,bad,,", "", "an empty cell more than the header has"),
        (b'1,"a" film', "", "a quote or a line end that does not match"),
        (b'1,"never closed', "", "a quote or a line end that does not match"),
    ],
)
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_no_row_is_lost_beside_one_that_is_wrong(write, line, fault, change, end):
    good = [f'{number},"a ""good"" film, 好"'.encode() for number in range(20)]
    rows = list(read_rows(open_table(write("a.csv", end.join([b"id,text", *good, line, *good, b""])))))
    assert [row.number for row in rows] == list(range(1, 42))
    assert [(row.fault, row.change) for row in rows if row.fault or row.change] == [(fault, change)]
    assert bool(rows[20].values) is (not fault)
    assert {row.values["text"] for row in (*rows[:20], *rows[21:])} == {'a "good" film, 好'}


def test_a_quote_that_takes_rows_in_does_not_take_them_away(write):
    rows = "".join(f"{number}\tgood\n" for number in range(30))
    path = write("a.tsv", f'id\ttext\n1\t"a ""b"""\n{rows}30\t"Wow\n31\tgood\n32\the said wow"\n33\tgood\n')
    read = list(read_rows(open_table(path)))
    assert len(read) == 35
    assert [row.values["text"] for row in read[-4:]] == ['"Wow', "good", 'he said wow"', "good"]


def test_blank_rows_are_kept_on_request(write):
    table = open_table(write("a.csv", "id,text\n1,a\n\n,\n2,b\n"))
    assert [(row.number, row.values["id"]) for row in read_rows(table, blank=True)] == [
        (1, "1"),
        (1, ""),
        (1, ""),
        (2, "2"),
    ]


@given(st.lists(st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8")), min_size=2, max_size=2)))
def test_a_cell_is_what_was_written(tmp_path_factory, rows):
    """Cells that a spreadsheet quotes, below rows that show the dialect."""
    path = tmp_path_factory.mktemp("cells") / "a.csv"
    rows = [["film", "1"]] * 50 + [[f"x{first}", second] for first, second in rows]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([("text", "b"), *rows])
    assert cells_of(path)[1:] == rows


# JSON

OBJECTS = [{"text": 'a "good"\nfilm 好', "stars": 5}, {"text": "NA", "stars": None, "more": {"tags": [1, {"a": 2}]}}]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\n".join(map(json.dumps, OBJECTS)), "JSON lines"),
        ("\r\n\r\n".join(json.dumps(each, ensure_ascii=False) for each in OBJECTS) + "\r\n", "JSON lines"),
        (json.dumps(OBJECTS), "JSON array"),
        (json.dumps(OBJECTS, indent=1), "JSON array"),
        ("\n".join(json.dumps(each, indent=2) for each in OBJECTS), "JSON array"),
        ("".join(map(json.dumps, OBJECTS)), "JSON array"),
        (json.dumps({"version": {"n": 1}, "names": ["a"], "data": OBJECTS}), "JSON array"),
        (json.dumps({"count": 2, "data": OBJECTS, "next": None}, indent=1), "JSON array"),
    ],
)
@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.csv"])
def test_json_is_read_in_all_its_shapes(write, text, said, name):
    table = open_table(write(name, text))
    assert [row.values for row in read_rows(table)] == OBJECTS
    assert table.columns == ["text", "stars", "more"]
    assert described(table) == f"{said}, UTF-8"


def test_a_long_array_in_one_line_is_read(write):
    objects = [{"text": f"film {number} " * 5, "label": number % 2} for number in range(20_000)]
    for separators in ((",", ":"), (", ", ": ")):
        path = write("a.json", json.dumps(objects, separators=separators))
        assert [row.values for row in read_rows(open_table(path))] == objects


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("{", "not valid JSON"),
        ("{'stars': 5}", "not valid JSON"),
        ('{"a":' + "[" * 100_000, "not valid JSON"),
        ('{"stars": ' + "9" * 10_000 + "}", "not valid JSON"),
        ("null", "not a JSON object"),
        (b'{"text": "caf\xe9"}', "not UTF-8"),
        (r'{"text": "\ud83d"}', "an unpaired surrogate escape"),
    ],
    ids=range(7),
)
def test_a_line_of_json_says_why_it_cannot_be_read(write, line, fault):
    line = line.encode() if isinstance(line, str) else line
    good = b'{"text": "\\ud83d\\ude00 \xe5\xa5\xbd", "price": NaN, "n": 1e999}\n'
    rows = list(read_rows(open_table(write("a.jsonl", good * 2 + line + b"\n" + good))))
    assert [row.fault for row in rows] == ["", "", fault, ""]
    assert rows[3] == Row(4, {"text": "😀 好", "price": None, "n": None})


# Excel and Parquet


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
    cell = '<t:table-cell o:value-type="string"><x:p>{}</x:p></t:table-cell>'
    rows = "".join(
        f"<t:table-row>{''.join(map(cell.format, row))}</t:table-row>" for row in (["text", "n"], ["好", "1"])
    )
    body = f'<o:body><o:spreadsheet><t:table t:name="S">{rows}</t:table></o:spreadsheet></o:body>'
    names = f'xmlns:o="{base}:office:1.0" xmlns:t="{base}:table:1.0" xmlns:x="{base}:text:1.0"'
    with zipfile.ZipFile(tmp_path / "a.ods", "w") as archive:
        archive.writestr("mimetype", kind)
        manifest = f'<m:file-entry m:full-path="/" m:media-type="{kind}"/>'
        archive.writestr("META-INF/manifest.xml", f'<m:manifest xmlns:m="{base}:manifest:1.0">{manifest}</m:manifest>')
        archive.writestr("content.xml", f"<o:document-content {names}>{body}</o:document-content>")
    assert cells_of(tmp_path / "a.ods") == [["text", "n"], ["好", "1"]]


def test_a_cell_far_away_does_not_fill_the_memory(tmp_path):
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["text", "stars"])
        sheet.write(1_000_000, 16_000, "far")
    with pytest.raises(UserError, match=r"too large for a workbook \(0 MB, 16,001,016,001 cells\); save it as \.csv"):
        open_table(tmp_path / "a.xlsx")


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


# archives


def zipped(**members: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name.replace("__", "/", 1) if name.startswith("__") else name, text)
    return file.getvalue()


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a"])
@pytest.mark.parametrize("compression", ["gzip", "zstd", "zip"])
@pytest.mark.parametrize("content", ["text,n\ngood,1\n", '{"text": "good", "n": "1"}\n'])
def test_archives_are_read_whatever_their_name(write, name, compression, content):
    compressed = {
        "gzip": lambda: gzip.compress(content.encode()),
        "zstd": lambda: pa.compress(content.encode(), "zstd", asbytes=True),
        "zip": lambda: zipped(**{"README.md": "text", "__MACOSX/._data": "x", "data": content, "x/.hidden": "text"}),
    }
    path = write(name, compressed[compression]())
    assert cells_of(path) == [["text", "n"], ["good", "1"]]
    assert f", UTF-8, {compression}" in described(open_table(path))


# what is no table, and what no row can mend


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("", "is empty"),
        (" \n\n", "is empty"),
        (gzip.compress(b""), "is empty"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "run `git lfs pull`"),
        ("\n<!DOCTYPE html>\n<html>", "is a web page"),
        ("{'text': 'a'}\n{'text': 'b'}\n", "holds Python dicts, not JSON; convert it: python -c"),
        (b"%PDF-1.7", "is a PDF file, not a table"),
        (b"Rar!", "is a RAR archive, not a table; unpack it"),
        (zipped(a="text", b="text"), "should hold one table, and holds a, b; unpack it"),
        (zipped(README="text"), "should hold one table, and holds none"),
        (gzip.compress(b"\0" * 257 + b"ustar"), "holds a tar archive; unpack it"),
        (gzip.compress(zipped(a="text")), "the gzip file holds zip; unpack it"),
        ("a\t" * 10_000 + "b\n", "has 10001 columns, more than 10000"),
        ("text,n\ngood,1\n\x00,1\n", "line 3: NUL bytes"),
        ('{"text": "a"}\n{"text": "\0"}\n', "line 2: NUL bytes"),
        ("text,n\n" + "a" * (10 << 20 | 1), "line 2 is longer than 10 MB"),
        ('{"text": "a"}\n{"text": "' + "a" * (10 << 20), "line 2 is longer than 10 MB"),
        ('[{"text": "a"}, {"text": "' + "a" * (11 << 20), "row 2: not valid JSON, near"),
        ('[{"text": "a"}, {"text": "b"}', "row 3: not valid JSON, near ''"),
        ('[{"text": "a"} {"text": ]', "row 2: not valid JSON, near"),
        ('[{"a": ' + "[" * 100_000, "not valid JSON"),
        ("[]", "holds no JSON object"),
        ('["a", "b"]', "holds no JSON object"),
        ('{"text": {"0": "a"}, "label": {"0": 1}}', "holds columns, not rows"),
        (b"PAR1" * 10, "is damaged ("),
        (b"PK\x03\x04 no archive", "is damaged ("),
        (zipped(**{"[Content_Types].xml": "<x/>"}), "cannot be read ("),
    ],
    ids=range(27),
)
def test_what_cannot_be_read_is_said_in_one_line(write, content, fault):
    path = write("a.csv", content)
    with pytest.raises(UserError) as error:
        list(read_rows(open_table(path)))
    (line,) = str(error.value).splitlines()
    assert line.startswith(str(path))
    assert fault in line
    assert len(line) < 500


def test_half_a_file_is_damaged(tmp_path, write):
    content = b"\n".join(b'{"text": "%d"}' % number for number in range(50_000))
    pq.write_table(pa.table({"text": [str(number) for number in range(50_000)]}), tmp_path / "a.parquet")
    contents = {
        "a.gz": gzip.compress(content),
        "a.zst": pa.compress(content, "zstd", asbytes=True),
        "a.zip": zipped(a=content.decode()),
        "a.parquet": (tmp_path / "a.parquet").read_bytes(),
    }
    for name, whole in contents.items():
        with pytest.raises(UserError, match=rf"{name} is damaged \("):
            list(read_rows(open_table(write(name, whole[: len(whole) // 2]))))


def test_a_large_cell_of_parquet_is_refused(tmp_path):
    pq.write_table(pa.table({"text": ["a", "b" * (10 << 20 | 1)]}), tmp_path / "a.parquet")
    with pytest.raises(UserError, match="row 2: a cell of more than 10 MB"):
        list(read_rows(open_table(tmp_path / "a.parquet")))


def test_a_file_that_is_not_there_or_a_folder_is_named(tmp_path):
    for reason in ("No such file or directory", "Is a directory"):
        with pytest.raises(UserError, match=rf"a.csv cannot be read \({reason}\)"):
            open_table(tmp_path / "a.csv")
        (tmp_path / "a.csv").mkdir(exist_ok=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.csv.zst", "a.jsonl", "a.json"])
def test_a_few_rows_are_in_memory_however_many_there_are(write, name):
    line = "a good film " * 80
    content = "id,text\n" + f"1,{line}\n" * 20_000 if "csv" in name else f'{{"text": "{line}"}},' * 20_000  # 20 MB
    content = (
        content.replace("},", "}\n") if name == "a.jsonl" else f"[{content[:-1]}]" if name == "a.json" else content
    )
    compress = {".gz": gzip.compress, ".zst": lambda data: pa.compress(data, "zstd", asbytes=True)}
    path = write(name, compress.get(Path(name).suffix, bytes)(content.encode()))
    rows = []
    table = open_table(path)
    assert peak_memory(lambda: rows.append(sum(1 for _ in read_rows(table)))) < 1 << 20
    assert min(rows) == 20_000
