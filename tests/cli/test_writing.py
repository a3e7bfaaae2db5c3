import dataclasses
import json

import pytest

from imdb_rnn.cli.scoring import score_table
from imdb_rnn.cli.writing import added_columns
from imdb_rnn.core.errors import UserError
from imdb_rnn.text.tables import open_table


@pytest.mark.parametrize(
    ("encoding", "lines", "end"),
    [
        ("utf-8", ["id,text", '007," a ""wonderful"", film 好评 😀"', "1e5,null", ",NA"], "\n"),
        ("utf-8-sig", ["编号,评论", "1,wonderful 评论", "2,"], "\r\n"),
        ("gb18030", ["编号;评论", "1;wonderful 评论，很好看的电影", "2;很好看的电影"], "\r\n"),
        ("windows-1252", ["id\ttext", "1\ta “wonderful” film, très naïve", "2\tgrößer als üblich"], "\n"),
        ("utf-16", ["id\ttext", "1\ta 'wonderful' film", "2\tterrible"], "\n"),
        ("utf-8", ["id\ttext", '1\t"wonderful" it is', '2\tthe 5" film', '3\t"terrible'], "\n"),
        ("utf-8", ["v1,text,,", "ham,wonderful film,,", "spam,terrible,,"], "\n"),
        ("utf-8", ["1,wonderful film", "2,terrible film"], "\n"),
    ],
)
def test_a_text_file_stays_as_it_was_byte_by_byte(tmp_path, score, encoding, lines, end):
    """Encoding, byte order mark, delimiter, quotes, line ends, and names that are missing."""
    content = (end.join(lines) + end).encode(encoding)
    (tmp_path / "a.csv").write_bytes(content)
    columns = open_table(tmp_path / "a.csv").columns
    score("a.csv", "b.csv", columns[1])
    delimiter = next(sign for sign in "\t;," if sign in lines[0])
    scored = (tmp_path / "b.csv").read_bytes().decode(encoding).split(end)
    kept = end.join(delimiter.join(line.split(delimiter)[:-2]) for line in scored[:-1]) + end
    assert kept.encode(encoding) == content
    assert (tmp_path / "b.csv").read_bytes()[:2] == content[:2]


@pytest.mark.parametrize("layout", ["lines", "array"])
def test_json_keeps_keys_types_and_layout(tmp_path, model, score, layout):
    rows = [{"text": "A wonderful film.", "stars": [1, None]}, {"more": {"好": 0.1}, "text": "a terrible film"}]
    text = json.dumps(rows, indent=1) if layout == "array" else "\n".join(map(json.dumps, rows))
    (tmp_path / "a.json").write_text(text.replace("null", "NaN"))
    score("a.json", "b.json", "text")
    said = [
        dict(zip(added_columns(model.labels), said, strict=True))
        for said in ((0.947348, "positive"), (0.052652, "negative"))
    ]
    written = (tmp_path / "b.json").read_text(encoding="utf-8")
    read = json.loads(written) if layout == "array" else list(map(json.loads, written.splitlines()))
    assert [list(row.items()) for row in read] == [
        [*row.items(), *more.items()] for row, more in zip(rows, said, strict=True)
    ]
    assert "好" in written


@pytest.mark.parametrize("name", ["a.csv.gz", "a.jsonl.zst", "a.xlsx"])
def test_the_same_table_gives_the_same_bytes(tmp_path, score, name):
    (tmp_path / "a.csv").write_text("text\ngood\n")
    for folder in ("one", "other"):
        score("a.csv", f"{folder}/{name}", "text")
    assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()


@pytest.mark.parametrize(
    ("table", "out", "fault"),
    [
        ("a.csv", "b.parquet", r"a\.csv can be written as \.csv or .* or \.xlsx only"),
        ("a.jsonl", "b.csv", r"a\.jsonl can be written as \.jsonl or \.ndjson or \.json only"),
        ("a.csv", "b.pdf", r"b\.pdf: a\.csv can be written as"),
        ("a.csv", "b.xlsx.gz", r"b\.xlsx\.gz: a\.csv can be written as"),
        ("a.csv", "c.csv", "is a folder; name a file"),
        ("long.csv", "b.xlsx", "row 1: too long for Excel; let --out be a .csv"),
        ("latin.csv", "b.csv", "cannot be written in Windows-1252; let --out be a .jsonl"),
        ("tab.csv", "b.tsv", r"cannot hold a cell with a tab and a line end; let --out be a \.csv"),
    ],
)
def test_a_file_that_cannot_be_written_is_named(tmp_path, model, table, out, fault):
    (tmp_path / "c.csv").mkdir()
    contents = {
        "a.jsonl": '{"text": "good"}',
        "long.csv": f"text,n\n{'good ' * 7000},1\n",
        "tab.csv": 'text,n\n"a\t\nb",1\n',
    }
    (tmp_path / table).write_text(contents.get(table, "text,n\ngood,1\n"))
    if table == "latin.csv":
        (tmp_path / table).write_bytes("text,n\nnaïve café,1\n".encode("latin-1"))
        model = dataclasses.replace(model, labels=("差", "好"))
    opened = open_table(tmp_path / table)
    with pytest.raises(UserError, match=fault):
        score_table(model, opened, tmp_path / out, ["text"])
    assert not (tmp_path / out).is_file()
