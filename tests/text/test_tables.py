import csv
import datetime
import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from material import peak_memory

from imdb_rnn.core.errors import UserError
from imdb_rnn.text import tables
from imdb_rnn.text.tables import Row


def compress(path: Path, content: bytes) -> Path:
    if path.suffix == ".gz":
        content = gzip.compress(content)
    elif path.suffix == ".zst":
        content = pa.compress(content, "zstd", asbytes=True)
    path.write_bytes(content)
    return path


@pytest.fixture
def write(tmp_path):
    """Write content to a file of this name, compressed if it says so."""
    return lambda name, content: compress(tmp_path / name, content)


def values_of(path: Path) -> list[dict]:
    rows = list(tables.read_rows(tables.open_table(path)))
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
    assert [row.fault for row in rows] == [""] * len(rows)
    return [row.values for row in rows]


@pytest.mark.parametrize(
    ("name", "is_table"),
    [
        ("a.csv", True),
        ("A.CSV.GZ", True),
        ("a.b.tsv.zst", True),
        ("a.jsonl", True),
        ("a.jsonl.gz", True),
        ("a.parquet", True),
        ("a.parquet.gz", False),
        ("a.json", False),
        ("a.gz", False),
        ("csv", False),
        (".csv", False),
    ],
)
def test_a_name_says_whether_it_is_a_table(name, is_table):
    path = Path("folder.csv") / name
    assert tables.is_table(path) is is_table
    if not is_table:
        for read in (tables.open_table, lambda path: list(tables.read_rows(tables.open_table(path)))):
            with pytest.raises(UserError, match=r"is not a table by its name; it should end in \.csv, "):
                read(path)


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", '\ufefftext,stars\r\n"NA, ""null""\r\nand 影评",1\r\n\r\n,01\r\n'),
        ("a.tsv", 'text\tstars\n"NA, ""null""\r\nand 影评"\t1\n\t01'),
        ("a.jsonl", '\ufeff{"text": "NA, \\"null\\"\\r\\nand 影评", "stars": "1"}\r\n\n{"text": "", "stars": "01"}'),
    ],
)
def test_text_is_read_as_it_is(write, name, content, suffix):
    path = write(name + suffix, content.encode())
    assert tables.open_table(path).columns == ["text", "stars"]
    assert values_of(path) == [{"text": 'NA, "null"\r\nand 影评', "stars": "1"}, {"text": "", "stars": "01"}]


def test_json_keeps_its_types(write):
    values = {"text": "a", "stars": 5, "score": 0.5, "seen": True, "by": None, "tags": [1], "more": {"k": "😀"}}
    assert values_of(write("a.jsonl", json.dumps(values).encode())) == [values]


def test_parquet_keeps_its_types(tmp_path):
    values = [
        {"text": "NA", "stars": 5, "day": datetime.date(2020, 1, 2), "tags": ["a"], "kind": "x"},
        {"text": None, "stars": None, "day": None, "tags": None, "kind": "y"},
    ] * 400  # more than are read at once
    table = pa.Table.from_pylist(values)
    pq.write_table(table.set_column(4, "kind", table["kind"].dictionary_encode()), tmp_path / "a.parquet")
    assert tables.open_table(tmp_path / "a.parquet").columns == ["text", "stars", "day", "tags", "kind"]
    assert values_of(tmp_path / "a.parquet") == values


@given(st.lists(st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8")), min_size=2, max_size=2)))
def test_a_cell_is_what_was_written(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("cells") / "a.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("a", "b"), *rows])
    assert [[values["a"], values["b"]] for values in values_of(path)] == rows


# faults of a row


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (b"a,b,c", "3 fields where the header has 2"),
        (b"a", "1 fields where the header has 2"),
        (b"caf\xe9,1", "not UTF-8"),
        (b'"a" film,1', "its quotes do not match"),
    ],
)
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_row_of_csv_says_why_it_cannot_be_read(write, row, fault, end):
    path = write("a.csv", end.join([b"text,stars", b"good,5", row, "好,1".encode(), b""]))
    assert list(tables.read_rows(tables.open_table(path))) == [
        Row(1, {"text": "good", "stars": "5"}),
        Row(2, {}, fault),
        Row(3, {"text": "好", "stars": "1"}),
    ]


def test_a_quote_that_is_never_closed_is_the_fault_of_every_row_that_it_swallows(write):
    path = write("a.csv", b'text,stars\ngood,5\n"bad,1\nugly,1\n')
    assert [row.fault for row in tables.read_rows(tables.open_table(path))] == ["", *["its quotes do not match"] * 2]
    path = write("a.tsv", b'text\tstars\n"Wow\t5\ngood\t5\nhe said 5"\t1\nugly\t1\n')
    assert [row.fault for row in tables.read_rows(tables.open_table(path))] == [
        *["a quote that is not closed in its line"] * 3,
        "",
    ]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b"{", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b'{"stars": NaN}', "not valid JSON"),
        (b'{"stars": ' + b"9" * 10_000 + b"}", "not valid JSON"),
        (b'{"stars": 1e999}', "a number that is too large"),
        (b'{"text": "a", "text": "b"}', "a duplicate key"),
        (b'["text"]', "not a JSON object"),
        (b"null", "not a JSON object"),
        (b'{"text": "caf\xe9"}', "not UTF-8"),
        (rb'{"text": "\ud83d"}', "an unpaired surrogate escape"),
    ],
    ids=lambda value: None if isinstance(value, bytes) else value,
)
def test_a_line_of_json_says_why_it_cannot_be_read(write, line, fault):
    path = write(
        "a.jsonl",
        line
        + rb"""
{"text": "\ud83d\ude00"}
""",
    )
    assert list(tables.read_rows(tables.open_table(path))) == [Row(1, {}, fault), Row(2, {"text": "😀"})]
    assert tables.open_table(path).columns == ["text"]


def test_a_string_of_parquet_that_is_no_utf8_is_its_row_s_fault(tmp_path):
    text = pa.array([b"good", b"caf\xe9", b"bad"]).view(pa.string())
    pq.write_table(pa.table({"text": text}), tmp_path / "a.parquet")
    rows = list(tables.read_rows(tables.open_table(tmp_path / "a.parquet")))
    assert rows == [Row(1, {"text": "good"}), Row(2, {}, "a value that cannot be read"), Row(3, {"text": "bad"})]


# what no row can mend


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("a.csv", b"", "cannot read the header: the file is empty"),
        ("a.csv.gz", b"\n\n", "cannot read the header: the file is empty"),
        ("a.csv", "评论,标签\n好,1\n".encode("gb18030"), "not UTF-8 (GB18030?); save the file as UTF-8"),
        ("a.csv", b'"text,stars\n', "cannot read the header: its quotes do not match"),
        ("a.csv", b"text,stars,text\n", "has 2 columns named 'text'; give them different names"),
        ("a.tsv", b"a\t" * 10_000 + b"b\n", "has 10001 columns, more than 10000"),
        ("a.csv", "text\ngood\n".encode("utf-16"), "line 1: NUL bytes"),
        ("a.csv", b"text\ngood\n\x00\x01\n", "line 3: NUL bytes, so it is not UTF-8 text"),
        ("a.jsonl", b'{"text": "a"}\n\0\n', "line 2: NUL bytes"),
        ("a.csv", b"text\n" + b"a" * (10 << 20 | 1), "line 2: more than 10 MB without the end of a row"),
        ("a.csv.zst", b'text\n"' + b"many lines\n" * (1 << 20), "more than 10 MB without the end of a row"),
        ("a.jsonl.gz", b'{"text": "' + b"a" * (10 << 20), "line 1: more than 10 MB without the end of a row"),
        ("a.parquet", b"", "is damaged (Parquet"),
        ("a.parquet", b"PAR1" * 10, "is damaged ("),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_table_that_cannot_be_read_is_named(write, name, content, fault):
    path = write(name, content)
    with pytest.raises(UserError) as error:
        list(tables.read_rows(tables.open_table(path)))
    (line,) = str(error.value).splitlines()
    assert line.startswith(str(path))
    assert fault in line


@pytest.mark.parametrize("content", [b"", b"{\n[]\n", b"\n"])
def test_json_lines_without_an_object_have_no_columns(write, content):
    with pytest.raises(UserError, match="holds no JSON object"):
        tables.open_table(write("a.jsonl", content))


def test_parquet_with_a_name_twice_or_no_columns_is_refused(tmp_path):
    pq.write_table(pa.table([pa.array(["a"]), pa.array(["b"])], ["text", "text"]), tmp_path / "two.parquet")
    pq.write_table(pa.table({}), tmp_path / "none.parquet")
    for name, fault in (("two", "has 2 columns named 'text'"), ("none", "has no columns")):
        for read in (tables.open_table, lambda path: list(tables.read_rows(tables.open_table(path)))):
            with pytest.raises(UserError, match=fault):
                read(tmp_path / f"{name}.parquet")


def test_a_large_cell_of_parquet_is_refused(tmp_path):
    pq.write_table(pa.table({"text": ["a", "b" * (10 << 20), "c" * (10 << 20 | 1)]}), tmp_path / "a.parquet")
    with pytest.raises(UserError, match="row 3: more than 10 MB in column text"):
        list(tables.read_rows(tables.open_table(tmp_path / "a.parquet")))


@pytest.mark.parametrize("name", ["a.csv.gz", "a.tsv.zst", "a.jsonl.gz", "a.parquet"])
def test_half_a_file_is_damaged(tmp_path, write, name):
    content = b"\n".join(b'{"text": "%d"}' % number for number in range(50_000))
    path = write(name, content)
    if name == "a.parquet":
        pq.write_table(pa.table({"text": [str(number) for number in range(50_000)]}), path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UserError, match=rf"{name} is damaged \("):
        list(tables.read_rows(tables.open_table(path)))


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.csv.zst", "a.jsonl", "a.parquet"])
def test_a_file_that_is_not_there_or_a_folder_is_named(tmp_path, name):
    for reason in ("No such file or directory", "Is a directory"):
        with pytest.raises(UserError, match=rf"{name} cannot be read \({reason}\)"):
            tables.open_table(tmp_path / name)
        (tmp_path / name).mkdir(exist_ok=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.csv.gz", "a.csv.zst", "a.jsonl"])
def test_a_few_rows_are_in_memory_however_many_there_are(write, name):
    line = b'{"text": "%s"}\n' % (b"a good film " * 80)
    path = write(name, b"text\n" + line * 20_000)  # 20 MB
    rows = []
    assert peak_memory(lambda: rows.append(sum(1 for _ in tables.read_rows(tables.open_table(path))))) < 1 << 20
    assert min(rows) >= 20_000


def test_the_limit_that_others_set_for_the_module_csv_stays(write):
    path = write("a.csv", b"text\n" + b"a" * 200_000 + b"\nb\n")
    before = csv.field_size_limit()
    for row in tables.read_rows(tables.open_table(path)):
        assert not row.fault
        assert csv.field_size_limit() == before
