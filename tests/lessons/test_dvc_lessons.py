"""The lessons on DVC: every command, in their order, gives what they show; `...` is what they leave out."""

import doctest
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from material import ROOT
from project import Project, copy_checkout, environment, share_machine_code

LESSONS = sorted((ROOT / "lessons").glob("dvc-??-*[a-z].md"))
CONSOLE = re.compile(r"^```console\n(.*?)^```", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"^\$ (.*(?:\n>.*)*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.fixture
def project(tmp_path) -> Project:
    """The project as it stands here, committed, with its results in git."""
    project = Project(tmp_path / "imdb-rnn", environment(tmp_path))
    copy_checkout(project.folder)
    for name in ("dvc.lock", "results/metrics.json"):
        shutil.copy2(ROOT / name, project.folder / name)
    project.run("git", "init", "--quiet", "--initial-branch", "main")
    project.commit()
    return project


@pytest.mark.slow
def test_every_command_gives_what_the_lessons_say(project, tmp_path):
    folder, here, wrong = project.folder, tmp_path / "here", []
    assert len(LESSONS) == 10
    for lesson in LESSONS:
        commands = [command for block in CONSOLE.findall(lesson.read_text()) for command in COMMAND.findall(block)]
        assert commands, lesson
        for command, shown in commands:
            script = re.sub(r"^> ?", "", command, flags=re.MULTILINE) + f"\npwd > {here}"
            printed = subprocess.run(
                ["bash", "-c", script],
                cwd=folder,
                env=project.env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                timeout=120,
            ).stdout
            folder = Path(here.read_text().strip())
            if command.startswith("git clone"):
                share_machine_code(ROOT, folder)
            if not doctest.OutputChecker().check_output(shown, printed, FLAGS):
                wrong.append(f"{lesson.name}: $ {command}\nshould print\n{shown}but prints\n{printed}")
    assert not wrong, "\n".join(wrong)
