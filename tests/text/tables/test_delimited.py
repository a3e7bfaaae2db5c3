import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables_read import cells_of

from imdb_rnn.text.tables import described, open_table, read_rows

GOOD, BAD = ["a good film, really", "1"], ["a bad one; or so", "0"]


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
    more = sum(part in text for part in ("sep=", "Reviews of", ", so\n"))  # a title, or a cell of two lines
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
