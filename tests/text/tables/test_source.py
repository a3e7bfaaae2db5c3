import gzip
import io
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from tables_read import cells_of

from imdb_rnn.core.errors import UserError
from imdb_rnn.text.tables import described, open_table, read_rows


def zipped(**members: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name.replace("__", "/", 1) if name.startswith("__") else name, text)
    return file.getvalue()


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


def test_a_cell_far_away_does_not_fill_the_memory(tmp_path):
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["text", "stars"])
        sheet.write(1_000_000, 16_000, "far")
    with pytest.raises(UserError, match=r"too large for a workbook \(0 MB, 16,001,016,001 cells\); save it as \.csv"):
        open_table(tmp_path / "a.xlsx")
