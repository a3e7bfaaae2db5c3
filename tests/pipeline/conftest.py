"""The project in which DVC runs for real: fresh, finished, and a copy for each test."""

import os
import shutil
import subprocess

import pytest
from material import ROOT, changed, write_params
from project import SMALL, TRACER, Project, environment


@pytest.fixture(scope="session")
def fresh(params, small_archive, tmp_path_factory) -> Project:
    """The project as it stands here, committed, with the parameters of a small run and no results."""
    place = tmp_path_factory.mktemp("fresh")
    project = Project(place / "project", environment(place))
    project.folder.mkdir()
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
        # The checkout may belong to another user, as in some containers.
        env=os.environ | {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"},
    ).stdout
    for name in listed.strip("\0").split("\0"):
        if (ROOT / name).is_file() and name not in ("dvc.lock", "results/metrics.json"):
            target = project.folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
    write_params(project.folder, changed(params, data=small_archive, **SMALL))
    project.run("git", "init", "--quiet")
    project.commit()
    return project


@pytest.fixture(scope="session")
def finished(fresh, tmp_path_factory) -> Project:
    """The same after one `dvc repro`, its results committed. `trace` beside it lists the files each stage opened."""
    place = tmp_path_factory.mktemp("finished")
    project = Project(place / "project", environment(place))
    shutil.copytree(fresh.folder, project.folder)
    (place / "tracer").mkdir()
    (place / "tracer/sitecustomize.py").write_text(TRACER)
    ran = project.repro(PYTHONPATH=str(place / "tracer"), TRACE=str(place / "trace"))
    assert ran == ["download", "pad", "train", "evaluate", "explain", "plot", "report"]
    project.commit()
    return project


@pytest.fixture
def project(finished, tmp_path) -> Project:
    """A copy of the finished project for one test to change."""
    project = Project(tmp_path / "project", environment(tmp_path))
    shutil.copytree(finished.folder, project.folder)
    return project
