import csv
import datetime
import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from material import peak_memory
from own_reviews import LIES

from imdb_rnn.cli import scoring
from imdb_rnn.cli.scoring import find_text_columns, score_table
from imdb_rnn.core.errors import UserError
from imdb_rnn.text.tables import open_table, read_rows

TEXTS = ["A wonderful film.", 'a "terrible",\r\nfilm', "NA", "wonderful\rfilm"]
SAID = [("0.947348", "positive"), ("0.052652", "negative"), ("0.500000", "negative"), ("0.947348", "positive")]


def write_csv(path, rows, delimiter=","):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return path


def rows_of(path) -> list[dict]:
    return [row.values for row in read_rows(open_table(path))]


@pytest.mark.parametrize("out", ["b.csv", "b.tsv.gz", "b.jsonl.zst", "folder/b.csv", "a.csv"])
def test_each_row_gets_what_is_said_of_it(tmp_path, model, out):
    table = write_csv(tmp_path / "a.csv", [("id", "text"), *((f"0{row}", text) for row, text in enumerate(TEXTS))])
    assert score_table(model, open_table(table), tmp_path / out, ["text"]) == (4, 2)
    number = float if "jsonl" in out else str
    assert rows_of(tmp_path / out) == [
        {"id": f"0{row}", "text": text, "predicted_probability": number(said[0]), "predicted_label": said[1]}
        for row, (text, said) in enumerate(zip(TEXTS, SAID, strict=True))
    ]


def test_a_cell_stays_as_it_was_byte_by_byte(tmp_path, model):
    content = 'id,text\n007," a ""wonderful"", film\n\nNA"\n,好评 😀\n1e5,null\n'
    (tmp_path / "a.csv").write_text(content, encoding="utf-8")
    score_table(model, open_table(tmp_path / "a.csv"), tmp_path / "b.csv", ["text"])
    assert (tmp_path / "b.csv").read_text(encoding="utf-8") == (
        'id,text,predicted_probability,predicted_label\n007," a ""wonderful"", film\n\nNA",0.946616,positive\n'
        ",好评 😀,0.500000,negative\n1e5,null,0.500000,negative\n"
    )


def test_json_lines_keep_keys_and_types(tmp_path, model):
    rows = [{"text": "A wonderful film.", "stars": [1, None]}, {"more": {"好": 0.1}, "text": "a terrible film"}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    score_table(model, open_table(tmp_path / "a.jsonl"), tmp_path / "b.jsonl", ["text"])
    said = [dict(zip(scoring.ADDED, said, strict=True)) for said in ((0.947348, "positive"), (0.052652, "negative"))]
    lines = (tmp_path / "b.jsonl").read_text(encoding="utf-8").splitlines()
    assert [list(json.loads(line).items()) for line in lines] == [
        [*row.items(), *more.items()] for row, more in zip(rows, said, strict=True)
    ]
    assert "好" in lines[1]


def test_parquet_keeps_its_types(tmp_path, model, monkeypatch):
    monkeypatch.setattr(scoring, "PARQUET_ROWS", 3)
    text = pa.array(TEXTS).dictionary_encode()
    time = pa.array([None, *[datetime.datetime(2020, 1, 2)] * 3], pa.timestamp("ns", "UTC"))
    table = pa.table({"time": time, "text": text}).replace_schema_metadata({"by": "us"})
    pq.write_table(table, tmp_path / "a.parquet")
    assert score_table(model, open_table(tmp_path / "a.parquet"), tmp_path / "b.parquet", ["text"]) == (4, 2)
    scored = pq.read_table(tmp_path / "b.parquet")
    assert scored.select(["time", "text"]).equals(table)
    assert scored.schema.metadata == {b"by": b"us"}
    assert scored.column_names == ["time", "text", *scoring.ADDED]
    assert scored["predicted_probability"].to_pylist() == [float(probability) for probability, _ in SAID]
    assert scored["predicted_label"].to_pylist() == [label for _, label in SAID]


def test_a_table_without_rows_stays_one(tmp_path, model):
    (tmp_path / "a.csv").write_text("id,text\n")
    assert score_table(model, open_table(tmp_path / "a.csv"), tmp_path / "b.csv", ["text"]) == (0, 0)
    assert (tmp_path / "b.csv").read_text() == "id,text,predicted_probability,predicted_label\n"


@pytest.mark.parametrize("name", ["a.csv.gz", "a.jsonl.zst"])
def test_the_same_table_gives_the_same_bytes(tmp_path, model, name):
    (tmp_path / "a.csv").write_text("text\ngood\n")
    for folder in ("one", "other"):
        score_table(model, open_table(tmp_path / "a.csv"), tmp_path / folder / name, ["text"])
    assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()


@pytest.mark.parametrize("limits", [{"BATCH_ROWS": 3}, {"BATCH_CHARACTERS": 30}])
def test_rows_that_are_scored_at_once_change_nothing(tmp_path, model, monkeypatch, limits):
    table = write_csv(tmp_path / "a.csv", [("text",), *((text,) for text in TEXTS * 3)])
    score_table(model, open_table(table), tmp_path / "b.csv", ["text"])
    for name, value in limits.items():
        monkeypatch.setattr(scoring, name, value)
    score_table(model, open_table(table), tmp_path / "c.csv", ["text"])
    assert (tmp_path / "b.csv").read_bytes() == (tmp_path / "c.csv").read_bytes()


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_a_scored_table_is_scored_again_in_the_same_columns(tmp_path, model, name):
    """Whatever the place of the columns: here they come first."""
    columns = {"predicted_label": ["?"], "predicted_probability": ["?"], "label": ["good"], "text": ["wonderful"]}
    if name == "a.parquet":
        pq.write_table(pa.table(columns), tmp_path / name)
    elif name == "a.jsonl":
        (tmp_path / name).write_text(json.dumps({column: cell for column, (cell,) in columns.items()}))
    else:
        write_csv(tmp_path / name, [columns, [cell for (cell,) in columns.values()]])
    score_table(model, open_table(tmp_path / name), tmp_path / f"b{name}", ["text"])
    (row,) = rows_of(tmp_path / f"b{name}")
    assert list(row) == ["label", "text", "predicted_probability", "predicted_label"]
    assert (row["label"], row["predicted_label"]) == ("good", "positive")


@pytest.mark.slow
def test_a_few_rows_are_in_memory_however_many_there_are(tmp_path, model, monkeypatch):
    monkeypatch.setattr(scoring, "BATCH_ROWS", 256)
    table = tmp_path / "a.csv.gz"
    table.write_bytes(gzip.compress(b"text\n" + b"%s\n" % (b"a good film " * 80) * 10_000, 1))  # 10 MB
    few = write_csv(tmp_path / "few.csv", [("text",), *[("a good film " * 80,)] * 600])
    score_table(
        model, open_table(few), tmp_path / "a.csv", ["text"]
    )  # what is compiled and loaded at first is not meant
    counts = []
    assert (
        peak_memory(lambda: counts.append(score_table(model, open_table(table), tmp_path / "b.csv", ["text"])))
        < 4 << 20
    )
    assert counts == [(10_000, 0)] * 2


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("text,id\ngood,1\n ,2\n", "row 2: text is empty; fill it in or remove the row"),
        ("text,id\ngood,1\nbad\n", "row 2: 1 fields where the header has 2; fix or remove it"),
    ],
)
def test_what_is_wrong_with_a_table_is_said_and_nothing_is_written(tmp_path, model, content, fault):
    (tmp_path / "a.csv").write_text(content)
    (tmp_path / "b.csv").write_text("older")
    with pytest.raises(UserError, match=fault):
        score_table(model, open_table(tmp_path / "a.csv"), tmp_path / "b.csv", ["text"])
    assert (tmp_path / "b.csv").read_text() == "older"
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('{"text": 5}', "row 2: text is 5, not text"),
        ('{"text": null}', "row 2: text is empty"),
        ('{"id": 5}', "row 2: text is empty"),
    ],
)
def test_a_line_of_json_without_a_text_is_named(tmp_path, model, line, fault):
    (tmp_path / "a.jsonl").write_text('{"text": "good"}\n' + line)
    with pytest.raises(UserError, match=fault):
        score_table(model, open_table(tmp_path / "a.jsonl"), tmp_path / "b.jsonl", ["text"])


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        (pa.array([1, 2]), "row 1: text is 1, not text"),
        (pa.array(["good", None]), "row 2: text is empty"),
        (pa.array([b"good", b"\xff"]).view(pa.string()), "rows 1 to 2: a text is not UTF-8"),
    ],
)
def test_a_row_of_parquet_without_a_text_is_named(tmp_path, model, values, fault):
    pq.write_table(pa.table({"text": values}), tmp_path / "a.parquet")
    with pytest.raises(UserError, match=fault):
        score_table(model, open_table(tmp_path / "a.parquet"), tmp_path / "b.parquet", ["text"])
    assert [path.name for path in tmp_path.iterdir()] == ["a.parquet"]


@pytest.mark.parametrize(
    ("table", "out", "fault"),
    [
        ("a.csv", "b.parquet", r"a \.csv table can be written as \.csv or \.tsv or \.jsonl only"),
        ("a.jsonl", "b.csv", r"a \.jsonl table can be written as \.jsonl only"),
        ("a.csv", "b.txt", r"b\.txt is not a table by its name"),
        ("a.csv", "c.csv", "is a folder; name a file"),
    ],
)
def test_a_file_that_cannot_be_written_is_named(tmp_path, model, table, out, fault):
    (tmp_path / "c.csv").mkdir()
    (tmp_path / table).write_text('{"text": "good"}' if table == "a.jsonl" else "text\ngood\n")
    with pytest.raises(UserError, match=fault):
        score_table(model, open_table(tmp_path / table), tmp_path / out, ["text"])


def test_a_cell_that_no_tsv_can_hold_is_refused(tmp_path, model):
    """A quote that takes in whole rows is a fault there, and such a cell looks like one."""
    write_csv(tmp_path / "a.csv", [("text", "note"), ("good", "tab\tand\nline")])
    with pytest.raises(UserError, match=r"a tab and a line end.*let --out be a \.csv$"):
        score_table(model, open_table(tmp_path / "a.csv"), tmp_path / "b.tsv", ["text"])
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    score_table(model, open_table(tmp_path / "a.csv"), tmp_path / "b.csv", ["text"])


def test_the_columns_of_the_texts_are_inferred_or_named(tmp_path):
    path = write_csv(tmp_path / "a.csv", [("id", " 评论", "texts")])
    assert find_text_columns(open_table(path), None) == [" 评论"]
    assert find_text_columns(open_table(path), ["texts", "id"]) == ["texts", "id"]
    with pytest.raises(UserError, match="has no column 'text'; it has id, 评论, texts"):
        find_text_columns(open_table(path), ["text"])
    path = write_csv(tmp_path / "a.csv", [("text", "review")])
    with pytest.raises(UserError, match=r"candidates: text, review\); set --text-column"):
        find_text_columns(open_table(path), None)


def test_several_columns_are_one_text(tmp_path, model):
    """As for training, so that a network that learnt from title and text is asked with both."""
    write_csv(tmp_path / "a.csv", [("title", "text"), ("wonderful", "film"), ("", "terrible")])
    score_table(model, open_table(tmp_path / "a.csv"), tmp_path / "b.csv", ["title", "text"])
    expected = [f"{value:.6f}" for value in model.predict_proba(["wonderful\nfilm", "terrible"])]
    assert [row["predicted_probability"] for row in rows_of(tmp_path / "b.csv")] == expected


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("ending", [".csv", ".tsv", ".jsonl", ".parquet", ".csv.gz"])
def test_a_table_that_lies_is_scored_or_refused_in_one_line(tmp_path, model, lie, ending):
    table, out = tmp_path / f"a{ending}", tmp_path / f"b{ending}"
    table.write_bytes(gzip.compress(LIES[lie], 1) if ending.endswith(".gz") else LIES[lie])
    try:
        rows, _ = score_table(model, open_table(table), out, find_text_columns(open_table(table), ["text"]))
    except UserError as error:
        assert "\n" not in str(error)
        assert len(str(error)) < 1000
        assert not out.exists()
        return
    assert ending.startswith(".csv")
    assert lie in ("formula", "header alone", "label typos", "mixed types", "BOM"), lie
    assert rows == len(LIES[lie].splitlines()) - 1
