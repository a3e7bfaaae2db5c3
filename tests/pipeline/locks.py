"""Whether the committed locks and results belong to the committed code.

`make verify` and `.ci/run` run this file. `make test` does not, so that between releases nobody has to run the
comparison after an edit.
"""

import hashlib
from pathlib import Path

import pytest
import yaml
from material import ROOT

from imdb_rnn.core.params import load_params
from stages import check

IN_GIT = {
    "dvc.lock": ("behaviour.json", "metrics.json", "sensitivity.json"),
    "experiments/compare/dvc.lock": (
        "compare.csv",
        "compare_sentences.csv",
        "differences.csv",
        "experiments/compare_sensitivity.json",
    ),
}


def read(path: str) -> dict:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("lock", "due"), [("dvc.lock", "make repro"), ("experiments/compare/dvc.lock", "make compare")]
)
def test_the_lock_belongs_to_this_code(lock, due, tmp_path):
    check.main(load_params(ROOT), tmp_path)
    for name, stage in read(lock)["stages"].items():
        locked = {dep["path"].removeprefix("../../"): dep["md5"] for dep in stage["deps"]}
        if name != "check":
            (path,) = [path for path in locked if path.startswith("data/code/")]
            assert locked[path] == md5(tmp_path / path), f"the code changed since {name} was run; `{due}` is due"


@pytest.mark.parametrize("lock", IN_GIT)
def test_the_results_in_git_are_those_of_the_lock(lock):
    noted = {out["path"].split("results/")[-1]: out["md5"] for s in read(lock)["stages"].values() for out in s["outs"]}
    for name in IN_GIT[lock]:
        assert md5(ROOT / "results" / name) == noted[name], name


def test_the_lock_of_the_comparison_has_the_networks_seeds_and_presets_of_its_plan():
    lock, plan, presets = (
        read(path) for path in ("experiments/compare/dvc.lock", "experiments/compare/params.yaml", "presets.yaml")
    )
    runs = [f"{network}-{seed}" for network in plan["networks"] for seed in plan["seeds"]]
    each = {f"{stage}@{run}": run.rsplit("-", 1)[0] for stage in ("train", "sensitivity") for run in runs}
    assert {*lock["stages"]} == {"linear", "sentences", "table", *each}
    for name in [name for name in each if name.startswith("train")]:
        assert lock["stages"][name]["params"]["../../presets.yaml"] == {each[name]: presets[each[name]]}
