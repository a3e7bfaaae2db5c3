"""`dvc.yaml` says of each stage what it needs and writes: code, parameters, files."""

import importlib
import re
from pathlib import Path

import pytest
import yaml
from material import ROOT

from imdb_rnn.core import files
from imdb_rnn.core.fingerprints import closure
from imdb_rnn.core.params import Params, Section, load_params
from imdb_rnn.core.stage import declared_params
from stages.check import EXPERIMENTS

PIPELINE = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))
STAGES = PIPELINE["stages"]
KEPT = (files.CHECKPOINTS, files.DOWNLOADS)  # what stages keep for themselves
NO_OUT = (*KEPT, files.OWN, files.START, files.COMPARE_SENSITIVITY, files.PARAMS, files.SWEEP)


def paths(entries: list) -> set[str]:
    return {path for entry in entries for path in ([entry] if isinstance(entry, str) else entry)}


def outs(stage: dict) -> set[str]:
    return paths(stage["outs"] + stage.get("metrics", []))


def test_a_stage_is_a_file_and_depends_on_the_fingerprint_of_its_code():
    assert {path.stem for path in (ROOT / "stages").glob("*.py")} == {*STAGES, "__init__", "__main__"}
    for name, stage in STAGES.items():
        assert stage["cmd"] == f"python -m stages {name}"
        assert name == "check" or f"{files.CODE}/{name}.txt" in stage["deps"]


@pytest.mark.parametrize("experiment", ["cells", "compare", "sweep"])
def test_a_part_of_an_experiment_depends_on_the_fingerprint_of_its_code(experiment):
    stages = yaml.safe_load((ROOT / f"experiments/{experiment}/dvc.yaml").read_text(encoding="utf-8"))["stages"]
    assert {f"{experiment}/{name}" for name in stages} == {part for part in EXPERIMENTS if part.startswith(experiment)}
    for name, stage in stages.items():
        assert stage["cmd"].startswith(f"cd ../.. && python -m experiments.{experiment}.{name}")
        assert f"../../{files.CODE}/{experiment}-{name}.txt" in stage["deps"]


def test_the_first_stage_depends_on_all_code_and_the_whole_parameter_file():
    first, *_ = STAGES
    assert STAGES[first]["params"] == [{"params.yaml": None}]
    code = closure(ROOT, *[f"stages/{name}.py" for name in STAGES], *[f"experiments/{part}.py" for part in EXPERIMENTS])
    for path in code:
        empty = path.endswith("__init__.py")  # of experiments, where DVC takes no folder
        assert empty or any(Path(path).is_relative_to(dep) for dep in STAGES[first]["deps"]), path
    assert {dep for dep in STAGES[first]["deps"] if dep.startswith("experiments/")} <= set(code)


@pytest.mark.slow
def test_a_stage_declares_the_parameters_that_it_reads(project, monkeypatch):
    monkeypatch.chdir(project.folder)
    params = load_params(Path())
    source, names, read = params.data.source, {}, set()  # the key of each section, and all keys that a stage has read

    def name(section: Section, above: str) -> None:
        names[id(section)] = above
        for key, value in vars(section).items():
            if isinstance(value, Section):
                name(value, f"{above}{key}.")

    def note(section: Section, key: str) -> object:
        if key in type(section).model_fields and id(section) in names:
            read.add(f"{names[id(section)]}{key}")
        return object.__getattribute__(section, key)

    name(params, "")
    monkeypatch.setattr(Section, "__getattribute__", note)
    for stage, keys in declared_params(ROOT / "dvc.yaml").items():
        read.clear()
        importlib.import_module(f"stages.{stage}").main(params, Path())
        declared = {key.replace("${data.source}", source) for key in keys}
        if stage != "check":
            assert declared <= read, f"{stage} does not read {declared - read}"
            whole = {key for key in read if not any(other.startswith(f"{key}.") for other in read)}
            undeclared = {key for key in whole if not any(f"{key}.".startswith(f"{other}.") for other in declared)}
            assert not undeclared, f"{stage} reads {undeclared}"


def test_every_parameter_has_a_reader():
    read = {key for name, keys in declared_params(ROOT / "dvc.yaml").items() if name != "check" for key in keys}

    def look(section: type[Section], above: str) -> None:
        for name, field in section.model_fields.items():
            key = f"{above}{name}"
            if key not in read and not (above == "data." and "data.${data.source}" in read):
                assert isinstance(field.annotation, type) and issubclass(field.annotation, Section), f"{key} is unused"
                look(field.annotation, f"{key}.")

    look(Params, "")


def test_every_out_is_a_path_of_files_or_in_one_and_every_path_has_its_outs():
    named = {value for name, value in vars(files).items() if name.isupper() and isinstance(value, Path)}
    written = {next((path for path in named if Path(out).is_relative_to(path)), out) for out in every_out()}
    assert written == named - {*NO_OUT}


def every_out() -> set[str]:
    return set().union(*map(outs, STAGES.values()))


def test_the_plots_and_the_artifact_are_outs():
    shown = [path for entry in PIPELINE["plots"] for path in plot_files(entry)]
    shown += [artifact["path"] for artifact in PIPELINE["artifacts"].values()]
    for path in shown:
        assert any(Path(path).is_relative_to(out) for out in every_out()), path


def plot_files(entry: str | dict) -> list[str]:
    return [entry] if isinstance(entry, str) else [path for plot in entry.values() for path in plot["y"]]


@pytest.mark.slow
def test_each_stage_loads_the_code_and_opens_the_files_it_lists_and_no_others(finished):
    """Seen while the pipeline ran, so that what is imported or read in a roundabout way counts too."""
    trace = (finished.folder.parent / "trace").read_text(encoding="utf-8").splitlines()
    seen = {(name, way): set() for name in STAGES for way in ("load", "read", "write")}
    for line in trace:
        stage, way, path = line.split(" ", 2)
        if way == "write" or files.TEMPORARY not in path:
            seen[stage, way].add(path)

    runner = {"imdb_rnn/core/stage.py", "stages/__init__.py", "stages/__main__.py"}
    for name, stage in STAGES.items():
        assert all(seen[name, way] for way in ("load", "read", "write")), "the tracer saw nothing"
        if name == "check":  # which reads all code
            continue
        code = set(closure(ROOT, f"stages/{name}.py"))
        assets = {path for path in seen[name, "read"] if path.startswith("imdb_rnn/reporting/") and ".py" not in path}
        assert seen[name, "load"] | assets <= code | runner, f"the fingerprint of {name} lacks some of its code"
        deps = {dep for dep in stage["deps"] if "${" not in dep and not dep.startswith(str(files.CODE))}
        used = set()
        for path in seen[name, "read"]:
            is_kept = any(map(Path(path).is_relative_to, KEPT)) or (finished.folder / path).is_dir()
            if path.startswith(("data/", "results/")) and not is_kept:
                listed = {dep for dep in deps if Path(path).is_relative_to(dep)}
                assert listed, f"{name} reads {path}, which is not among its deps"
                used |= listed
        # The library safetensors opens the model in Rust, which Python does not report.
        assert deps - used <= {str(files.MODEL)}, f"{name} does not read {deps - used}"
        for path in seen[name, "write"]:
            if path.startswith(("data/", "results/")) and not any(map(Path(path).is_relative_to, KEPT)):
                target = re.sub(rf"{re.escape(files.TEMPORARY)}[^/]+/new/", "", path)
                assert any(Path(target).is_relative_to(out) for out in outs(stage)), f"{name} writes {path}"
