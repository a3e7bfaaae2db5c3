import json
import os
import shutil
import subprocess

import pytest
from material import ROOT
from own_reviews import own_params

from imdb_rnn.core.errors import UserError
from imdb_rnn.text.sources.rows import ReviewRow, find_sources, read_rows


def rows_of(path, **params):
    """All rows, each with the name of its source."""
    sources, _ = find_sources(own_params(**params), path)
    return [(source.name, row) for source in sources for row in read_rows(own_params(**params), source)]


def places_of(path, **params):
    return [name for name, _ in rows_of(path, **params)]


def write(folder, *names: str) -> None:
    """Two reviews in each of some tables, one in each of some text files."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("good film" if name.endswith(".txt") else "text,label\ngood film,1\nbad film,0\n")


def test_columns_are_found_and_said(tmp_path):
    (tmp_path / "a.csv").write_text("id,Review,Stars\n1,Good film,5\n2,,1\n3,Bad one,\n")
    (source,), _ = find_sources(own_params(), tmp_path / "a.csv")
    assert (source.texts, source.label, source.why) == (["Review"], "Stars", "by name")
    assert [row for _, row in rows_of(tmp_path / "a.csv")] == [
        ReviewRow(1, "Good film", "5"),
        ReviewRow(2, "", "1"),
        ReviewRow(3, "Bad one", ""),
    ]


def test_several_columns_are_one_text_and_others_say_part_and_group(tmp_path):
    lines = [
        {"title": "Fine", "body": "I liked it", "y": 1, "fold": "test", "film": 7},
        {"title": None, "body": "No", "y": 0, "fold": "dev", "film": "7.0"},
        {"title": "x", "body": "y", "y": 0, "fold": "elsewhere", "film": 8},
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, lines)))
    said = {"text_columns": ["title", "body"], "label_column": "y", "split_column": "fold", "group_column": "film"}
    assert [row for _, row in rows_of(tmp_path, **said)] == [
        ReviewRow(1, "Fine\nI liked it", "1", "test", "7"),
        ReviewRow(2, "No", "0", "validation", "7"),
        ReviewRow(3, "x\ny", "0", "", "8", "neither train nor test"),
    ]


def test_all_tables_of_a_folder_are_read_by_name(tmp_path):
    for name, text in (("b.tsv", "text\tlabel\nsecond\t0\n"), ("a.csv", "label,text\n1,first\n")):
        (tmp_path / name).write_text(text)
    assert [(name, row.text, row.label) for name, row in rows_of(tmp_path)] == [
        ("a.csv", "first", "1"),
        ("b.tsv", "second", "0"),
    ]


def test_the_layout_of_the_large_movie_review_dataset(tmp_path):
    write(tmp_path, "train/pos/0_9.txt", "train/neg/0_1.txt", "test/pos/0_8.txt", "test/neg/0_2.txt")
    write(tmp_path, "train/unsup/0_0.txt", "imdb.vocab.txt", "train/urls_pos.txt", "README")
    sources, left_out = find_sources(own_params(), tmp_path)
    assert [(source.name, source.label_of_all, source.part) for source in sources] == [
        ("test/neg/0_2.txt", "neg", "test"),
        ("test/pos/0_8.txt", "pos", "test"),
        ("train/neg/0_1.txt", "neg", "train"),
        ("train/pos/0_9.txt", "pos", "train"),
        ("train/unsup/0_0.txt", "", "train"),
    ]
    beside = "beside folders of reviews"
    assert left_out == {"README": "documentation", "imdb.vocab.txt": beside, "train/urls_pos.txt": beside}


def test_a_folder_for_each_label(tmp_path):
    for name, content in (("good/a.TXT", "好看".encode("utf-8-sig")), ("bad/b.txt", b"\xff\xfe\xff")):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(content)
    assert rows_of(tmp_path) == [
        ("bad/b.txt", ReviewRow(1, "", "bad", fault="text in no known encoding")),
        ("good/a.TXT", ReviewRow(1, "好看", "good")),
    ]


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("train/a.csv", "train"),
        ("Testing/deep/a.csv", "test"),
        ("test2020.csv", "test"),
        ("imdb_test.csv", "test"),
        ("drugsComTest_raw.csv", "test"),
        ("train-00000-of-00001.csv", "train"),
        ("labeledTrainData.csv", "train"),
        ("reviews.dev.csv", "validation"),
        ("VALIDATION.csv", "validation"),
        ("testimonials.csv", ""),
        ("trainers.csv", ""),
        ("TRAIN/pos/a.txt", "train"),
    ],
)
def test_a_name_says_the_part_in_any_position(tmp_path, name, part):
    write(tmp_path, name)
    (source,), _ = find_sources(own_params(), tmp_path)
    assert source.part == part


def test_a_link_to_a_folder_is_refused_because_dvc_sees_no_changes_there(tmp_path):
    write(tmp_path, "own/pos/a.txt", "elsewhere/b.txt")
    (tmp_path / "own/neg").mkdir()
    (tmp_path / "own/neg/b.txt").symlink_to(tmp_path / "elsewhere/b.txt")
    assert places_of(tmp_path / "own") == ["neg/b.txt", "pos/a.txt"]
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
    assert places_of(tmp_path) == ["archive/neg/d.txt", "archive/pos/c.txt", "neg/b.txt", "pos/a.txt"]


def test_a_folder_named_like_a_table_is_a_folder(tmp_path):
    """As Spark writes a table in parts."""
    write(tmp_path, "reviews.csv/part-0.csv", "reviews.csv/part-1.csv", "reviews.csv/.part-0.csv.crc")
    (tmp_path / "reviews.csv/_SUCCESS").touch()
    sources, left_out = find_sources(own_params(), tmp_path)
    assert [source.name for source in sources] == ["reviews.csv/part-0.csv", "reviews.csv/part-1.csv"]
    assert [*left_out] == ["reviews.csv/.part-0.csv.crc", "reviews.csv/_SUCCESS"]


def test_every_file_that_is_not_read_is_named_with_its_reason(tmp_path):
    write(tmp_path, "train.csv", ".ipynb_checkpoints/mine.csv", ".DS_Store", "README", "LICENSE")
    write(tmp_path, "README.md", "train.csv.dvc", ".gitignore")  # of the project and DVC
    (tmp_path / "test.csv").write_text("id,text\n1,nothing known of this one\n2,nor of that one\n")
    (tmp_path / "sample_submission.csv").write_text("id,label\n1,0\n2,1\n")
    write(tmp_path, "train.csv.gz")
    (tmp_path / "photo.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0")
    sources, left_out = find_sources(own_params(), tmp_path)
    assert [source.name for source in sources] == ["train.csv"]
    assert left_out.keys() == {
        *(".ipynb_checkpoints", ".DS_Store", "README", "LICENSE"),
        *("test.csv", "sample_submission.csv", "photo.png", "train.csv.gz"),
    }
    assert left_out["test.csv"] == "no column of labels"
    assert left_out["sample_submission.csv"].startswith("cannot tell which column to use as the text")
    assert all(left_out.values())


@pytest.mark.parametrize("missing", ["reviews.csv", "reviews"])
def test_what_dvc_has_not_fetched_is_one_line(tmp_path, missing):
    write(tmp_path, "other.csv")
    (tmp_path / f"{missing}.dvc").touch()
    for path in (tmp_path, tmp_path / missing):
        with pytest.raises(
            UserError, match=rf"{missing} is not here, only its {missing}.dvc; run `dvc pull .*{missing}.dvc`$"
        ):
            find_sources(own_params(), path)


def test_a_table_that_cannot_be_read_is_not_passed_over(tmp_path):
    write(tmp_path, "a.csv")
    (tmp_path / "b.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(UserError, match=r"b\.parquet "):
        find_sources(own_params(), tmp_path)


def test_text_files_are_read_from_the_folder_as_it_is_shipped(tmp_path):
    shutil.copytree(ROOT / "data/own", tmp_path / "own")
    write(tmp_path / "own", "pos/a.txt", "neg/b.txt")
    assert places_of(tmp_path / "own") == ["neg/b.txt", "pos/a.txt"]


def test_the_example_is_read_where_it_says(tmp_path):
    with pytest.raises(UserError, match=r"holds no reviews; .*run `cp data/example\.csv ") as error:
        rows_of(tmp_path)
    subprocess.run(str(error.value).split("`")[1].split(), cwd=ROOT, check=True)
    assert len(rows_of(tmp_path)) == 40


def test_a_text_that_is_no_text_is_a_fault(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": ["a", "list"], "label": 1}\n{"text": 5, "label": 1}')
    assert [(row.text, row.fault) for _, row in rows_of(tmp_path)] == [
        ("['a', 'list']", "text cell is not a string or a number"),
        ("5", ""),
    ]


def test_several_labels_are_a_fault_and_a_header_once_more_is_no_review(tmp_path):
    lines = [{"text": "a film", "label": ["pos", "neg"]}, {"text": "b film", "label": ["pos"]}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, [*lines, {"text": "text", "label": "label"}])))
    rows = [(row.label, row.fault) for _, row in rows_of(tmp_path)]
    assert rows == [("['pos', 'neg']", "several labels"), ("pos", ""), ("", "")]


def test_what_is_not_there_or_not_clear_is_one_line(tmp_path):
    with pytest.raises(UserError, match=r"none does not exist; put your reviews there"):
        rows_of(tmp_path / "none")
    (tmp_path / "notes.md").touch()
    with pytest.raises(UserError, match=r"holds no reviews, only notes\.md \(documentation\); put a table "):
        rows_of(tmp_path)
    (tmp_path / "a.csv").write_text("text,stars,label\n")
    with pytest.raises(UserError, match=r"candidates: stars, label\); set for example data\.own\.label_column: stars"):
        rows_of(tmp_path)
    with pytest.raises(UserError, match="has no column 'film'"):
        rows_of(tmp_path, label_column="label", group_column="film")
    write(tmp_path, "pos/a.txt")
    with pytest.raises(UserError, match=r"holds tables and text files, a\.csv and pos/a\.txt; move one kind away"):
        rows_of(tmp_path, label_column="label")
