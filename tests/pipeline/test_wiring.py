"""`dvc.yaml` says of each stage exactly what its code needs: modules, parameters, files."""

import ast
import hashlib
import os
from pathlib import Path

import pytest
import yaml
from material import ROOT

from stages import files
from imdb_rnn.base.params import Params

PIPELINE = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))
STAGES = PIPELINE["stages"]
OWN = (files.CHECKPOINTS, files.DOWNLOADS)  # what stages keep for themselves


def imported_modules(source: str) -> set[str]:
    """The project's modules that a source imports, as paths."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    paths = {name.replace(".", "/") + ".py" for name in names}
    return {path for path in paths if (ROOT / path).is_file()}


def needed_modules(path: str) -> set[str]:
    """A module and all that it imports, and what those import."""
    needed, waiting = set(), {path}
    while waiting:
        module = waiting.pop()
        needed.add(module)
        waiting |= imported_modules((ROOT / module).read_text(encoding="utf-8")) - needed
    return needed


def read_params(source: str) -> set[str]:
    """The parameters that a source reads from `load_params()`, as dotted keys; a section read as a whole is one key."""
    tree = ast.parse(source)
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    found = set()

    def chain(node: ast.AST) -> tuple[ast.AST, list[str]]:
        names = []
        while isinstance(parents[node], ast.Attribute):
            node = parents[node]
            names.append(node.attr)
        return node, names

    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        prefixes = {}
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "load_params":
                end, names = chain(node)
                if isinstance(parents[end], ast.Assign) and isinstance(parents[end].targets[0], ast.Name):
                    prefixes[parents[end].targets[0].id] = names
                else:
                    found.add(".".join(names))
        for node in ast.walk(function):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in prefixes:
                found.add(".".join(prefixes[node.id] + chain(node)[1]))
    return {key for key in found if not any(key.startswith(other + ".") for other in found)}


def paths(entries: list) -> set[str]:
    return {path for entry in entries for path in ([entry] if isinstance(entry, str) else entry)}


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_lists_its_script_and_every_module_it_imports(name):
    listed = {path for path in STAGES[name]["deps"] if path.endswith(".py")}
    assert listed == needed_modules(f"stages/{name}.py")


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_lists_exactly_the_parameters_it_reads(name):
    assert set(STAGES[name]["params"]) == read_params((ROOT / f"stages/{name}.py").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_is_run_without_options_and_says_what_it_does(name):
    assert STAGES[name]["cmd"] == f"python -m stages.{name}"
    assert len(STAGES[name]["desc"]) > 20


def test_only_a_stage_s_own_file_reads_parameters():
    verbs = {f"{name}.py" for name in STAGES}
    for path in (ROOT / "stages").glob("*.py"):
        if path.name not in verbs | {"params.py"}:
            assert "load_params" not in path.read_text(encoding="utf-8"), path
            imported = imported_modules(path.read_text(encoding="utf-8"))
            assert not imported & {f"stages/{verb}" for verb in verbs}, f"{path} is a noun and imports a verb"


def test_every_parameter_has_a_reader():
    read = {key for stage in STAGES.values() for key in stage["params"]}
    for section, field in Params.model_fields.items():
        for name in field.annotation.model_fields:
            assert section in read or f"{section}.{name}" in read


def test_every_file_of_the_pipeline_is_named_once():
    outs = set().union(*(paths(stage["outs"] + stage.get("metrics", [])) for stage in STAGES.values()))
    named = {value.as_posix() for name, value in vars(files).items() if name.isupper() and isinstance(value, Path)}
    assert outs == named - {path.as_posix() for path in (files.CHECKPOINTS, files.COMPARE_MEMORY, files.DOWNLOADS)}


def test_the_plots_and_the_artifact_are_outs():
    outs = set().union(*(paths(stage["outs"] + stage.get("metrics", [])) for stage in STAGES.values()))
    shown = [entry if isinstance(entry, str) else path for entry in PIPELINE["plots"] for path in plot_files(entry)]
    shown += [artifact["path"] for artifact in PIPELINE["artifacts"].values()]
    for path in shown:
        assert any(Path(path).is_relative_to(out) for out in outs), path


def plot_files(entry: str | dict) -> list[str]:
    return [entry] if isinstance(entry, str) else [path for plot in entry.values() for path in plot["y"]]


def test_each_stage_opens_the_files_it_lists_and_no_others(finished):
    """Seen while the pipeline ran, so that a file read in a roundabout way counts too."""
    trace = (finished.folder.parent / "trace").read_text(encoding="utf-8").splitlines()
    opened = {(name, way): set() for name in STAGES for way in ("read", "write")}
    for line in trace:
        stage, way, path = line.split(" ", 2)
        opened[stage.removeprefix("stages."), way].add(path)
    assert all(opened[name, "write"] for name in STAGES), "the tracer saw nothing"

    for name, stage in STAGES.items():
        outs = paths(stage["outs"] + stage.get("metrics", []))
        deps = set(stage["deps"])
        used = set()
        for path in opened[name, "read"]:
            if path.endswith(".pyc"):  # stages/__pycache__/pad.cpython-311.pyc
                path = f"stages/{Path(path).name.split('.')[0]}.py"
            scratch = any(part.startswith(".") for part in Path(path).parts)
            if scratch or not path.startswith(("data/", "results/", "stages/")):
                continue
            listed = {dep for dep in deps if Path(path).is_relative_to(dep)}
            own = any(map(Path(path).is_relative_to, OWN)) or (finished.folder / path).is_dir()
            assert listed or own, f"{name} reads {path}, which is not among its deps"
            used |= listed
        assert used == deps, f"{name} lists deps that it does not read: {deps - used}"
        for path in opened[name, "write"]:
            if path.startswith(("data/", "results/")) and not any(map(Path(path).is_relative_to, OWN)):
                beside = {f"{Path(out).parent}/.{Path(out).name}-" for out in outs}
                assert any(path.startswith(start) for start in beside), f"{name} writes {path}"


# The readers of code above must see what they look for, or the tests that use them could not fail.


def test_the_readers_of_code_see_what_they_look_for():
    source = """
import stages.pad
from stages import files, network as net
from stages.reviews import Reviews
def main():
    params = load_params()
    f(params.train, params.pad.maxlen, params.train.seed)
    part = load_params().plots
    g(part.language)
    h(load_params().model.cell)
"""
    assert imported_modules(source) == {
        "stages/pad.py",
        "stages/files.py",
        "stages/network.py",
        "stages/reviews.py",
    }
    assert read_params(source) == {"train", "pad.maxlen", "plots.language", "model.cell"}


COMPARISON = yaml.safe_load((ROOT / "compare/dvc.yaml").read_text(encoding="utf-8"))["stages"]


@pytest.mark.parametrize("name", COMPARISON)
def test_a_stage_of_the_comparison_lists_every_module_it_imports(name):
    listed = {os.path.normpath(f"compare/{path}") for path in COMPARISON[name]["deps"]}
    assert {path for path in listed if path.endswith(".py")} == needed_modules(f"compare/{name}.py")
    assert COMPARISON[name]["cmd"].startswith(f"cd .. && python -m compare.{name}")


def test_the_committed_lock_belongs_to_this_code():
    lock = yaml.safe_load((ROOT / "dvc.lock").read_text(encoding="utf-8"))
    for name, stage in lock["stages"].items():
        for dep in stage["deps"]:
            if dep["path"].endswith(".py"):
                code = (ROOT / dep["path"]).read_bytes()
                assert dep["md5"] == hashlib.md5(code).hexdigest(), f"{dep['path']} changed: `dvc repro {name}`"
