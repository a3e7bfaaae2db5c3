"""User-supplied reviews, from a table to predictions by the stages' own functions; and tables that DVC keeps."""

import csv
import os
import re
import shutil
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from material import ROOT, changed, contents, write_params
from own_reviews import LONG, write_table
from project import Project, environment

from imdb_rnn.core import files
from imdb_rnn.core.params import parse_params
from imdb_rnn.text.sources import bundled
from stages import baseline, check, download, evaluate, export, folds, pad, report, train

pytestmark = pytest.mark.slow


def test_the_command_predicts_for_a_table_what_evaluate_predicted(params, tmp_path):
    """250 reviews of each label, alternating; the last fifth of each label is the test set."""
    reviews = bundled.read_table(bundled.find_file())
    halves = [reviews[reviews["label"] == label].iloc[:250].reset_index() for label in (0, 1)]
    reviews = pd.concat(halves).sort_index(kind="stable")[["text", "label"]]
    names = np.array(["bad", "good"])
    write_table(tmp_path, reviews.assign(label=names[reviews["label"]]).to_numpy().tolist())
    shutil.copytree(ROOT / "results/experiments", tmp_path / "results/experiments")
    settings = changed(
        params,
        data={"source": "own"},
        pad={"vocab_size": 2000, "maxlen": 100},
        model={"units": 8, "embedding_dim": 8, "cell": "gru", "ngrams": 2},
        train={"epochs": 2, "folds": 2},
    )
    for stage in (check, download, pad, baseline, folds, train, evaluate, report, export):
        stage.main(settings, tmp_path)
    card = (tmp_path / files.EXPORT / "model_card.md").read_text(encoding="utf-8")
    assert "good" in card
    assert "reviews from data/own" in card

    tested = reviews.groupby("label").tail(50).sort_index(kind="stable")
    tested.to_csv(tmp_path / "test.csv", index=False, quoting=csv.QUOTE_ALL)
    command = ["-m", "imdb_rnn", "predict", "--table", "test.csv", "--out", "out.csv"]
    subprocess.run([sys.executable, *command], check=True, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)})
    scored, predicted = pd.read_csv(tmp_path / "out.csv"), pd.read_csv(tmp_path / files.PREDICTIONS)
    np.testing.assert_allclose(scored["predicted_probability"], predicted["probability"], rtol=0, atol=1e-6)
    assert scored["label"].tolist() == tested["label"].tolist() == predicted["label"].tolist()
    assert scored["text"].tolist() == tested["text"].tolist()
    assert scored["predicted_label"].tolist() == names[predicted["predicted"]].tolist()


@pytest.fixture(scope="module")
def first(fresh, tmp_path_factory) -> Project:
    """A table and a folder of tables of one person, added to DVC, read, and pushed to a remote."""
    place = tmp_path_factory.mktemp("first")
    first = Project(place / "project", environment(place))
    shutil.copytree(fresh.folder, first.folder)
    params = parse_params((first.folder / "params.yaml").read_text())
    write_params(first.folder, changed(params, data={"source": "own"}))
    write_table(first.folder, LONG, name="mine.csv")
    (first.folder / "data/own/more").mkdir()
    write_table(first.folder, [[f"{text} too", label] for text, label in LONG], name="more/theirs.csv")
    first.run("dvc", "add", "data/own/mine.csv", "data/own/more")
    first.run("dvc", "remote", "add", "--default", "team", str(place / "remote"))
    assert "26 training and 6 test reviews" in first.run("dvc", "repro", "download")
    first.run("dvc", "push")
    first.commit()
    return first


def test_a_table_that_is_not_pulled_stops_everything_and_is_there_after_a_pull(first, tmp_path):
    second = Project(tmp_path / "clone", environment(tmp_path))
    first.run("git", "clone", "--quiet", ".", str(second.folder))
    for command in (["repro"], ["repro", "--pull", "--allow-missing"]):
        printed = second.run("dvc", *command, "download", status=255)
        assert re.search(r"data/own/m(ine\.csv|ore)", printed)
        assert "Running stage 'download'" not in printed
    assert re.search(r"^error: .*data/own/m(ine\.csv|ore) .*`dvc pull", printed, re.M)
    assert second.run("git", "status", "--porcelain") == ""

    second.run("dvc", "pull", "data/own/mine.csv", "data/own/more")
    assert "Running stage" not in second.run("dvc", "repro", "--pull", "download")
    assert contents(second.folder / "data/reviews") == contents(first.folder / "data/reviews")

    (second.folder / "data/own/mine.csv").unlink()
    assert "data/own/mine.csv" in second.run("dvc", "repro", "download", status=255)
    assert (second.folder / "data/reviews/vocabulary.txt").exists()


def test_experiments_elsewhere_read_the_tables_that_dvc_keeps(first):
    """From the queue, and in a folder of their own; a table that git and DVC do not know is not there."""
    run = ("dvc", "exp", "run", "--set-param")
    first.run(*run, "data.own.test_fraction=0.5", "--queue", "--name", "half", "download")
    write_table(first.folder, LONG, name="unknown.csv")
    printed = first.run(*run, "data.own.path=data/own/unknown.csv", "--temp", "download", status=255)
    assert re.search(r"^error: .*data/own/unknown\.csv", printed, re.M)
    (first.folder / "data/own/unknown.csv").unlink()

    first.run("dvc", "queue", "start")
    while "Running" in (status := first.run("dvc", "queue", "status")) or "Queued" in status:
        time.sleep(1)
    assert "16 training and 16 test reviews" in first.run("dvc", "queue", "logs", "half")
