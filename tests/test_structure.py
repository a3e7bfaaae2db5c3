"""The rules of the project that no other tool holds: where tests are, what files are called, how long they get."""

import ast
import shutil
import sys
from pathlib import Path
from typing import get_args

import pytest
from material import ROOT, tracked
from project import Project, environment

from imdb_rnn.core.params import DataParams
from imdb_rnn.text.sources import SOURCES

LIBRARY = sorted(path.relative_to(ROOT / "imdb_rnn") for path in (ROOT / "imdb_rnn").rglob("*.py"))
TESTS = sorted(path.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("test_*.py"))
MAX_LINES = 400


@pytest.mark.parametrize("module", [path for path in LIBRARY if path.name != "__init__.py"], ids=str)
def test_each_module_has_its_tests(module):
    assert module.with_name(f"test_{module.name}") in TESTS


@pytest.mark.parametrize("test", TESTS, ids=str)
def test_each_test_of_a_package_has_its_module(test):
    packages = {path.parts[0] for path in LIBRARY if len(path.parts) > 1}
    if test.parts[0] in packages:
        module = test.with_name(test.name.removeprefix("test_"))
        assert module in LIBRARY or module.with_suffix("") / "__init__.py" in LIBRARY


def test_no_file_is_named_like_a_module_of_the_standard_library():
    """A script in the same folder would import it instead."""
    modules = {part for name in tracked(".py") for part in Path(name).with_suffix("").parts}
    assert "bench" in modules
    assert not modules & sys.stdlib_module_names


def test_no_file_of_the_library_is_long():
    assert all(
        len((ROOT / "imdb_rnn" / path).read_text(encoding="utf-8").splitlines()) <= MAX_LINES for path in LIBRARY
    )


def test_every_source_has_a_function_a_group_of_parameters_and_a_folder():
    source = DataParams.model_fields["source"].annotation
    assert set(SOURCES) == set(get_args(source)) == set(DataParams.model_fields) - {"source", "tokenizer"}
    assert {f"data/{name}/README.md" for name in SOURCES} <= set(tracked(".md"))


def test_a_clone_on_windows_has_the_same_bytes(tmp_path):
    """Git for Windows sets `core.autocrlf`, which would change the line ends of code, and with them every hash."""
    origin = Project(tmp_path / "origin", environment(tmp_path))
    for name in tracked(""):
        if (ROOT / name).is_file():
            (origin.folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, origin.folder / name)
    (origin.folder / "data/own/mine.csv").write_bytes(b"text,label\r\ngood,1\r\n")
    origin.run("git", "init", "--quiet")
    origin.commit()
    origin.run("git", "clone", "--quiet", "-c", "core.autocrlf=true", ".", str(tmp_path / "clone"))
    for name in origin.run("git", "ls-files").split("\n")[:-1]:
        assert (tmp_path / "clone" / name).read_bytes() == (origin.folder / name).read_bytes(), name


def test_no_text_is_left_to_be_filled_in():
    for name in tracked(".md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "{{" not in text, name
        assert "TODO" not in text, name


def test_tensorflow_is_imported_for_its_engine_and_its_file_alone():
    importing = set()
    for name in [
        name for name in tracked(".py") if name.startswith(("imdb_rnn/", "stages/", "tools/", "experiments/"))
    ]:
        for node in ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(imported.split(".")[0] in ("keras", "tensorflow") for imported in names):
                importing.add(name)
    assert importing == {"imdb_rnn/keras_model.py", "imdb_rnn/training/keras_learner.py"}
