"""The rules of the house that no other tool holds: where tests are, what files are called, how long they get."""

import ast
import subprocess
import sys

import pytest
from material import ROOT

LIBRARY = sorted(path.relative_to(ROOT / "imdb_rnn") for path in (ROOT / "imdb_rnn").rglob("*.py"))
TESTS = sorted(path.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("test_*.py"))
MAX_LINES = 400


def tracked(suffix: str) -> list[str]:
    command = ["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard", f"*{suffix}"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout.split()


@pytest.mark.parametrize("module", [path for path in LIBRARY if path.name != "__init__.py"], ids=str)
def test_each_module_has_its_tests(module):
    assert module.with_name(f"test_{module.name}") in TESTS


@pytest.mark.parametrize("test", TESTS, ids=str)
def test_each_test_of_a_room_has_its_module(test):
    rooms = {path.parts[0] for path in LIBRARY if len(path.parts) > 1}
    if test.parts[0] in rooms:
        module = test.with_name(test.name.removeprefix("test_"))
        assert module in LIBRARY or module.with_suffix("") / "__init__.py" in LIBRARY


def test_no_file_is_named_like_a_module_of_the_standard_library():
    """A script beside it would import it instead."""
    names = [name for name in tracked(".py") if name.rsplit("/", 1)[-1].removesuffix(".py") in sys.stdlib_module_names]
    assert names == []


def test_no_file_of_the_library_is_long():
    assert all(
        len((ROOT / "imdb_rnn" / path).read_text(encoding="utf-8").splitlines()) <= MAX_LINES for path in LIBRARY
    )


def test_tensorflow_is_imported_in_one_module():
    importing = set()
    for name in [
        name for name in tracked(".py") if name.startswith(("imdb_rnn/", "stages/", "tools/", "experiments/"))
    ]:
        for node in ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(imported.split(".")[0] in ("keras", "tensorflow") for imported in names):
                importing.add(name)
    assert importing == {"imdb_rnn/network/keras_model.py"}
