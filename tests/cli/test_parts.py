import os
import zipfile
from pathlib import Path

import pytest

from imdb_rnn.cli import parts
from imdb_rnn.core.errors import UserError
from imdb_rnn.text.tables import open_table

DIGEST = "1" * 64  # of the model file


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with tables in a folder of it, and files next to them that are none."""
    (tmp_path / "in/more").mkdir(parents=True)
    for name in ("b.csv", "a.csv", "c[1].tsv", "more/d.jsonl.gz", "notes.txt", ".hidden.csv"):
        (tmp_path / "in" / name).write_text("text\nwonderful film\n")
    (tmp_path / "in/folder.csv").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def planned(folder, *names: str) -> list[parts.Part]:
    return parts.plan([folder / "in" / name for name in names], folder / "out", None)


def score(model, part: parts.Part, digest: str = DIGEST):
    with parts.scratch_folder(part.out.parent) as scratch:
        return parts.score_part(model, digest, part, scratch, lambda rows: None)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("named", "found"),
    [
        (["in"], ["a.csv", "b.csv", "c[1].tsv"]),
        (["in/*.csv"], ["a.csv", "b.csv"]),
        (["in/**"], ["a.csv", "b.csv", "c[1].tsv", "more/d.jsonl.gz"]),
        (["in/c[1].tsv", "in/notes.txt"], ["c[1].tsv", "notes.txt"]),
        (["in/b.csv", "in/[ab].csv", "in/../in/a.csv"], ["b.csv", "a.csv"]),
    ],
    ids=str,
)
def test_tables_are_found_by_names_folders_and_patterns(named, found):
    assert [path.as_posix() for path in parts.find_tables(named, Path("out"))] == [f"in/{name}" for name in found]


def test_a_pattern_that_reaches_the_scored_tables_does_not_mean_them(folder):
    (folder / "out").mkdir()
    (folder / "out/a.csv").write_text("text\nwonderful film\n")
    found = parts.find_tables(["**/*.csv"], Path("out"))
    assert [path.as_posix() for path in found] == ["in/a.csv", "in/b.csv"]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", ["absent.csv", "in/*.parquet", "in/folder.csv"])
def test_a_name_that_means_no_table_is_said(name):
    with pytest.raises(UserError) as error:
        parts.find_tables(["in", name], Path("out"))
    assert str(error.value).startswith(f"{name}: no table found; give files, a folder or a pattern of")


def test_a_part_keeps_its_name_and_knows_its_texts(folder):
    (folder / "in/b.csv").write_text("id,review\n1,wonderful\n")
    with zipfile.ZipFile(folder / "in/z.csv.zip", "w") as archive:
        archive.writestr("z.csv", "text,stars\ngood,1\n")
    assert [
        (part.table.path.name, part.out, part.texts) for part in planned(folder, "a.csv", "b.csv", "z.csv.zip")
    ] == [
        ("a.csv", folder / "out/a.csv", ["text"]),
        ("b.csv", folder / "out/b.csv", ["review"]),
        ("z.csv.zip", folder / "out/z.csv", ["text"]),
    ]


@pytest.mark.parametrize(
    ("out", "fault"),
    [
        ("in/notes.txt", "in/notes.txt should be a folder"),
        ("scored.csv", "scored.csv should be a folder"),
        ("in", "would be overwritten; name another folder than its own"),
        ("in/more/..", "would be overwritten; name another folder than its own"),
    ],
)
def test_what_is_no_folder_for_scored_tables_is_refused(folder, out, fault):
    with pytest.raises(UserError, match=fault):
        parts.plan([folder / "in/a.csv"], folder / out, None)


def test_two_tables_of_one_name_are_refused_in_one_line(folder):
    (folder / "in/more/a.csv").write_text("text\n")
    with pytest.raises(UserError) as error:
        planned(folder, "a.csv", "more/a.csv")
    paths = f"{folder}/in/a.csv and {folder}/in/more/a.csv would both become {folder}/out/a.csv"
    assert str(error.value) == f"{paths}; score them into two folders"


def test_a_table_that_cannot_be_scored_is_said_before_any_is(folder):
    (folder / "in/b.csv").write_text("id,stars\n1,2\n")
    with pytest.raises(UserError, match=r"b\.csv: cannot tell which column to use"):
        planned(folder, "a.csv", "b.csv")


def test_a_part_that_is_scored_is_done(folder, model):
    part, other = planned(folder, "a.csv", "b.csv")
    assert parts.done(part, DIGEST) is None
    assert score(model, part) == parts.done(part, DIGEST)
    assert parts.done(part, DIGEST)[:4] == (1, 1, 0, 0)
    assert part.out.read_text() == "text,predicted_probability,predicted_label\nwonderful film,0.947348,positive\n"
    assert parts.done(other, DIGEST) is None
    assert {path.name for path in (folder / "out").iterdir()} == {"a.csv", ".imdb-rnn"}
    assert [path.name for path in (folder / "out/.imdb-rnn").iterdir()] == ["a.csv.json"]


def test_it_is_still_done_when_files_were_only_touched_or_moved(folder, model):
    (part,) = planned(folder, "a.csv")
    score(model, part)
    os.utime(part.table.path, (0, 0))
    os.utime(part.out, (0, 0))
    folder.joinpath("in").rename(folder / "in2")
    folder.joinpath("out").rename(folder / "out2")
    assert parts.done(parts.Part(open_table(folder / "in2/a.csv"), folder / "out2/a.csv", ["text"]), DIGEST)


@pytest.mark.parametrize("what", ["table", "scored", "scored is gone", "texts", "model", "record", "record is gone"])
def test_it_is_not_done_when_anything_of_it_is_another(folder, model, what):
    (part,) = planned(folder, "a.csv")
    score(model, part)
    model, record = DIGEST, folder / "out/.imdb-rnn/a.csv.json"
    content, times = {"table": part.table.path, "scored": part.out, "record": record}.get(what), part.table.path.stat()
    if content:  # of the same length and time
        content.write_bytes(content.read_bytes().replace(b"film", b"FILM").replace(b"{", b"["))
        os.utime(content, ns=(times.st_atime_ns, times.st_mtime_ns))
    elif what == "texts":
        part = part._replace(texts=["text", "more"])
    elif what == "model":
        model = "2" * 64
    else:
        (part.out if what == "scored is gone" else record).unlink()
    assert parts.done(part, model) is None


def test_a_table_that_changes_while_it_is_scored_is_not_done(folder, model):
    (part,) = planned(folder, "a.csv")
    with parts.scratch_folder(part.out.parent) as scratch:
        changed = part.table.path.read_text() + "terrible film\n"
        parts.score_part(model, DIGEST, part, scratch, lambda rows: part.table.path.write_text(changed))
    assert parts.done(part, DIGEST) is None


def test_a_fault_leaves_what_was_there(folder, model):
    (part,) = planned(folder, "a.csv")
    score(model, part)
    before = part.out.read_bytes()
    part.table.path.write_text("text\nwonderful film\n\0\n")
    with pytest.raises(UserError, match="line 3: NUL bytes"):
        score(model, part)
    assert part.out.read_bytes() == before
    assert parts.done(part, DIGEST) is None


def test_a_folder_in_place_of_a_scored_table_is_named(folder, model):
    (part,) = planned(folder, "a.csv")
    part.out.mkdir(parents=True)
    with pytest.raises(UserError, match=r"out/a\.csv cannot be written \(Is a directory\)"):
        score(model, part)


def test_what_a_killed_run_left_is_removed(folder):
    left = folder / "out/.imdb-rnn/unfinished/x/.a.csv-1-x/a.csv"
    left.parent.mkdir(parents=True)
    left.write_text("half")
    with parts.scratch_folder(folder / "out") as scratch:
        assert scratch.is_dir()
        assert not left.exists()
    assert list((folder / "out/.imdb-rnn").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(folder):
    with pytest.raises(UserError, match=r"notes\.txt/out cannot be written to \(Not a directory\)"):
        parts.scratch_folder(folder / "in/notes.txt/out").__enter__()
