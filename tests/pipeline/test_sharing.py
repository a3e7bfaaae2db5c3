"""What docs/sharing.md promises: people share a DVC remote, here a folder instead of a bucket, and a git server."""

import shutil
from pathlib import Path

import pytest
import yaml
from material import changed, contents, write_params
from project import Project, environment

from imdb_rnn.core.params import parse_params

pytestmark = pytest.mark.slow

UP_TO_DATE = "Data and pipelines are up to date."


@pytest.fixture(scope="module")
def hub(finished, tmp_path_factory) -> Path:
    """The git server's repository of a team whose first member has run the pipeline, added the remote and pushed."""
    place = tmp_path_factory.mktemp("first")
    first = Project(place / "project", environment(place))
    shutil.copytree(finished.folder, first.folder)
    first.run("dvc", "remote", "add", "--default", "team", str(place / "remote"))
    first.run("git", "commit", "--quiet", "--message", "Share results", ".dvc/config")
    first.run("dvc", "push", "--run-cache")
    first.run("git", "clone", "--quiet", "--bare", ".", str(place / "hub.git"))
    return place / "hub.git"


def clone(hub: Path, place: Path, branch: str = "HEAD") -> Project:
    """Another person's clone; only the machine code is there already, which takes long to make."""
    person = Project(place / "project", environment(place))
    person.folder.mkdir()
    person.run("git", "clone", "--quiet", str(hub), ".")
    person.run("git", "checkout", "--quiet", branch)
    shutil.copytree(hub.parent / "project/imdb_rnn", person.folder / "imdb_rnn", dirs_exist_ok=True)
    return person


def repro(person: Project) -> list[str]:
    """Run what is missing, with the team's results, and return the stages whose command was run."""
    printed = person.run("dvc", "repro", "--pull", "--allow-missing")
    return [line.split("'")[1] for line in printed.splitlines() if line.startswith("Running stage ")]


def set_param(person: Project, **sections) -> None:
    params = parse_params((person.folder / "params.yaml").read_text())
    write_params(person.folder, changed(params, **sections))


def locked(person: Project, stage: str) -> dict[str, str]:
    """The hash of each out of a stage, by its path."""
    lock = yaml.safe_load((person.folder / "dvc.lock").read_text())
    return {out["path"]: out["md5"] for out in lock["stages"][stage]["outs"]}


@pytest.fixture(scope="module")
def ann(hub, tmp_path_factory) -> tuple[Project, list[str]]:
    """Somebody who wanted the figures in Chinese and shared them on a branch, `ann`, and the stages that this ran."""
    person = clone(hub, tmp_path_factory.mktemp("ann"))
    set_param(person, plots={"language": "zh"})
    ran = repro(person)
    person.run("dvc", "push", "--run-cache")
    person.commit()
    person.run("git", "push", "--quiet", "origin", "HEAD:ann")
    return person, ran


def test_what_one_pushes_another_pulls_and_runs_nothing(finished, hub, tmp_path):
    second = clone(hub, tmp_path)
    second.run("dvc", "pull")
    for folder in ("data/code", "data/padded", "data/reviews", "results"):
        assert contents(second.folder / folder) == contents(finished.folder / folder)
    assert second.repro() == []
    assert second.run("git", "status", "--porcelain") == ""
    assert second.run("dvc", "status").strip() == UP_TO_DATE


def test_a_late_change_downloads_only_what_it_needs_and_nobody_else_runs_it(ann, hub, tmp_path):
    person, ran = ann
    assert ran == ["check", "plot", "export"]
    for present in ("data/reviews", "results/explanation", "results/figures"):
        assert (person.folder / present).exists()
    for absent in ("data/padded", "results/data_report.json", "results/report"):
        assert not (person.folder / absent).exists()

    second = clone(hub, tmp_path)
    set_param(second, plots={"language": "zh"})
    assert repro(second) == []
    assert contents(second.folder / "results/figures") == contents(person.folder / "results/figures")
    assert (second.folder / "dvc.lock").read_text() == (person.folder / "dvc.lock").read_text()


def test_two_people_s_locks_are_merged_by_running_what_neither_has_run(ann, hub, tmp_path):
    person, _ = ann
    ben = clone(hub, tmp_path / "ben")
    set_param(ben, explain={"reviews": 50})
    repro(ben)
    ben.commit()
    own = locked(ben, "evaluate")

    # git mixes no lines of two locks: it keeps one and asks (.gitattributes).
    assert "Merge conflict in dvc.lock" in ben.run("git", "pull", "--no-rebase", "origin", "ann", status=1)
    assert "<<<<<<<" not in (ben.folder / "dvc.lock").read_text()
    assert repro(ben) == ["check", "export"]  # the figures are Ann's, from the remote
    ben.commit()
    assert locked(ben, "plot") == locked(person, "plot")
    assert locked(ben, "evaluate") == own
    ben.run("dvc", "push", "--run-cache")
    ben.run("git", "push", "--quiet", "origin", "HEAD:both")

    third = clone(hub, tmp_path / "third", "both")
    third.run("dvc", "pull")
    assert third.run("dvc", "status").strip() == UP_TO_DATE
