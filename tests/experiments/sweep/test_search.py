"""The search itself, on a Ray cluster of this machine: it loses a machine and its driver, and ends with all trials."""

import json
import shutil
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

pytest.importorskip("ray")

from machines import NODE, machines
from material import changed, write_params
from project import Project, environment

from experiments.sweep import best, search
from experiments.sweep.plan import PLAN
from imdb_rnn.core import files
from imdb_rnn.core.params import load_params, parse_params
from imdb_rnn.core.presets import PRESETS_FILE, apply, preset
from imdb_rnn.reporting.sweep_results import read_sweep

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.xdist_group("finished")]

TRIALS = 16
SWEEP = {
    "space": {
        "model.cell": {"choice": ["simple_rnn", "gru"]},
        "model.units": {"integer": [4, 12]},
        "train.learning_rate": {"loguniform": [0.003, 0.03]},
        "train.weight_averaging": {"choice": [None, 0.9]},
    },
    "trials": TRIALS,
    "minutes": None,
    "seed": 3,
    "threads": 1,
    "epochs_at_least": 2,
    "keep_one_of": 3,
    "storage": None,
}


def states(project: Project) -> list[str]:
    """The status of each trial that Ray knows of."""
    found = sorted(project.folder.glob("experiments/sweep/state/*/experiment_state-*.json"))
    try:
        data = json.loads(found[-1].read_text())["trial_data"] if found else []
    except ValueError:  # Ray is writing it
        return []
    return [json.loads(trial[0])["status"] for trial in data]


def wait_for(condition, seconds: float, process: subprocess.Popen) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.2)


@pytest.fixture
def swept(finished, tmp_path) -> Project:
    project = Project(tmp_path / "project", environment(tmp_path))
    shutil.copytree(finished.folder, project.folder)
    params = load_params(project.folder)
    write_params(project.folder, changed(params, train={"epochs": 4}))
    (project.folder / PLAN).write_text(json.dumps(SWEEP))
    return project


def test_a_sweep_survives_the_loss_of_a_machine_and_of_its_driver(swept):
    folder = swept.folder
    with machines(2) as cluster:
        command = [sys.executable, "-m", "experiments.sweep.search"]
        environment = swept.env | {search.ADDRESS: cluster.address}

        def start() -> subprocess.Popen:
            return subprocess.Popen(
                command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )

        driver = start()
        wait_for(lambda: states(swept).count("TERMINATED") >= 3, 120, driver)
        cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False)
        wait_for(lambda: states(swept).count("TERMINATED") >= 6, 120, driver)
        driver.send_signal(signal.SIGKILL)
        driver.communicate()
        before = states(swept).count("TERMINATED")
        assert before < TRIALS
        cluster.add_node(**NODE)

        driver = start()
        printed, errors = driver.communicate(timeout=300)
        assert driver.returncode == 0, errors
        assert "resuming the sweep in" in printed
    trials = read_sweep(folder / files.SWEEP)
    assert {trial.trial for trial in trials} == set(range(1, TRIALS + 1))
    assert {trial.status for trial in trials} <= {"finished", "stopped"}
    assert {trial.epochs for trial in trials if trial.status == "finished"} == {4}

    # The best one, as a preset, is the pipeline's own result to the last digit
    first = trials[0]
    text = best.with_preset((folder / PRESETS_FILE).read_text(), best.with_values(load_params(folder), first.settings))
    (folder / "params.yaml").write_text(apply(preset(text, best.NAME), (folder / "params.yaml").read_text()))
    swept.run("dvc", "repro", "train")
    history = pd.read_csv(folder / "results/history.csv")
    kept = history[history["epoch"] == first.best_epoch].iloc[0]
    assert len(history) == first.epochs
    assert kept["val_loss"] == history["val_loss"].min() == first.val_loss
    assert kept["val_accuracy"] == first.val_accuracy


def test_a_trial_that_cannot_be_trained_is_in_the_table_with_its_error(swept):
    folder = swept.folder
    space = {"model.ngram_min_reviews": {"choice": [1, 1_000_000]}, "model.units": {"integer": [4, 8]}}
    (folder / PLAN).write_text(json.dumps(SWEEP | {"space": space, "trials": 4}))
    params = load_params(folder)
    write_params(folder, changed(params, model={"ngrams": 1}, train={"epochs": 1}))
    swept.run("python", "-m", "experiments.sweep.search")
    trials = read_sweep(folder / files.SWEEP)
    failed = [trial for trial in trials if trial.settings["model.ngram_min_reviews"] == 1_000_000]
    assert 0 < len(failed) < 4
    assert failed == [trial for trial in trials if trial.status == "failed"]
    assert all("no n-gram is in 1000000 training reviews" in trial.error for trial in failed)
    assert parse_params((folder / "params.yaml").read_text()).train.epochs == 1


def test_ctrl_c_ends_the_sweep_and_it_goes_on(swept):
    (swept.folder / PLAN).write_text(json.dumps(SWEEP | {"trials": 5}))
    before = (swept.folder / files.SWEEP).read_bytes()
    driver = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE],
        cwd=swept.folder,
        env=swept.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: "TERMINATED" in states(swept), 120, driver)
    driver.send_signal(signal.SIGINT)
    _, errors = driver.communicate(timeout=60)
    assert driver.returncode == 130
    assert "Traceback" not in errors
    assert (swept.folder / files.SWEEP).read_bytes() == before, "a sweep that was stopped has written its table"
    assert "resuming the sweep" in swept.run("python", "-m", "experiments.sweep.search")
    assert len(read_sweep(swept.folder / files.SWEEP)) == 5


# A shell without job control starts what runs in the background with SIGINT ignored
INTERRUPTIBLE = """
import signal
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)
from experiments.sweep.search import main
from imdb_rnn.core.errors import run_command
run_command(lambda: main(Path()))
"""
