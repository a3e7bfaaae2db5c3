"""The checks in `.github/workflows/`: what they run exists, and a stranger's change gets no rights from them."""

import re
import subprocess

import pytest
import yaml
from material import ROOT
from project import environment

from imdb_rnn.core.files import REPORT

WORKFLOWS = ROOT / ".github/workflows"
TARGETS = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
each_workflow = pytest.mark.parametrize("path", sorted(WORKFLOWS.glob("*.yml")), ids=lambda path: path.name)


def jobs(path) -> list[dict]:
    return list(yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values())


@each_workflow
def test_it_runs_targets_that_exist(path):
    commands = [step.get("run", "") for job in jobs(path) for step in job["steps"]]
    targets = {command.split()[1] for command in commands if command.startswith("make ")}
    assert targets
    assert targets <= TARGETS


@each_workflow
def test_actions_are_named_by_their_commit_and_version(path):
    used = re.findall(r"uses: (.*)", path.read_text(encoding="utf-8"))
    assert used
    for action in used:
        assert re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


@each_workflow
def test_a_change_gets_no_secret_and_may_write_nothing(path):
    """A job that may write takes no code of the change, and nobody's text becomes a part of a command."""
    text = path.read_text(encoding="utf-8")
    assert "pull_request_target" not in text
    assert "secrets." not in text
    assert yaml.safe_load(text)["permissions"] == {"contents": "read"}
    for job in jobs(path):
        checkouts = [step for step in job["steps"] if "actions/checkout@" in step.get("uses", "")]
        assert bool(checkouts) != ("permissions" in job)
        assert all(step["with"]["persist-credentials"] is False for step in checkouts)
        assert not any("${{" in step.get("run", "") for step in job["steps"])


def test_the_page_on_the_web_is_the_report_of_main():
    path = WORKFLOWS / "pages.yml"
    build, deploy = jobs(path)
    assert yaml.safe_load(path.read_text(encoding="utf-8"))[True] == {"push": {"branches": ["main"]}}  # True: "on"
    assert build["if"] == "github.event.repository.has_pages"
    upload = build["steps"][-1]
    assert "upload-pages-artifact" in upload["uses"]
    assert upload["with"]["path"] == str(REPORT)
    assert deploy["needs"] == "build"
    assert deploy["permissions"] == {"pages": "write", "id-token": "write"}


@pytest.mark.slow
def test_the_pictures_of_a_comment_are_pushed_and_named(tmp_path):
    (tmp_path / "report/figures").mkdir(parents=True)
    (tmp_path / "report/figures/roc.png").write_bytes(b"a picture")
    (tmp_path / "report/comment.md").write_text("![roc](figures/roc.png)\n")
    hub, env = tmp_path / "hub.git", environment(tmp_path)
    subprocess.run(["git", "init", "--quiet", "--bare", hub], env=env, check=True)
    instead = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"url.{hub}.insteadOf"}
    instead["GIT_CONFIG_VALUE_0"] = "https://x-access-token:T@github.com/ann/copy"
    place = {"GITHUB_REPOSITORY": "ann/copy", "GITHUB_SERVER_URL": "https://github.com"}
    _, comment = jobs(WORKFLOWS / "pull_request.yml")
    (script,) = [step["run"] for step in comment["steps"] if "refs/figures" in step.get("run", "")]
    env |= instead | place | {"GH_TOKEN": "T", "NUMBER": "7"}
    subprocess.run(["bash", "-e", "-c", script], cwd=tmp_path, env=env, check=True)
    shown = subprocess.run(["git", "show", "refs/figures/7:roc.png"], cwd=hub, env=env, check=True, capture_output=True)
    assert shown.stdout == b"a picture"
    commit = (hub / "refs/figures/7").read_text().strip()
    said = f"![roc](https://github.com/ann/copy/blob/{commit}/roc.png?raw=true)\n"
    assert (tmp_path / "report/comment.md").read_text() == said
