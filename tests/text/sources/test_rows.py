import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from material import ROOT
from own_reviews import own_params

from imdb_rnn.core.errors import UserError
from imdb_rnn.text.sources.rows import ReviewRow, read_rows


def rows_of(path, **params):
    return list(read_rows(own_params(**params), path))


def write(folder, *names: str) -> None:
    """A review in each of some files."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("good" if name.endswith(".txt") else "text,label\ngood,1\n")


def test_columns_are_found_and_said(tmp_path, capsys):
    (tmp_path / "a.csv").write_text("id,Review,Stars\n1,Good film,5\n2,,1\n3,Bad one,\n")
    assert rows_of(tmp_path / "a.csv") == [
        ReviewRow("a.csv, row 1", "Good film", "5", "", "", ""),
        ReviewRow("a.csv, row 2", "", "1", "", "", "no text"),
        ReviewRow("a.csv, row 3", "Bad one", "", "", "", "no label"),
    ]
    assert "text from Review; label from Stars" in capsys.readouterr().out


def test_several_columns_are_one_text_and_others_say_part_and_group(tmp_path):
    lines = [
        {"title": "Fine", "body": "I liked it", "y": 1, "fold": "test", "film": 7},
        {"title": None, "body": "No", "y": 0, "fold": "dev", "film": "7.0"},
        {"title": "x", "body": "y", "y": 0, "fold": "elsewhere", "film": 8},
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, lines)))
    said = {
        "text_columns": ["title", "body"],
        "label_column": "y",
        "split_column": "fold",
        "group_column": "film",
    }
    assert rows_of(tmp_path, **said) == [
        ReviewRow("a.jsonl, row 1", "Fine\nI liked it", "1", "test", "7", ""),
        ReviewRow("a.jsonl, row 2", "No", "0", "validation", "7", ""),
        ReviewRow("a.jsonl, row 3", "x\ny", "0", "", "8", "neither train nor test"),
    ]


def test_all_tables_of_a_folder_are_read_by_name(tmp_path):
    for name, text in (("b.tsv", "text\tlabel\nsecond\t0\n"), ("a.csv", "label,text\n1,first\n")):
        (tmp_path / name).write_text(text)
    (tmp_path / "README.md").write_text("no reviews")
    assert [(row.place, row.text, row.label) for row in rows_of(tmp_path)] == [
        ("a.csv, row 1", "first", "1"),
        ("b.tsv, row 1", "second", "0"),
    ]


def test_the_layout_of_the_large_movie_review_dataset(tmp_path):
    others = ("train/unsup/0_0.txt", "imdbEr.txt", "train/urls_pos.txt")
    for name in ("train/pos/0_9.txt", "train/neg/0_1.txt", "test/pos/0_8.txt", *others):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"text of {name}")
    assert [(row.place, row.label, row.part) for row in rows_of(tmp_path)] == [
        ("test/pos/0_8.txt", "pos", "test"),
        ("train/neg/0_1.txt", "neg", "train"),
        ("train/pos/0_9.txt", "pos", "train"),
    ]


def test_a_folder_for_each_label(tmp_path):
    for name, content in (("good/a.TXT", "好看".encode("utf-8-sig")), ("bad/b.txt", b"\xff\xfe")):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(content)
    assert rows_of(tmp_path) == [
        ReviewRow("bad/b.txt", "", "bad", "", "", "not UTF-8"),
        ReviewRow("good/a.TXT", "好看", "good", "", "", ""),
    ]


def test_names_of_tables_split_if_both_parts_are_named(tmp_path):
    for name in ("train-0.csv", "Test.csv"):
        (tmp_path / name).write_text("text,label\na,1\n")
    assert [row.part for row in rows_of(tmp_path)] == ["test", "train"]
    (tmp_path / "Test.csv").unlink()
    assert [row.part for row in rows_of(tmp_path)] == [""]


@pytest.mark.parametrize(
    ("test", "train"),
    [
        ("test/a.csv", "train/a.csv"),
        ("Testing/deep/a.csv", "Training/a.csv"),
        ("test2020.csv", "train2020.csv"),
        ("Test/pos/a.txt", "TRAIN/pos/a.txt"),
    ],
)
def test_folders_and_names_in_capitals_or_with_numbers_split_too(tmp_path, test, train):
    write(tmp_path, test, train)
    parts = [row.part for row in rows_of(tmp_path)]
    assert parts == [part for _, part in sorted([(Path(test), "test"), (Path(train), "train")])]


def test_a_name_that_only_looks_like_a_part_does_not_split(tmp_path):
    write(tmp_path, "testimonials.csv", "trainers.csv")
    assert [row.part for row in rows_of(tmp_path)] == ["", ""]


def test_a_link_to_a_folder_is_refused_because_dvc_sees_no_changes_there(tmp_path):
    write(tmp_path, "own/pos/a.txt", "elsewhere/b.txt")
    (tmp_path / "own/neg").mkdir()
    (tmp_path / "own/neg/b.txt").symlink_to(tmp_path / "elsewhere/b.txt")
    assert [row.place for row in rows_of(tmp_path / "own")] == ["neg/b.txt", "pos/a.txt"]
    (tmp_path / "own/more").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="own/more links to a folder, where DVC sees no changes; link its files"):
        rows_of(tmp_path / "own")


def test_a_folder_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    write(tmp_path, "pos/a.txt", "neg/a.txt")
    scandir = os.scandir

    def refused(path):  # root may read everything
        if str(path).endswith("neg"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refused)
    with pytest.raises(UserError, match=r"neg cannot be read \(Permission denied\); allow it, or move it away$"):
        rows_of(tmp_path)


def test_folders_within_folders_of_labels_take_no_reviews_away(tmp_path):
    write(tmp_path, "pos/a.txt", "neg/b.txt", "archive/pos/c.txt", "archive/neg/d.txt")
    assert [(row.place, row.label) for row in rows_of(tmp_path)] == [
        ("archive/neg/d.txt", "neg"),
        ("archive/pos/c.txt", "pos"),
        ("neg/b.txt", "neg"),
        ("pos/a.txt", "pos"),
    ]


def test_a_folder_named_like_a_table_is_a_folder(tmp_path):
    """As Spark writes a table in parts."""
    write(tmp_path, "reviews.csv/part-0.csv", "reviews.csv/part-1.csv")
    assert [row.place for row in rows_of(tmp_path)] == ["part-0.csv, row 1", "part-1.csv, row 1"]


def test_hidden_files_are_not_read_and_all_others_that_are_not_are_named(tmp_path, capsys):
    write(tmp_path, "example.csv", "mine.csv", ".ipynb_checkpoints/mine.csv", "._mine.csv")
    assert [row.place for row in rows_of(tmp_path)] == ["example.csv, row 1", "mine.csv, row 1"]
    assert "not read" not in capsys.readouterr().out
    write(tmp_path, "a.json", "b/c.xlsx", "notes.txt", "README.md", "mine.csv.dvc")
    assert len(rows_of(tmp_path)) == 2
    assert "data/own: not read: a.json, b/c.xlsx, notes.txt\n" in capsys.readouterr().out


def test_text_files_are_read_from_the_folder_as_it_is_shipped(tmp_path):
    shutil.copytree(ROOT / "data/own", tmp_path / "own")
    write(tmp_path / "own", "pos/a.txt", "neg/b.txt")
    assert [row.place for row in rows_of(tmp_path / "own")] == ["neg/b.txt", "pos/a.txt"]


def test_the_example_is_read_where_it_says(tmp_path):
    with pytest.raises(UserError, match=r"holds no reviews; .*run `cp data/example\.csv ") as error:
        rows_of(tmp_path)
    subprocess.run(str(error.value).split("`")[1].split(), cwd=ROOT, check=True)
    assert len(rows_of(tmp_path)) == 40


def test_a_text_that_is_no_text_is_a_fault(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": ["a", "list"], "label": 1}\n{"text": 5, "label": 1}')
    assert [(row.text, row.fault) for row in rows_of(tmp_path)] == [
        ("['a', 'list']", "text cell is not a string or a number"),
        ("5", ""),
    ]


def test_what_is_not_there_or_not_clear_is_one_line(tmp_path):
    with pytest.raises(UserError, match=r"^data.own.path: data/own does not exist; put your reviews there"):
        rows_of(tmp_path / "none")
    (tmp_path / "a.xlsx").touch()
    with pytest.raises(UserError, match=r"holds no reviews, only a\.xlsx; put a table "):
        rows_of(tmp_path)
    (tmp_path / "a.csv").write_text("text,stars,label\n")
    with pytest.raises(UserError, match=r"candidates: stars, label\); set data\.own\.label_column"):
        rows_of(tmp_path)
    with pytest.raises(UserError, match="has no column 'film'"):
        rows_of(tmp_path, label_column="label", group_column="film")
    (tmp_path / "pos").mkdir()
    (tmp_path / "pos/a.txt").write_text("x")
    with pytest.raises(UserError, match=r"holds tables and text files, a\.csv and pos/a\.txt; move one kind away"):
        rows_of(tmp_path)
