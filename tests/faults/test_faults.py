"""Other faults than a kill. Each case ends with the bytes of an undisturbed run, or with one line and no loss.

DAMAGES says how many damaged files there are; SEED draws them.
"""

import os
import random
import shutil
import subprocess

import pytest
import yaml
from material import changed, contents, write_params
from project import Project, environment

from imdb_rnn.core.params import parse_params

DAMAGES, SEED = int(os.environ.get("DAMAGES", "4")), int(os.environ.get("SEED", "1"))
RESULTS = ("dvc.lock", "results/metrics.json", "results/sensitivity.json")


def check_undisturbed(project: Project, finished: Project) -> None:
    for name in RESULTS:
        assert (project.folder / name).read_bytes() == (finished.folder / name).read_bytes(), name
    assert project.run("dvc", "status").strip() == "Data and pipelines are up to date."


def set_param(project: Project, **sections) -> None:
    params = parse_params((project.folder / "params.yaml").read_text(encoding="utf-8"))
    write_params(project.folder, changed(params, **sections))


def one_line(printed: str) -> str:
    """The one line of an error, which must be all that a stage says of it."""
    errors = [line for line in printed.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, printed
    assert "Traceback" not in printed
    return errors[0]


def lock_entries(project: Project) -> dict:
    return yaml.safe_load((project.folder / "dvc.lock").read_text(encoding="utf-8"))["stages"]


@pytest.mark.parametrize("number", range(DAMAGES))
def test_a_damaged_file_is_made_anew(project, finished, outcome, number):
    draw = random.Random(f"{SEED} {number}")
    outs = [out["path"] for stage in lock_entries(project).values() for out in stage["outs"]]
    found = [
        path for out in outs for path in [project.folder / out, *(project.folder / out).rglob("*")] if path.is_file()
    ]
    path = draw.choice(found)
    content = bytearray(path.read_bytes())
    if draw.random() < 0.5:
        how, content = "truncated", content[: draw.randrange(len(content))]
    else:
        how, place = "a bit flipped", draw.randrange(len(content))
        content[place] ^= 1 << draw.randrange(8)
    path.write_bytes(content)
    project.run("dvc", "repro")
    check_undisturbed(project, finished)
    assert contents(project.folder / "data") == contents(finished.folder / "data")
    outcome(f"{path.relative_to(project.folder)} {how}", "same bytes as undisturbed")


@pytest.mark.parametrize(
    ("name", "reader"),
    [
        ("data/padded/x_train.npy", "train"),
        ("data/model.safetensors", "evaluate"),
        ("results/explanation/traces.json", "report"),
    ],
)
def test_a_stage_names_the_truncated_file_that_it_reads(project, outcome, name, reader):
    path = project.folder / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    before = contents(project.folder / "results")
    line = one_line(project.run("python", "-m", "stages", reader, status=1))
    assert f"{name} is damaged" in line
    assert "run `dvc repro" in line
    assert contents(project.folder / "results") == before
    outcome(f"{name} truncated, read by {reader}", "one line")


def start(project: Project, *command: str) -> subprocess.Popen:
    return subprocess.Popen(
        command, cwd=project.folder, env=project.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def read_until(process: subprocess.Popen, beginning: str) -> None:
    for line in process.stdout:
        if line.startswith(beginning):
            return
    raise AssertionError(f"it never printed {beginning!r}")


def test_params_edited_during_a_run(project, finished, outcome):
    """The run in progress may end as it likes; the next one ends as one that began with the new parameters."""
    expected = Project(project.folder.parent / "expected", project.env)
    shutil.copytree(project.folder, expected.folder)
    set_param(expected, model={"units": 5})
    expected.run("dvc", "repro")

    set_param(project, model={"units": 6}, train={"epochs": 20})
    process = start(project, "dvc", "repro")
    read_until(process, "epoch 1/")
    set_param(project, model={"units": 5}, train={"epochs": 2})
    printed, _ = process.communicate(timeout=600)
    assert "params.yaml: model, train was edited while this ran; run the same again" in one_line(printed)
    assert process.returncode != 0
    project.run("dvc", "repro")
    check_undisturbed(project, expected)
    outcome("params.yaml edited while training", "one line; the next run: same bytes as undisturbed")


LIMITED = """if True:
    import resource, sys, runpy
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
    runpy.run_module("stages", run_name="__main__")
"""


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        ("pad", "data/padded cannot be written (only a part was written: "),
        ("train", "cannot be written (File too large); free space"),
        ("evaluate", "results/predictions.csv cannot be written (File too large); free space"),
        ("report", "results/report cannot be written (File too large); free space"),
    ],
    ids=["pad", "train", "evaluate", "report"],
)
def test_a_full_disk(project, outcome, stage, said):
    """Simulated by a limit on the size of a file: the write fails in the same place."""
    before = contents(project.folder / "data") | contents(project.folder / "results")
    project.run("python", "-m", "stages", stage)  # saves what is left of the machine code
    printed = project.run("python", "-B", "-c", LIMITED, stage, status=1)
    assert said in one_line(printed)
    assert contents(project.folder / "data") | contents(project.folder / "results") == before
    outcome(f"no room for what {stage} writes", "one line, nothing half-written")


def test_a_full_disk_for_machine_code(project, outcome, tmp_path):
    before = contents(project.folder / "results")
    printed = project.run("python", "-B", "-c", LIMITED, "evaluate", status=1, NUMBA_CACHE_DIR=str(tmp_path))
    assert one_line(printed) == "error: a file cannot be written (File too large); free space, then run again"
    assert contents(project.folder / "results") == before
    outcome("no room for machine code", "one line, nothing half-written")


def test_a_read_only_folder(project, outcome):
    command = ["python", "-B", "-m", "stages", "plot"]
    if os.geteuid() == 0:  # may write anywhere, so this right is taken away
        if not shutil.which("setpriv"):
            missing = "setpriv is not installed, and root may write anywhere"
            (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
        command = ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override", *command]
    before = contents(project.folder / "results")
    (project.folder / "results").chmod(0o555)
    try:
        line = one_line(project.run(*command, status=1))
    finally:
        (project.folder / "results").chmod(0o755)
    assert "results/figures cannot be written (Permission denied)" in line
    assert contents(project.folder / "results") == before
    outcome("results/ read-only", "one line, nothing half-written")


JUMPING_CLOCK = """
import time
real, calls = time.time, 0
def jumping():
    global calls
    calls += 1
    return real() + (-3e8 if calls % 3 == 0 else 3e8)
time.time = jumping
"""


def test_a_clock_that_jumps(fresh, finished, outcome, tmp_path):
    """Every stage sees the time go years forwards and back; DVC itself does too."""
    project = Project(tmp_path / "jumping", environment(tmp_path))
    shutil.copytree(fresh.folder, project.folder)
    (tmp_path / "clock").mkdir()
    (tmp_path / "clock/sitecustomize.py").write_text(JUMPING_CLOCK)
    project.run("dvc", "repro", PYTHONPATH=str(tmp_path / "clock"))
    check_undisturbed(project, finished)
    outcome("the clock jumps by years", "same bytes as undisturbed")
