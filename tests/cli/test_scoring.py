import csv
import datetime
import gzip
import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from material import model_params, network_of, peak_memory
from own_reviews import LIES

from imdb_rnn.cli import scoring
from imdb_rnn.cli.scoring import find_text_columns, score_table
from imdb_rnn.cli.writing import added_columns
from imdb_rnn.core.errors import UserError
from imdb_rnn.text.tables import open_table, read_rows

ADDED = added_columns(["negative", "positive"])
TEXTS = ["A wonderful film.", 'a "terrible",\r\nfilm', "NA", "wonderful\rfilm"]
SAID = [("0.947348", "positive"), ("0.052652", "negative"), ("0.500000", "negative"), ("0.947348", "positive")]


def write_csv(path, rows, delimiter=","):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return path


def rows_of(path) -> list[dict]:
    return [row.values for row in read_rows(open_table(path), blank=True)]


@pytest.mark.parametrize("out", ["b.csv", "b.tsv.gz", "b.jsonl.zst", "b.json", "b.xlsx", "folder/b.csv", "a.csv"])
def test_each_row_gets_what_is_said_of_it(tmp_path, score, out):
    write_csv(tmp_path / "a.csv", [("id", "text"), *((f"0{row}", text) for row, text in enumerate(TEXTS))])
    counts = score("a.csv", out)
    assert counts[:4] == (4, 2, 0, 0)
    assert sum(counts.profile["words"]) == sum(counts.profile["unknown"]) == sum(counts.profile["predicted"]) == 4
    number = str if "sv" in out else float
    assert rows_of(tmp_path / out) == [
        {"id": f"0{row}", "text": text, "predicted_probability": number(said[0]), "predicted_label": said[1]}
        for row, (text, said) in enumerate(zip(TEXTS, SAID, strict=True))
    ]


@pytest.mark.parametrize("each", [False, True])
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("form", ["csv", "parquet", "xlsx"])
def test_the_columns_are_those_of_the_labels(tmp_path, model, form, classes, each):
    if classes > 2:
        model = replace(network_of(model_params(), 6, classes=classes), vocabulary=["wonderful", "terrible"])
    texts = {"text": ["wonderful", "", "terrible film"], "probability": ["old"] * 3}
    pq.write_table(pa.table(texts), tmp_path / "a.parquet")
    write_csv(tmp_path / "a.csv", [list(texts), *zip(*texts.values(), strict=True)])
    table = open_table(tmp_path / ("a.parquet" if form == "parquet" else "a.csv"))
    score_table(model, table, tmp_path / f"b.{form}", ["text"], each=each)
    rows, probability = rows_of(tmp_path / f"b.{form}"), model.predict_proba(["wonderful", "terrible film"])
    label = model.predict(["wonderful", "terrible film"])
    expected = {"predicted_label": label}
    if classes == 2:
        expected = {"probability": ["old"] * 2, "predicted_probability": probability} | expected
        probability = np.stack([1 - probability, probability], axis=1)
    else:
        expected["probability"] = probability.max(axis=1)
    if each:
        expected |= {f"probability_{name}": probability[:, k] for k, name in enumerate(model.labels)}
    assert list(rows[0]) == ["text", *expected]
    for name, values in expected.items():
        of_texts = [rows[0][name], rows[2][name]]
        if "probability" in name and values[0] != "old":
            assert list(map(float, of_texts)) == pytest.approx(list(values), abs=1e-6)
            assert rows[1][name] in (None, "")
        else:
            assert of_texts == values


def test_a_row_without_a_text_is_kept_and_counted(tmp_path, score):
    (tmp_path / "a.csv").write_text("id,text\n1,wonderful\n2, \n\n4,\n")
    assert score("a.csv", "b.csv")[:4] == (4, 1, 3, 0)
    assert (tmp_path / "b.csv").read_text() == (
        "id,text,predicted_probability,predicted_label\n1,wonderful,0.951899,positive\n2, ,,\n,,,\n4,,,\n"
    )
    objects = [{"text": "wonderful"}, {"text": None}, {"id": 1}, {"text": 10}, {"text": True}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, objects)))
    assert score("a.jsonl", "b.jsonl", "text")[:4] == (5, 1, 2, 0)
    assert [row["predicted_label"] for row in rows_of(tmp_path / "b.jsonl")] == [
        "positive", None, None, "negative", "negative",
    ]  # fmt: skip
    pq.write_table(pa.table({"text": ["wonderful", None, ""]}), tmp_path / "a.parquet")
    assert score("a.parquet", "b.parquet")[:4] == (3, 1, 2, 0)
    assert pq.read_table(tmp_path / "b.parquet")["predicted_probability"].to_pylist() == [0.951899, None, None]


def test_what_reading_changed_is_said(tmp_path, score, capsys):
    (tmp_path / "a.csv").write_text('id,text\n1,"a ""good"" film"\n2,"wonderful" film\n3,good,\n4,good,,\n')
    assert score("a.csv", "b.csv").rows == 4
    lines = [line.removeprefix(f"{tmp_path}/a.csv: ") for line in capsys.readouterr().err.splitlines()]
    assert lines == [
        "1 row with a quote or a line end that does not match",
        "2 rows with an empty cell more than the header has",
    ]


def test_parquet_keeps_its_types(tmp_path, score, monkeypatch):
    monkeypatch.setattr(scoring, "PARQUET_ROWS", 3)
    text = pa.array(TEXTS).dictionary_encode()
    time = pa.array([None, *[datetime.datetime(2020, 1, 2)] * 3], pa.timestamp("ns", "UTC"))
    table = pa.table({"time": time, "text": text}).replace_schema_metadata({"by": "us"})
    pq.write_table(table, tmp_path / "a.parquet")
    assert score("a.parquet", "b.parquet", "text")[:2] == (4, 2)
    scored = pq.read_table(tmp_path / "b.parquet")
    assert scored.select(["time", "text"]).equals(table)
    assert scored.schema.metadata == {b"by": b"us"}
    assert scored.column_names == ["time", "text", *ADDED]
    assert scored["predicted_probability"].to_pylist() == [float(probability) for probability, _ in SAID]
    assert scored["predicted_label"].to_pylist() == [label for _, label in SAID]


def test_a_workbook_is_scored_into_a_workbook(tmp_path, score):
    day = datetime.datetime(2020, 1, 2, 3)
    with xlsxwriter.Workbook(
        tmp_path / "a.xlsx", {"default_date_format": "yyyy-mm-dd", "strings_to_formulas": False}
    ) as book:
        sheet = book.add_worksheet("Reviews")
        for place, row in enumerate([["text", "n", "day", ""], ["wonderful", 5, day], [], ["=terrible", 0.5]]):
            sheet.write_row(place, 0, row)
    assert score("a.xlsx", "b.xlsx", "text")[:3] == (3, 1, 1)
    table = open_table(tmp_path / "b.xlsx")
    assert (table.member, table.columns) == ("Reviews", ["text", "n", "day", *ADDED])
    assert [list(row.values.values()) for row in read_rows(table, blank=True)] == [
        ["wonderful", 5, day, 0.951899, "positive"], [""] * 5, ["=terrible", 0.5, "", 0.048101, "negative"],
    ]  # fmt: skip
    score("a.xlsx", "b.csv", "text")
    assert rows_of(tmp_path / "b.csv")[0]["day"] == "2020-01-02 03:00:00"
    with pytest.raises(UserError, match="may have other sheets, which would be lost"):
        score("a.xlsx", "a.xlsx", "text")


def test_a_table_without_rows_stays_one(tmp_path, score):
    (tmp_path / "a.csv").write_text("id,text\n")
    assert score("a.csv", "b.csv", "text")[:4] == (0,) * 4
    assert (tmp_path / "b.csv").read_text() == "id,text,predicted_probability,predicted_label\n"


@pytest.mark.parametrize("limits", [{"BATCH_ROWS": 3}, {"BATCH_CHARACTERS": 30}])
def test_rows_that_are_scored_at_once_change_nothing(tmp_path, score, monkeypatch, limits):
    write_csv(tmp_path / "a.csv", [("text", "n"), *((text, "1") for text in TEXTS * 3)])
    score("a.csv", "b.csv", "text")
    for name, value in limits.items():
        monkeypatch.setattr(scoring, name, value)
    score("a.csv", "c.csv", "text")
    assert (tmp_path / "b.csv").read_bytes() == (tmp_path / "c.csv").read_bytes()


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_a_scored_table_is_scored_again_in_the_same_columns(tmp_path, score, name):
    """Whatever the place of the columns: here they come first."""
    columns = {"predicted_label": ["?"], "predicted_probability": ["?"], "label": ["good"], "text": ["wonderful"]}
    if name == "a.parquet":
        pq.write_table(pa.table(columns), tmp_path / name)
    elif name == "a.jsonl":
        (tmp_path / name).write_text(json.dumps({column: cell for column, (cell,) in columns.items()}))
    else:
        write_csv(tmp_path / name, [columns, [cell for (cell,) in columns.values()]])
    score(name, f"b{name}", "text")
    (row,) = rows_of(tmp_path / f"b{name}")
    assert list(row) == ["label", "text", "predicted_probability", "predicted_label"]
    assert (row["label"], row["predicted_label"]) == ("good", "positive")


@pytest.mark.slow
def test_a_few_rows_are_in_memory_however_many_there_are(tmp_path, score, monkeypatch):
    monkeypatch.setattr(scoring, "BATCH_ROWS", 256)
    monkeypatch.setattr(scoring, "LOOKED_AT", 100)
    (tmp_path / "a.csv.gz").write_bytes(
        gzip.compress(b"text,n\n" + b"%s,1\n" % (b"a good film " * 80) * 10_000, 1)
    )  # 10 MB
    write_csv(tmp_path / "few.csv", [("text", "n"), *[("a good film " * 80, "1")] * 600])
    score("few.csv", "a.csv", "text")  # what is compiled and loaded at first is not meant
    counts = []
    assert peak_memory(lambda: counts.append(score("a.csv.gz", "b.csv", "text")[:2])) < 4 << 20
    assert counts == [(10_000, 0)] * 2


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("text,id\ngood,1\nbad\n", "row 2: 1 cells where the header has 2; fix or remove it"),
        ('{"text": "good"}\n{"text": ["bad"]}\n', r"row 2: \['bad'\] is no text; is --text-column another column"),
        ('{"text": "good"}\n{"text": \n', "row 2: not valid JSON; fix or remove it"),
    ],
)
def test_what_is_wrong_with_a_table_is_said_and_nothing_is_written(tmp_path, score, content, fault):
    (tmp_path / "a.csv").write_text(content)
    out = "b.jsonl" if "{" in content else "b.csv"
    (tmp_path / out).write_text("older")
    with pytest.raises(UserError, match=fault):
        score("a.csv", out, "text")
    assert (tmp_path / out).read_text() == "older"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_text_of_parquet_that_is_not_utf8_is_named(tmp_path, score):
    pq.write_table(pa.table({"text": pa.array([b"good", b"\xff"]).view(pa.string())}), tmp_path / "a.parquet")
    with pytest.raises(UserError, match=r"a\.parquet is damaged \('utf-8' codec can't decode byte"):
        score("a.parquet", "b.parquet", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["a.parquet"]


def test_the_columns_of_the_texts_are_recognised_or_named(tmp_path):
    table = open_table(write_csv(tmp_path / "a.csv", [("id", " 评论", "texts"), ("1", "a", "b")]))
    assert find_text_columns(table, None) == ["评论"]
    assert find_text_columns(table, ["texts", "id"]) == ["texts", "id"]
    assert find_text_columns(table, None, ["texts", "id"]) == ["texts", "id"]
    assert find_text_columns(table, None, ["texts", "title"]) == ["评论"]
    with pytest.raises(UserError, match="has no column 'text'; it has id, 评论, texts"):
        find_text_columns(table, ["text"])
    table = open_table(write_csv(tmp_path / "a.csv", [("text", "review"), ("a", "b")]))
    with pytest.raises(UserError, match=r"candidates: text, review\); set --text-column"):
        find_text_columns(table, None)
    (tmp_path / "a.txt").write_text("a fine film\nno, no\n")
    assert find_text_columns(open_table(tmp_path / "a.txt"), None) == ["column 1"]


def test_several_columns_are_one_text(tmp_path, score, model):
    """As for training, so that a network that learnt from title and text is asked with both."""
    write_csv(tmp_path / "a.csv", [("title", "text"), ("wonderful", "film"), ("", "terrible")])
    score("a.csv", "b.csv", "title", "text")
    expected = [f"{value:.6f}" for value in model.predict_proba(["wonderful\nfilm", "terrible"])]
    assert [row["predicted_probability"] for row in rows_of(tmp_path / "b.csv")] == expected


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("ending", [".csv", ".csv.gz"])
def test_a_table_that_lies_is_scored_or_refused_in_one_line(tmp_path, score, lie, ending):
    table, out = tmp_path / f"a{ending}", tmp_path / "b.csv"
    table.write_bytes(gzip.compress(LIES[lie], 1) if ending.endswith(".gz") else LIES[lie])
    try:
        counts = score(table.name, out.name, "text")
    except UserError as error:
        assert "\n" not in str(error)
        assert len(str(error)) < 1000
        assert not out.exists()
        return
    assert lie not in ("NUL", "empty", "a large cell", "one line", "binary", "too many columns", "columns"), lie
    assert counts.rows == len(LIES[lie].decode("utf-16" if lie == "UTF-16" else "latin-1").splitlines()) - 1
