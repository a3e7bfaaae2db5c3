"""What `dvc.yaml` promises, shown by running DVC: what runs when, and what is restored."""

import json
import os
import re
import shutil
import signal
import subprocess
import time

import pandas as pd
import pytest
import yaml
from material import changed, contents, write_params
from project import Project

from imdb_rnn.core.params import parse_params

pytestmark = pytest.mark.slow


def set_param(project: Project, **sections) -> None:
    params = parse_params((project.folder / "params.yaml").read_text())
    write_params(project.folder, changed(params, **sections))


def test_the_results_of_a_run_agree(finished):
    results = finished.folder / "results"
    metrics = json.loads((results / "metrics.json").read_text())
    history, predictions, confusion = (
        pd.read_csv(results / f"{name}.csv") for name in ("history", "predictions", "confusion")
    )
    shown = json.loads(finished.run("dvc", "metrics", "show", "--json"))
    assert shown[""]["data"]["results/metrics.json"]["data"]["test"] == metrics["test"]
    assert metrics["validation"]["loss"] == pytest.approx(history["val_loss"].min(), abs=1e-4)
    assert metrics["test"]["accuracy"] == pytest.approx((predictions["label"] == predictions["predicted"]).mean())
    diagonal = confusion.loc[confusion["label"] == confusion["predicted"], "n_reviews"]
    assert metrics["test"]["accuracy"] == pytest.approx(diagonal.sum() / len(predictions))
    figures = contents(results / "figures")
    assert len(figures) == 10
    assert all(content.startswith((b"\x89PNG", b"<?xml")) for content in figures.values())


@pytest.mark.parametrize(
    ("change", "runs"),
    [
        ({"plots": {"language": "zh"}}, ["check", "plot", "export"]),
        ({"data": {"bundled": {"test_fraction": 0.3}}}, ["check"]),  # a parameter of another source
    ],
    ids=["language", "another source"],
)
def test_a_change_runs_what_depends_on_it_and_a_change_back_restores(project, change, runs):
    before = contents(project.folder / "results")
    set_param(project, **change)
    assert project.repro() == runs
    assert (contents(project.folder / "results") != before) == (len(runs) > 1)
    project.commit()

    project.run("git", "checkout", "--quiet", "HEAD~1", "--", "params.yaml")
    assert project.repro() == []  # all from the run-cache
    assert contents(project.folder / "results") == before
    project.run("git", "checkout", "--quiet", "HEAD~1", "--", "dvc.lock", "results/metrics.json")
    assert project.run("dvc", "status").strip() == "Data and pipelines are up to date."


def test_an_edit_of_a_comment_or_a_message_runs_the_check_alone(project):
    for path, old, new in (
        ("imdb_rnn/engine/kernels/recurrence.py", '"""', '"""In other words: '),
        ("imdb_rnn/text/tables/source.py", 'UserError(f"', 'UserError(f"sorry, '),
        ("imdb_rnn/core/params.py", "\n", "\r\n"),
        ("stages/train.py", "    ", "    # a comment\n\n    "),
    ):
        source = (project.folder / path).read_text(encoding="utf-8")
        assert old in source
        (project.folder / path).write_text(source.replace(old, new, 1), encoding="utf-8")
    assert project.repro() == ["check"]


@pytest.mark.parametrize(
    ("path", "runs", "spares"),
    [
        ("imdb_rnn/text/tables/source.py", {"download"}, {"pad", "train", "evaluate"}),
        ("imdb_rnn/engine/kernels/recurrence.py", {"train", "evaluate"}, {"download", "pad", "baseline"}),
        ("imdb_rnn/reporting/page/page.css", {"report"}, {"train", "evaluate", "plot", "export"}),
    ],
)
def test_an_edit_of_code_runs_the_stages_that_consist_of_it(project, path, runs, spares):
    with (project.folder / path).open("a") as file:
        file.write("\nx = 1\n")
    project.run("dvc", "repro", "check")
    status = json.loads(project.run("dvc", "status", "--json"))
    edited = {name for name, changes in status.items() if "data/code" in str(changes)}
    assert runs <= edited
    assert not spares & edited


def test_a_second_run_does_nothing_and_other_sources_need_not_be_there(project):
    (project.folder / "data/own/note.txt").write_text("a note")
    assert project.run("dvc", "status").strip() == "Data and pipelines are up to date."
    shutil.rmtree(project.folder / "data/own")
    assert project.repro() == []
    assert project.run("git", "status", "--porcelain", "--", ":!data/own") == ""


def test_own_reviews_that_are_not_there_cost_no_results(project):
    set_param(project, data={"source": "own", "own": {"path": "data/own/none.csv"}})
    printed = project.run("dvc", "repro", status=255)
    assert re.search(r"^error: .*data/own/none\.csv.*$", printed, re.M)
    assert (project.folder / "data/reviews/vocabulary.txt").exists()


def test_one_stage_is_an_experiment_in_a_clone_without_results(project, tmp_path):
    clone = Project(tmp_path / "clone", project.env)
    project.run("git", "clone", "--quiet", ".", str(clone.folder))
    printed = clone.run("dvc", "exp", "run", "--name", "short", "--set-param", "pad.maxlen=30", "pad")
    assert "Ran experiment(s): short" in printed
    assert (clone.folder / "data/padded").exists()


def test_the_article_s_own_protocol(project):
    """Test reviews as validation: the last epoch is kept, and its validation numbers are the test's."""
    set_param(project, train={"batch_size": 32, "validation": "test"})
    printed = project.run("dvc", "repro", "evaluate")
    assert "Running stage 'train'" in printed
    assert not any(f"Running stage '{spared}'" in printed for spared in ("pad", "baseline"))
    metrics = json.loads((project.folder / "results/metrics.json").read_text())
    history = pd.read_csv(project.folder / "results/history.csv")
    assert "validation" not in metrics
    assert metrics["best_epoch"] == 2
    assert metrics["test"]["accuracy"] == pytest.approx(history["val_accuracy"].iloc[-1], abs=1e-5)
    assert metrics["test"]["loss"] == pytest.approx(history["val_loss"].iloc[-1], abs=1e-4)
    accuracies = [metrics["test"]["accuracy"], metrics["baseline"]["accuracy"], metrics["chance"]]
    assert "测试准确率: {:.4f}；线性模型: {:.4f}；全猜多数类: {:.4f}".format(*accuracies) in printed
    assert "Test accuracy: {:.4f}; a linear model: {:.4f}; chance: {:.4f}".format(*accuracies) in printed


def test_a_mistyped_parameter_costs_no_results(project):
    def files() -> dict[str, bytes]:
        return {name: data for part in ("data", "results") for name, data in contents(project.folder / part).items()}

    before = files()
    printed = project.run("dvc", "exp", "run", "--set-param", "train.epochs=abc", status=255)
    assert re.search(r"^error: params\.yaml: train\.epochs is 'abc', .*should be a valid integer$", printed, re.M)
    assert "Traceback" not in printed
    assert files() == {name: data for name, data in before.items() if not name.startswith("code/")}
    project.run("git", "checkout", "--quiet", "params.yaml")
    assert project.repro() == []


def test_ctrl_c_stops_the_pipeline_and_the_next_run_finishes_it(project):
    def noted() -> dict:
        stages = yaml.safe_load((project.folder / "dvc.lock").read_text())["stages"]
        return {name: stage for name, stage in stages.items() if name not in ("check", "folds")}  # which ran, and ended

    before = noted()
    set_param(project, train={"epochs": 1000})
    process = subprocess.Popen(
        ["dvc", "repro"],
        cwd=project.folder,
        env=project.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        # Where the tests run in the background, Ctrl-C may be ignored, and that would be handed on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        for line in process.stdout:
            if line.startswith("epoch 2/"):
                break
        os.killpg(process.pid, signal.SIGINT)
        start = time.monotonic()
        printed, _ = process.communicate(timeout=60)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode != 0
    assert time.monotonic() - start < 30
    assert "interrupted: run the same command again" in printed
    assert "the next run resumes in epoch" in printed
    assert "Traceback" not in printed
    assert noted() == before
    project.run("git", "checkout", "--quiet", "params.yaml")
    assert project.repro() == []
    assert project.run("git", "status", "--porcelain") == ""
