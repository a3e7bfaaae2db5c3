"""Whether the committed locks and results belong to the committed code.

`make verify` runs this file and then the pipeline; `.ci/run` does the same. `make test` does not, so that between
releases nobody has to run the comparison after an edit.
"""

import hashlib
from pathlib import Path

import pytest
import yaml
from material import ROOT

from imdb_rnn.core.params import load_params
from stages import check

CELLS = "experiments/cells/dvc.lock"
COMPARISON = "experiments/compare/dvc.lock"
TABLES = ("compare.csv", "compare_sentences.csv", "differences.csv", "experiments/compare_sensitivity.json")


def read(path: str) -> dict:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("lock", "due"), [("dvc.lock", "make repro"), (CELLS, "make cells"), (COMPARISON, "make compare")]
)
def test_the_lock_belongs_to_this_code(lock, due, tmp_path):
    check.main(load_params(ROOT), tmp_path)
    for name, stage in read(lock)["stages"].items():
        locked = {dep["path"].removeprefix("../../"): dep["md5"] for dep in stage["deps"]}
        if name != "check":
            (path,) = [path for path in locked if path.startswith("data/code/")]
            assert locked[path] == md5(tmp_path / path), f"the code changed since {name} was run; `{due}` is due"


def test_the_tables_of_the_comparison_are_those_of_its_lock():
    noted = {out["path"]: out["md5"] for stage in read(COMPARISON)["stages"].values() for out in stage["outs"]}
    for name in TABLES:
        assert md5(ROOT / "results" / name) == noted[f"../../results/{name}"], name


def test_the_lock_of_the_comparison_has_the_networks_seeds_and_presets_of_its_plan():
    lock, stages = read(COMPARISON)["stages"], read("experiments/compare/dvc.yaml")["stages"]
    plan, presets = read("experiments/compare/params.yaml"), read("presets.yaml")
    runs = {f"{network}-{seed}": network for network in plan["networks"] for seed in plan["seeds"]}
    for name, stage in stages.items():
        expected = {f"{name}@{run}" for run in runs} if "matrix" in stage else {name}
        assert expected == {locked for locked in lock if locked.split("@")[0] == name}
    for run, network in runs.items():
        assert lock[f"train@{run}"]["params"]["../../presets.yaml"] == {network: presets[network]}


def test_the_small_networks_are_those_of_their_lock_and_their_plan():
    """A path of params.yaml and its values are in the lock as they were when it was written."""
    (stage,) = read(CELLS)["stages"].values()
    assert stage["outs"][0]["md5"] == md5(ROOT / "results/experiments/cells.safetensors")
    assert stage["params"]["params.yaml"] == read("experiments/cells/params.yaml")
