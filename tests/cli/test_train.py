"""From a table to a model and its report, without DVC and with it: the same bytes."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest
from material import ROOT, contents
from own_reviews import LONG, write_table
from project import Project, environment

from imdb_rnn import load
from imdb_rnn.cli import train
from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import parse_params

SMALL = ("model.units=4", "model.embedding_dim=4", "pad.maxlen=20", "train.epochs=2", "train.seed=7")
NOT_NEEDED = ("dvc", "jax", "keras", "matplotlib", "onnx", "pooch", "requests", "tensorflow")
FILES = ["model.safetensors", "model_card.md", "params.yaml", "predictions.csv", "report.html", "suspects.csv"]


@pytest.fixture
def table(tmp_path, monkeypatch) -> Path:
    """A table in the current folder: 48 reviews of two labels."""
    monkeypatch.chdir(tmp_path)
    rows = [[f"{text} and {more}", label] for text, label in LONG for more in ("so on", "more", "that is all")]
    write_table(tmp_path, rows, name="mine.csv")
    shutil.move(tmp_path / "data/own/mine.csv", tmp_path / "mine.csv")
    shutil.rmtree(tmp_path / "data")
    return Path("mine.csv")


def start(table: Path, out: str) -> subprocess.Popen:
    """Start the command where nothing is installed that training does not need."""
    code = f"import sys; sys.modules |= dict.fromkeys({NOT_NEEDED}); from imdb_rnn.cli.command import main; main()"
    changes = [word for change in SMALL for word in ("--set", change)]
    command = [sys.executable, "-c", code, "train", str(table), "--out", out, *changes]
    return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_killed_and_started_again_and_in_a_project_it_gives_the_same_bytes(table, tmp_path, capsys):
    train.train(table, changes=SMALL)
    made = contents(tmp_path / "mine-model")
    assert list(made) == FILES
    printed = capsys.readouterr().out
    assert re.search(r"^Test accuracy: \S+; a linear model: \S+; chance: 0\.5000$", printed, re.M)
    assert " training labels look wrong: mine-model/suspects.csv\n" in printed
    assert printed.splitlines()[-2:] == [
        "open mine-model/report.html in a browser",
        'ask the model: imdb-rnn predict --model mine-model/model.safetensors "a text"',
    ]

    killed = start(table, "again")
    while not list(tmp_path.glob("again/unfinished/data/checkpoints/*.npz")):
        assert killed.poll() is None
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert [path.name for path in (tmp_path / "again").iterdir()] == [train.UNFINISHED]
    resumed = start(table, "again")
    printed, _ = resumed.communicate()
    assert resumed.returncode == 0
    assert "Test accuracy: " in printed
    assert contents(tmp_path / "again") == made

    train.make_project(table, tmp_path / "project", SMALL)
    project = Project(tmp_path / "project", environment(tmp_path) | {"PYTHONPATH": str(ROOT)})
    assert len(project.repro()) == 10
    written = {name: (project.folder / path).read_bytes() for path, name in train.KEPT.items()}
    written[train.CARD] = (project.folder / "results/export/model_card.md").read_bytes()
    assert dict(sorted(written.items())) == made
    assert project.repro() == ["check"]
    assert "data/own/mine.csv.dvc" in project.run("git", "ls-files")
    assert "mine.csv\n" not in project.run("git", "ls-files")


@pytest.mark.slow
def test_it_goes_on_from_a_model(table, tmp_path):
    settings = (*SMALL, "train.folds=null", "train.epochs=1")
    train.train(table, Path("first"), settings)
    start = Path("first/model.safetensors")
    train.train(table, Path("second"), settings, start)
    first, second = (load(Path(folder, "model.safetensors")).weights for folder in ("first", "second"))
    assert (first.embeddings == second.embeddings).all(), "ppmi_svd does not change them"
    assert (first.head_kernel != second.head_kernel).all()
    train.make_project(table, Path("project"), settings, start)
    assert Path("project/data/start/model.safetensors.dvc").exists()
    with pytest.raises(UserError, match=r"model\.units is 5, but the model of train\.start_from has 4"):
        train.train(table, Path("third"), (*settings, "model.units=5"), start)
    with pytest.raises(UserError, match=r"^--start-from: none\.safetensors is missing"):
        train.train(table, Path("third"), settings, Path("none.safetensors"))


@pytest.mark.slow
def test_a_folder_of_few_texts_is_trained_on_without_folds(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for label in ("good", "bad"):
        (tmp_path / "reviews" / label).mkdir(parents=True)
        for number in range(3):
            (tmp_path / f"reviews/{label}/{number}.txt").write_text(f"a {label} film, number {number}")
    train.train(Path("reviews"), Path("out"), SMALL)
    assert "train.folds is null instead of 3, because a class has too few rows" in capsys.readouterr().out
    assert parse_params((tmp_path / "out/params.yaml").read_text(encoding="utf-8")).train.folds is None
    assert sorted(contents(tmp_path / "out")) == FILES
    train.train(Path("reviews"), Path("out"), SMALL)  # once more replaces it
    assert sorted(contents(tmp_path / "out")) == FILES


@pytest.mark.parametrize(
    ("content", "changes", "says"),
    [
        ("text,label\na film,1\nanother,1\n", (), r"^mine\.csv: all labels are 1; add reviews with another label$"),
        ("one,two\n" + "a film,b c\nno film,d e\n" * 9, (), r"--set data\.own\.label_column=NAME$"),
        (None, ("train.folds",), "it should be KEY=VALUE"),
        (None, ("train.fold=3",), r"train\.fold is not a parameter"),
        (None, ("train=[",), "not valid YAML"),
    ],
)
def test_what_cannot_be_trained_on_is_said_before_anything_is_written(table, tmp_path, content, changes, says):
    if content:
        table.write_text(content)
    with pytest.raises(UserError, match=says):
        train.train(table, changes=changes)
    assert [*contents(tmp_path)] == ["mine.csv"]


def test_a_folder_that_is_not_ours_stays_as_it_is(table, tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/mine.txt").touch()
    for out, says in (("notes", "holds other files"), ("mine.csv", "cannot be written"), (".", "holds other files")):
        with pytest.raises(UserError, match=says):
            train.train(table, Path(out), SMALL)
    for folder in (Path(), Path("notes")):
        with pytest.raises(UserError, match="is in the folder of the texts"):
            train.train(folder, Path("notes/model"))
    with pytest.raises(UserError, match="notes is not empty; name a new folder"):
        train.make_project(table, Path("notes"))
    assert [*contents(tmp_path)] == ["mine.csv", "notes/mine.txt"]


def test_two_do_not_work_in_one_folder(table):
    with train._working(Path("out")), pytest.raises(UserError, match="another `imdb-rnn train` works in out"):
        train.train(table, Path("out"))


@pytest.mark.parametrize(("missing", "says"), [("sklearn", r"needs sklearn; .*\[train\]"), ("dvc", "needs DVC")])
def test_a_package_that_is_missing_is_named(table, monkeypatch, missing, says):
    monkeypatch.setattr(train, "find_spec", lambda name: None if name == missing else find_spec(name))
    with pytest.raises(UserError, match=says):
        train.make_project(table, Path("project"))
