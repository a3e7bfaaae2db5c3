"""Every stage is killed at random moments, DVC with it; one more run must end as if nothing had happened.

That run does what `make repro` does: `tools.repair`, since DVC may leave its own files half-written, then `dvc repro`.

KILLS says how many there are, over all stages; SEED draws the moments.
"""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import time

import pytest
import yaml
from material import ROOT, changed, write_params
from project import Project

from imdb_rnn.core.params import parse_params

STAGES = list(yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"])
KILLS, SEED = int(os.environ.get("KILLS", "8")), int(os.environ.get("SEED", "1"))


def forget(project: Project, stage: str) -> None:
    """Bring the project to where `stage` has never been run: no outs, no such run in the lock or DVC's cache."""
    lock_path = project.folder / "dvc.lock"
    lock = yaml.safe_load(lock_path.read_text(encoding="utf-8"))
    lock["stages"][stage]["cmd"] = "another"  # in its place, so that the entries keep their order
    for out in lock["stages"][stage]["outs"]:
        path = project.folder / out["path"]
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    lock_path.write_text(yaml.safe_dump(lock, sort_keys=False), encoding="utf-8")
    for run in list((project.folder / ".dvc/cache/runs").rglob("*")):
        if run.is_file() and f"stages {stage}\n" in run.read_text(encoding="utf-8"):
            shutil.rmtree(run.parent)  # an empty folder there DVC takes for a run


def kill_during(project: Project, command: list[str], seconds: float) -> bool:
    """Start a command, and kill it and all that it started after so many seconds; False if it had ended before."""
    process = subprocess.Popen(
        command,
        cwd=project.folder,
        env=project.env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        process.wait(timeout=seconds)
        return False
    except subprocess.TimeoutExpired:
        return True
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture(scope="module")
def durations(finished, tmp_path_factory) -> dict[str, float]:
    """How long `dvc repro STAGE` takes when only that stage is to be run, by stage; measured when first asked for."""

    class Measured(dict):
        def __missing__(self, stage):
            project = Project(tmp_path_factory.mktemp("measured") / "project", finished.env)
            shutil.copytree(finished.folder, project.folder)
            forget(project, stage)
            begun = time.monotonic()
            project.run("dvc", "repro", stage)
            self[stage] = time.monotonic() - begun
            return self[stage]

    return Measured()


@pytest.mark.parametrize("kill", range(KILLS))
def test_a_kill_loses_nothing(project, finished, durations, outcome, kill):
    stage, draw = STAGES[kill % len(STAGES)], random.Random(f"{SEED} {kill}")
    forget(project, stage)
    share = draw.uniform(0.05, 1)
    while not kill_during(project, ["dvc", "repro", stage], share * durations[stage]):
        share *= 0.8  # it was faster than before, so it is done; once more, and sooner
        forget(project, stage)
    repaired = project.run("python", "-m", "tools.repair").strip()
    project.run("dvc", "repro")
    for name in ("dvc.lock", "results/metrics.json", "results/sensitivity.json"):
        assert (project.folder / name).read_bytes() == (finished.folder / name).read_bytes(), name
    assert project.run("dvc", "status").strip() == "Data and pipelines are up to date."
    outcome(
        f"kill {kill + 1}: {stage} at {share:.0%} of its time",
        f"same bytes as undisturbed{repaired and f' ({repaired})'}",
    )


def test_training_that_is_killed_goes_on_from_its_checkpoint(project, outcome):
    """After an epoch, so that there is something to resume from."""
    params = parse_params((project.folder / "params.yaml").read_text(encoding="utf-8"))
    write_params(project.folder, changed(params, train={"epochs": 40}))
    process = subprocess.Popen(
        ["dvc", "repro", "train"],
        cwd=project.folder,
        env=project.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    for line in process.stdout:
        if line.startswith("epoch 3/"):
            break
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    project.run("python", "-m", "tools.repair")
    assert "resuming at epoch" in project.run("dvc", "repro", "train")
    went_on = (project.folder / "data/model.safetensors").read_bytes()
    shutil.rmtree(project.folder / "data/checkpoints")
    assert "resuming" not in project.run("dvc", "repro", "--force", "--single-item", "train")
    assert (project.folder / "data/model.safetensors").read_bytes() == went_on
    outcome("train killed after three epochs", "went on from its checkpoint, same bytes as undisturbed")


def test_a_kill_between_training_and_dvc_s_taking_it_over_costs_no_training(project, outcome):
    """The stage has ended, DVC has not noted its outs: they are removed and made again, from the checkpoint."""
    params = parse_params((project.folder / "params.yaml").read_text(encoding="utf-8"))
    write_params(project.folder, changed(params, train={"epochs": 3}))
    before = (project.folder / "dvc.lock").read_bytes()
    project.run("dvc", "repro", "train")
    trained = (project.folder / "data/model.safetensors").read_bytes()
    (project.folder / "dvc.lock").write_bytes(before)
    shutil.rmtree(project.folder / ".dvc/cache/runs")
    printed = project.run("dvc", "repro", "train")
    assert "Running stage 'train'" in printed
    assert "training already finished" in printed
    assert "epoch 1/3" not in printed
    assert (project.folder / "data/model.safetensors").read_bytes() == trained
    outcome("killed after training, before DVC noted it", "no epoch again, same bytes")
