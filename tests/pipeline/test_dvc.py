"""What `dvc.yaml` promises, shown by running DVC: what runs when, what is restored, and every daily command."""

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


def test_a_run_leaves_metrics_tables_and_figures(finished):
    results = finished.folder / "results"
    metrics = json.loads((results / "metrics.json").read_text())
    assert set(metrics) == {"best_epoch", "test", "validation"}
    for part in ("test", "validation"):
        rest = {"precision", "recall", "f1", "roc_auc"}
        assert set(metrics[part]) == {"loss", "accuracy", "balanced_accuracy", *rest}
        assert all(0 <= value <= 1 for name, value in metrics[part].items() if name != "loss")

    history = pd.read_csv(results / "history.csv")
    assert list(history.columns) == ["epoch", "loss", "accuracy", "val_loss", "val_accuracy"]
    assert metrics["validation"]["loss"] == pytest.approx(history["val_loss"].min(), abs=1e-4)

    predictions = pd.read_csv(results / "predictions.csv")
    assert len(predictions) == 200
    assert metrics["test"]["accuracy"] == pytest.approx((predictions["label"] == predictions["predicted"]).mean())
    confusion = pd.read_csv(results / "confusion.csv")
    right = confusion["label"] == confusion["predicted"]
    assert confusion.loc[right, "n_reviews"].sum() / 200 == pytest.approx(metrics["test"]["accuracy"])

    names = ("training", "confusion", "roc", "precision_recall", "lengths")
    figures = contents(results / "figures")
    assert sorted(figures) == sorted(f"{name}.{kind}" for name in names for kind in ("png", "svg"))
    assert all(content.startswith((b"\x89PNG", b"<?xml")) for content in figures.values())


def test_a_second_run_does_nothing(project):
    assert project.repro() == []
    assert project.run("git", "status", "--porcelain") == ""
    assert project.run("dvc", "status").strip() == "Data and pipelines are up to date."


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


def edit(project: Project, path: str, old: str, new: str) -> None:
    source = (project.folder / path).read_text(encoding="utf-8")
    assert old in source
    (project.folder / path).write_text(source.replace(old, new, 1), encoding="utf-8")


def test_an_edit_of_a_comment_or_a_message_runs_the_check_alone(project):
    edit(project, "imdb_rnn/engine/kernels/recurrence.py", '"""', '"""In other words: ')
    edit(project, "imdb_rnn/text/tables.py", 'UserError(f"', 'UserError(f"sorry, ')
    edit(project, "stages/train.py", "    ", "    # a comment\n\n    ")
    edit(project, "imdb_rnn/core/params.py", "\n", "\r\n")
    assert project.repro() == ["check"]


def test_an_edit_of_code_runs_the_stages_that_consist_of_it(project):
    for path, edited in {
        "imdb_rnn/text/tables.py": {"download"},
        "imdb_rnn/engine/kernels/recurrence.py": {"train", "evaluate", "explain", "report", "export"},
        "imdb_rnn/reporting/page/page.css": {"report"},
        "experiments/compare/train.py": set(),
    }.items():
        before = (project.folder / path).read_bytes()
        (project.folder / path).write_bytes(before + b"\nx = 1\n")
        project.run("dvc", "repro", "check")
        status = json.loads(project.run("dvc", "status", "--json"))
        assert {name for name, changes in status.items() if "data/code" in str(changes)} == edited
        (project.folder / path).write_bytes(before)


def test_a_source_that_is_not_used_need_not_be_there(project):
    (project.folder / "data/own/note.txt").write_text("a note")
    assert project.run("dvc", "status").strip() == "Data and pipelines are up to date."
    shutil.rmtree(project.folder / "data/own")
    assert project.repro() == []


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


def test_the_daily_commands(project):
    accuracy = json.loads((project.folder / "results/metrics.json").read_text())["test"]["accuracy"]

    shown = json.loads(project.run("dvc", "metrics", "show", "--json"))
    assert shown[""]["data"]["results/metrics.json"]["data"]["test"]["accuracy"] == accuracy
    assert "test.accuracy" in project.run("dvc", "metrics", "show")

    graph = project.run("dvc", "dag", "--mermaid")
    assert all(stage in graph for stage in ("download", "pad", "train", "evaluate", "plot"))

    changes = ["--set-param", "train.batch_size=32", "--set-param", "train.validation=test"]
    printed = project.run("dvc", "exp", "run", "--name", "small-batches", *changes, "evaluate")
    assert "Running stage 'train'" in printed
    assert "Running stage 'pad'" not in printed
    assert_the_article_s_own_protocol(project, printed)

    difference = project.run("dvc", "params", "diff")
    assert ["train.batch_size", "64", "32"] in [line.split()[1:4] for line in difference.splitlines()]
    difference = json.loads(project.run("dvc", "metrics", "diff", "--json"))
    assert difference["results/metrics.json"]["test.accuracy"]["old"] == accuracy

    experiments = project.run("dvc", "exp", "show", "--csv")
    assert "small-batches" in experiments
    assert "test.accuracy" in experiments.splitlines()[0]

    project.run("dvc", "plots", "show", "--out", "plots")
    page = (project.folder / "plots/index.html").read_text(encoding="utf-8")
    for title in ("Loss", "Accuracy", "ROC curve", "Precision-recall curve", "Confusion matrix"):
        assert title in page
    for figure in ("training", "confusion", "roc", "precision_recall", "lengths"):
        assert f"figures_{figure}.png" in page
    assert len(list((project.folder / "plots/static").iterdir())) == 5


def assert_the_article_s_own_protocol(project, printed):
    """Test reviews as validation: the last epoch is kept, and its validation numbers are the test's."""
    metrics = json.loads((project.folder / "results/metrics.json").read_text())
    history = pd.read_csv(project.folder / "results/history.csv")
    assert set(metrics) == {"best_epoch", "test"}
    assert metrics["best_epoch"] == 2
    assert metrics["test"]["accuracy"] == pytest.approx(history["val_accuracy"].iloc[-1], abs=1e-5)
    assert metrics["test"]["loss"] == pytest.approx(history["val_loss"].iloc[-1], abs=1e-4)
    assert f"测试准确率: {metrics['test']['accuracy']:.4f}" in printed
    assert f"Test accuracy: {metrics['test']['accuracy']:.4f}" in printed


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


def test_a_vocabulary_cut_short_is_named(project):
    (project.folder / "data/reviews/vocabulary.txt").write_text("the\nand\n")
    printed = project.run("python", "-m", "stages", "train", status=1)
    assert "vocabulary.txt is damaged (it has only 2 words)" in printed
    assert "Traceback" not in printed


def test_ctrl_c_stops_the_pipeline_and_the_next_run_finishes_it(project):
    def noted() -> dict:
        stages = yaml.safe_load((project.folder / "dvc.lock").read_text())["stages"]
        return {name: stage for name, stage in stages.items() if name != "check"}  # which was run, and ended

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


def test_a_preset_is_written_and_shown(project):
    project.run("python", "-m", "tools.preset", "quick")
    difference = project.run("dvc", "params", "diff")
    assert "train.epochs" in difference
    assert project.run("python", "-m", "tools.preset", "none", status=1).startswith("error: there is no preset 'none'")
