"""Each stage of the comparison depends on the code that it runs, and on no other."""

import hashlib
import shutil
import subprocess
import sys

import pytest
import yaml
from material import ROOT
from wiring import is_docstring, needed_modules

from experiments.compare import modules
from experiments.compare.modules import MODULES, STAGES, listing
from experiments.compare.runs import FOLDER, PLAN
from tools.preset import PRESETS_FILE

PIPELINE = yaml.safe_load((ROOT / FOLDER / "dvc.yaml").read_text(encoding="utf-8"))["stages"]


def names(text: str) -> list[str]:
    return [line.split("  ")[1] for line in text.splitlines()]


def test_each_stage_has_a_list_and_depends_on_it():
    assert {*PIPELINE} == {*STAGES, "modules"}
    for name in STAGES:
        assert f"modules/{name}.txt" in PIPELINE[name]["deps"]
        assert PIPELINE[name]["cmd"].startswith(f"cd ../.. && python -m experiments.compare.{name}")
        assert len(PIPELINE[name]["deps"]) <= 8


@pytest.mark.parametrize("stage", STAGES)
def test_a_list_has_the_modules_that_the_stage_imports(stage):
    listed = names(listing(FOLDER / f"{stage}.py", ROOT))
    assert listed == sorted(set(listed))
    needed = needed_modules(f"experiments/compare/{stage}.py")
    assert {path for path in listed if not is_docstring(path)} == needed | {"imdb_rnn/__init__.py"}


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["table", "train"])
def test_no_module_is_loaded_that_is_not_in_the_list(stage):
    """Asked of Python, which knows of roundabout imports too."""
    code = (
        "import sys, pathlib\n"
        f"import experiments.compare.{stage}\n"
        "files = [getattr(module, '__file__', None) for module in list(sys.modules.values())]\n"
        "here = [pathlib.Path(file) for file in files if file]\n"
        "print(*[path.relative_to(pathlib.Path.cwd()).as_posix() for path in here\n"
        "        if path.is_relative_to(pathlib.Path.cwd()) and '.venv' not in path.parts])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    assert len(loaded.split()) > 5
    assert set(loaded.split()) <= set(names(listing(FOLDER / f"{stage}.py", ROOT)))


@pytest.mark.slow
def test_a_change_concerns_the_stages_that_import_the_module(tmp_path):
    """So a change in how memory is measured trains nothing anew."""
    for folder in ("experiments/compare", "imdb_rnn", "tools"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "runs", "tmp"))
    modules.main(tmp_path)
    before = {stage: (tmp_path / FOLDER / MODULES / f"{stage}.txt").read_text() for stage in STAGES}

    def changed_by(path: str) -> set[str]:
        original = (tmp_path / path).read_bytes()
        (tmp_path / path).write_bytes(original + b"\n# a comment\n")
        modules.main(tmp_path)
        (tmp_path / path).write_bytes(original)
        return {
            stage for stage in STAGES if (tmp_path / FOLDER / MODULES / f"{stage}.txt").read_text() != before[stage]
        }

    assert changed_by("imdb_rnn/evaluation/sensitivity.py") == {"memory", "table"}
    assert changed_by("tools/preset.py") == {"train"}
    assert changed_by("imdb_rnn/engine/ragged.py") == {*STAGES}
    assert changed_by("imdb_rnn/reporting/report.py") == set()


def test_the_checksums_are_sha256():
    for line in listing(FOLDER / "linear.py", ROOT).splitlines():
        checksum, path = line.split("  ")
        assert hashlib.sha256((ROOT / path).read_bytes()).hexdigest() == checksum


def test_the_committed_lock_belongs_to_this_code():
    """The results in git are those of this code, these presets, and this plan; or `make compare` is due."""
    plan, lock, presets = (
        yaml.safe_load((ROOT / path).read_text(encoding="utf-8")) for path in (PLAN, FOLDER / "dvc.lock", PRESETS_FILE)
    )
    runs = [f"{network}-{seed}" for network in plan["networks"] for seed in plan["seeds"]]
    each = {f"{stage}@{run}" for stage in ("train", "memory") for run in runs}
    assert {*lock["stages"]} == {"modules", "linear", "sentences", "table", *each}
    now = {verb: hashlib.md5(listing(FOLDER / f"{verb}.py", ROOT).encode()).hexdigest() for verb in STAGES}
    for name, stage in lock["stages"].items():
        verb, _, run = name.partition("@")
        locked = {dep["path"]: dep["md5"] for dep in stage.get("deps", ())}
        if verb != "modules":
            assert locked[f"modules/{verb}.txt"] == now[verb], (
                f"the code changed since {name} was run; `make compare` is due"
            )
        if verb == "train":
            network = run.rsplit("-", 1)[0]
            assert stage["params"]["../../presets.yaml"] == {network: presets[network]}
