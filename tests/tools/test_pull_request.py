import json
import sys

import pytest
import yaml
from material import ROOT
from project import Project, environment

from imdb_rnn.evaluation.results import Metrics
from tools.pull_request import code, falls

HOSTILE = "a|b `` @everyone <img src=x>\n# title ![x](https://example.org)"


def metrics(**scores: float) -> dict:
    """Metrics of which each score has an interval of 0.02 to both sides."""
    scores = {"accuracy": 0.9, "loss": 0.3, "precision": 0.9} | scores
    return {
        "best_epoch": 1,
        "test": scores,
        "test_intervals": {name: [score - 0.02, score + 0.02] for name, score in scores.items()} | {"ece": None},
        "baseline": scores,
        "chance": 0.5,
        "above_baseline": 0.0,
        "above_baseline_interval": [-0.1, 0.1],
    }


@pytest.mark.parametrize(
    ("scores", "fallen"),
    [
        ({}, []),
        ({"accuracy": 0.875, "loss": 0.325}, []),
        ({"accuracy": 0.865}, ["accuracy is 0.8650, and was 0.9000 (0.8800 to 0.9200)"]),
        ({"loss": 0.335}, ["loss is 0.3350, and was 0.3000 (0.2800 to 0.3200)"]),
        ({"accuracy": 0.99, "loss": 0.1}, []),
        ({"precision": 0.5}, []),
        ({"macro_f1": 0.1}, []),  # which it had not
    ],
    ids=str,
)
def test_a_score_may_fall_so_far_beyond_its_interval(scores, fallen):
    old, new = (Metrics.model_validate(values) for values in (metrics(), metrics(**scores)))
    assert list(falls(old, new, 0.01)) == fallen


def test_a_value_is_code_whatever_is_in_it():
    assert code("x") == "` x `"
    assert code("a|b") == r"` a\|b `"
    assert code("`` ` \n|") == r"``` `` ` \| ```"
    assert code("\u202eevil\0") == "` evil `"
    assert code("x" * 100) == f"` {'x' * 79}… `"


PIPELINE = """\
stages:
  download: {cmd: cp params.yaml reviews, deps: [params.yaml], outs: [reviews]}
metrics: [results/metrics.json]
params: [params.yaml]
"""


@pytest.fixture
def change(tmp_path) -> Project:
    """A repository with DVC, whose HEAD has results, and a change of two parameters that is run and not committed."""
    project = Project(tmp_path / "project", environment(tmp_path))
    (project.folder / "results/figures").mkdir(parents=True)
    (project.folder / "results/figures/roc.png").write_bytes(b"a picture")
    (project.folder / "dvc.yaml").write_text(PIPELINE)
    project.run("git", "init", "--quiet")
    project.run("dvc", "init", "--quiet")
    run(project, {"train": {"epochs": 3}, "data": {"label": "good"}}, metrics())
    project.commit()
    run(project, {"train": {"epochs": 9}, "data": {"label": HOSTILE}}, metrics(accuracy=0.865))
    return project


def run(project: Project, params: dict, measured: dict) -> None:
    (project.folder / "params.yaml").write_text(yaml.safe_dump(params))
    (project.folder / "results/metrics.json").write_text(json.dumps(measured))
    project.run("dvc", "repro", "--quiet")


def ask(project: Project, fall: str, status: int) -> str:
    """Run the script as CI does, and return the comment."""
    command = [sys.executable, "-m", "tools.pull_request", "HEAD", fall]
    project.run(*command, status=status, PYTHONPATH=str(ROOT))
    return (project.folder / "report/comment.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_comment_shows_what_a_change_does_and_the_gate_is_closed(change):
    text = ask(change, "0.01", 1)
    assert "- accuracy is 0.8650, and was 0.9000 (0.8800 to 0.9200)\n" in text
    assert "| ` train.epochs ` | ` 3 ` | ` 9 ` | ` 6 ` |\n" in text
    assert "| ` test.accuracy ` | ` 0.9 ` | ` 0.865 ` | ` -0.035 ` |\n" in text
    assert r"``` a\|b `` @everyone <img src=x> # title ![x](https://example.org) ```" in text
    assert "The reviews have changed" in text
    assert "`dvc.lock` is of another run, from `download` on" in text
    assert text.endswith("\n![roc](figures/roc.png)\n")
    assert (change.folder / "report/figures/roc.png").read_bytes() == b"a picture"
    assert "**No test score fell" in ask(change, "0.02", 1), "what is committed is of another run"
    change.commit()
    text = ask(change, "0.02", 0)
    assert "**No test score fell by more than 0.02 beyond its interval.**" in text
    assert "another run" not in text


@pytest.mark.slow
def test_a_first_run_has_nothing_to_be_compared_with(change):
    change.run("git", "rm", "--quiet", "--cached", "results/metrics.json", "dvc.lock")
    change.run("git", "commit", "--quiet", "--message", "No results")
    assert "has no results to compare with" in ask(change, "0.01", 0)


@pytest.mark.slow
def test_a_commit_that_does_not_exist_is_said(change):
    command = [sys.executable, "-m", "tools.pull_request", "nowhere", "0.01"]
    printed = change.run(*command, status=1, PYTHONPATH=str(ROOT))
    assert printed.splitlines()[-1] == "error: `dvc metrics diff nowhere` failed; see its output above"
