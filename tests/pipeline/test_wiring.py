"""`dvc.yaml` says of each stage exactly what its code needs: modules, parameters, files."""

import ast
import re
from pathlib import Path

import pytest
import yaml
from material import ROOT
from wiring import (
    declared_params,
    dvc_hash,
    imported_modules,
    needed_modules,
    needless,
    read_params,
    uncovered,
)

from imdb_rnn.core import files
from imdb_rnn.core.params import Params, Section, parse_params

OWN_REVIEWS = parse_params((ROOT / files.PARAMS).read_text(encoding="utf-8")).data.own.path
PIPELINE = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8").replace("${data.own.path}", OWN_REVIEWS))
STAGES = PIPELINE["stages"]
CODE = ("imdb_rnn", "stages")
OWN = (files.CHECKPOINTS, files.DOWNLOADS)  # what stages keep for themselves
NO_OUT = (*OWN, files.COMPARE_SENSITIVITY, files.PARAMS, files.SWEEP)


def source_of(name: str) -> str:
    return (ROOT / f"stages/{name}.py").read_text(encoding="utf-8")


def paths(entries: list) -> set[str]:
    return {path for entry in entries for path in ([entry] if isinstance(entry, str) else entry)}


def code_of(deps: list[str]) -> set[str]:
    return {dep for dep in deps if Path(dep).parts[0] in CODE}


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_lists_the_code_that_it_runs_and_no_other(name):
    listed, needed = code_of(STAGES[name]["deps"]), needed_modules(f"stages/{name}.py")
    assert not uncovered(needed, listed)
    assert not needless(needed, listed)
    assert len(STAGES[name]["deps"]) <= 8


@pytest.mark.parametrize("name", [name for name in STAGES if name != "check"])
def test_a_stage_lists_exactly_the_parameters_it_reads(name):
    assert set(STAGES[name]["params"]) == read_params(source_of(name)) == declared_params(source_of(name))


def test_the_first_stage_looks_at_the_whole_parameter_file():
    first, *others = STAGES
    assert STAGES[first]["params"] == [{"params.yaml": None}]
    assert all(STAGES[name]["deps"] for name in others)


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_is_run_without_options_and_says_what_it_does(name):
    assert STAGES[name]["cmd"] == f"python -m stages {name}"
    assert len(STAGES[name]["desc"]) > 20


def test_each_file_in_stages_is_a_stage():
    assert {path.stem for path in (ROOT / "stages").glob("*.py")} == {*STAGES, "__init__", "__main__"}


def test_the_library_s_own_init_runs_no_code():
    """It is no dep of any stage, so it may hold nothing but functions, which no stage calls."""
    _, *others = ast.parse((ROOT / "imdb_rnn/__init__.py").read_text(encoding="utf-8")).body
    for node in others:
        is_for_types = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        assert is_for_types or isinstance(node, ast.FunctionDef) or ast.unparse(node).startswith("from typing import")
    for name in STAGES:
        assert "imdb_rnn.load" not in (ROOT / f"stages/{name}.py").read_text(encoding="utf-8")


def test_every_parameter_has_a_reader():
    read = {key for name, stage in STAGES.items() if name != "check" for key in stage["params"]}

    def is_read(section: type[Section], above: str) -> None:
        for name, field in section.model_fields.items():
            key = f"{above}{name}"
            if key in read or (above == "data." and "data.${data.source}" in read):
                continue
            assert isinstance(field.annotation, type) and issubclass(field.annotation, Section), f"nobody reads {key}"
            is_read(field.annotation, f"{key}.")

    is_read(Params, "")


def test_every_file_of_the_pipeline_is_named_once():
    outs = set().union(*(paths(stage["outs"] + stage.get("metrics", [])) for stage in STAGES.values()))
    named = {value.as_posix() for name, value in vars(files).items() if name.isupper() and isinstance(value, Path)}
    assert outs == named - {path.as_posix() for path in NO_OUT}


def test_the_plots_and_the_artifact_are_outs():
    outs = set().union(*(paths(stage["outs"] + stage.get("metrics", [])) for stage in STAGES.values()))
    shown = [path for entry in PIPELINE["plots"] for path in plot_files(entry)]
    shown += [artifact["path"] for artifact in PIPELINE["artifacts"].values()]
    for path in shown:
        assert any(Path(path).is_relative_to(out) for out in outs), path


def plot_files(entry: str | dict) -> list[str]:
    return [entry] if isinstance(entry, str) else [path for plot in entry.values() for path in plot["y"]]


def as_source(path: str) -> str:
    """Of byte-code the source: `stages/__pycache__/pad.cpython-311.pyc` is `stages/pad.py`."""
    place = Path(path)
    if place.suffix != ".pyc":
        return path
    return (place.parent.parent / f"{place.name.split('.')[0]}.py").as_posix()


@pytest.mark.slow
def test_each_stage_opens_the_files_it_lists_and_no_others(finished):
    """Seen while the pipeline ran, so that a file read in a roundabout way counts too."""
    trace = (finished.folder.parent / "trace").read_text(encoding="utf-8").splitlines()
    opened = {(name, way): set() for name in STAGES for way in ("read", "write")}
    for line in trace:
        stage, way, path = line.split(" ", 2)
        opened[stage, way].add(path)
    assert all(opened[name, "write"] for name in STAGES), "the tracer saw nothing"

    for name, stage in STAGES.items():
        outs = paths(stage["outs"] + stage.get("metrics", []))
        deps = set(stage["deps"]) - {OWN_REVIEWS}  # which this run has none of
        used = set()
        for path in map(as_source, opened[name, "read"]):
            scratch = any(part.startswith(".") for part in Path(path).parts)
            if scratch or not path.startswith(("data/", "results/", "stages/", "imdb_rnn/")):
                continue
            if path in ("stages/__init__.py", "stages/__main__.py", "imdb_rnn/__init__.py"):
                continue
            listed = {dep for dep in deps if Path(path).is_relative_to(dep)}
            own = any(map(Path(path).is_relative_to, OWN)) or (finished.folder / path).is_dir()
            assert listed or own, f"{name} reads {path}, which is not among its deps"
            used |= listed
        # That the parameters were checked is known from the file being there.
        assert used | {files.CHECKED.as_posix()} == deps | {files.CHECKED.as_posix()}, (
            f"{name} does not read {deps - used}"
        )
        for path in opened[name, "write"]:
            if path.startswith(("data/", "results/")) and not any(map(Path(path).is_relative_to, OWN)):
                target = re.sub(rf"{re.escape(files.TEMPORARY)}[^/]+/new/", "", path)
                assert any(Path(target).is_relative_to(out) for out in outs), f"{name} writes {path}"


# The readers of code above must see what they look for, or the tests that use them could not fail.


def test_the_readers_of_code_see_what_they_look_for():
    source = """
import imdb_rnn.text.split
from imdb_rnn.core import files, params as parameters
from imdb_rnn.engine.kernels.cells import cell_named
def main(params, root):
    def inner():
        return params.pad.maxlen
    f(params.train, params.train.seed, params.data.source)
    g(params.data.of_source(), root)
run(main, reads=("train", "pad.maxlen"))
"""
    assert imported_modules(source) == {
        "imdb_rnn/text/split.py",
        "imdb_rnn/core/__init__.py",
        "imdb_rnn/core/files.py",
        "imdb_rnn/core/params.py",
        "imdb_rnn/engine/kernels/cells/__init__.py",
    }
    assert read_params(source) == {"train", "pad.maxlen", "data.source", "data.${data.source}"}
    assert declared_params(source) == {"train", "pad.maxlen"}
    assert uncovered({"a/b.py", "c/d.py", "c/e.py"}, {"a", "c/d.py"}) == {"c/e.py"}
    assert needless({"a/b.py"}, {"a", "ab", "c/d.py"}) == {"ab", "c/d.py"}


@pytest.mark.slow
def test_the_hash_of_a_folder_is_dvc_s(finished):
    lock = yaml.safe_load((finished.folder / "dvc.lock").read_text(encoding="utf-8"))
    deps = [dep for stage in lock["stages"].values() for dep in stage["deps"]]
    assert sum(dep["md5"].endswith(".dir") for dep in deps) > 10
    for dep in deps:
        assert dvc_hash(finished.folder / dep["path"]) == dep["md5"], dep["path"]


def test_the_committed_lock_belongs_to_this_code():
    lock = yaml.safe_load((ROOT / "dvc.lock").read_text(encoding="utf-8"))["stages"]
    listed = {name: set(stage["deps"]) for name, stage in STAGES.items()}
    assert {name: {dep["path"] for dep in stage["deps"]} for name, stage in lock.items()} == listed
    for name, stage in lock.items():
        for dep in stage["deps"]:
            if Path(dep["path"]).parts[0] in CODE:
                assert dvc_hash(ROOT / dep["path"]) == dep["md5"], f"{dep['path']} changed: `dvc repro {name}`"


@pytest.mark.parametrize(
    ("lock", "results"),
    [
        ("dvc.lock", {"behaviour.json", "metrics.json", "sensitivity.json"}),
        (
            "experiments/compare/dvc.lock",
            {"compare.csv", "compare_sentences.csv", "differences.csv", "experiments/compare_sensitivity.json"},
        ),
    ],
)
def test_the_committed_results_are_those_of_the_committed_lock(lock, results):
    stages = yaml.safe_load((ROOT / lock).read_text(encoding="utf-8"))["stages"]
    noted = {out["path"].split("results/")[-1]: out["md5"] for stage in stages.values() for out in stage["outs"]}
    for name in results:
        assert dvc_hash(ROOT / "results" / name) == noted[name], name


def test_the_committed_lock_has_the_committed_parameters():
    stages = yaml.safe_load((ROOT / "dvc.lock").read_text(encoding="utf-8"))["stages"]
    params = parse_params((ROOT / "params.yaml").read_text(encoding="utf-8")).model_dump()
    assert stages["check"]["params"]["params.yaml"] == params
