"""Machine code on disk: found again, and never of other code."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from material import ROOT

pytestmark = pytest.mark.slow

# A function made in another one, of functions of the library, of this very file and of a third one.
PROGRAM = """
import numpy as np
from imdb_rnn.engine.kernels.arithmetic import sigmoid
from imdb_rnn.engine.kernels.compiled import compiled
from third import shift

def make(function):
    @compiled
    def answer(x):
        return function(sigmoid(x)) + np.float32(0)
    return answer

answer = make(shift)
print(float(answer(np.float32(1))), sum(answer.stats.cache_hits.values()))
"""
THIRD = """
import numpy as np
from imdb_rnn.engine.kernels.compiled import inner

@inner
def shift(x):
    return x + np.float32(0)
"""
SIGMOID_OF_1 = pytest.approx(0.731059, abs=1e-6)


def run(folder: Path) -> tuple[float, int]:
    """What a process of its own computes, and whether it found the function on the disk."""
    value, hits = subprocess.check_output([sys.executable, "program.py"], cwd=folder, text=True).split()
    return float(value), int(hits)


def on_disk(folder: Path) -> list[Path]:
    return sorted((folder / "imdb_rnn/engine/kernels/__pycache__/compiled").glob("make.answer-*.compiled"))


@pytest.fixture(scope="module")
def compiled_once(tmp_path_factory) -> Path:
    """A copy of the library and a program that has run once."""
    folder = tmp_path_factory.mktemp("compiled")
    shutil.copytree(ROOT / "imdb_rnn", folder / "imdb_rnn", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "program.py").write_text(PROGRAM)
    (folder / "third.py").write_text(THIRD)
    assert run(folder) == (SIGMOID_OF_1, 0)
    assert len(on_disk(folder)) == 1
    return folder


@pytest.fixture
def folder(compiled_once, tmp_path) -> Path:
    """A copy of it for one test to change."""
    shutil.copytree(compiled_once, tmp_path / "copy")
    return tmp_path / "copy"


def test_what_one_process_compiled_another_one_finds(folder):
    assert run(folder) == (SIGMOID_OF_1, 1)


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        ("imdb_rnn/engine/kernels/arithmetic.py", "return x * p / q", "return np.float32(0)", 0.5),
        ("program.py", "+ np.float32(0)", "+ np.float32(10)", pytest.approx(10.731059, abs=1e-5)),
        ("third.py", "+ np.float32(0)", "+ np.float32(10)", pytest.approx(10.731059, abs=1e-5)),
    ],
)
def test_a_change_in_a_function_or_in_one_that_it_calls_is_seen(folder, name, old, new, expected):
    text = (folder / name).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (folder / name).write_text(text.replace(old, new), encoding="utf-8")
    assert run(folder) == (expected, 0)


def test_what_was_compiled_of_an_older_library_is_removed(folder):
    (old,) = on_disk(folder)
    source = folder / "imdb_rnn/engine/kernels/optimizer.py"
    source.write_text(source.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert run(folder) == (SIGMOID_OF_1, 0)
    (new,) = on_disk(folder)
    assert new != old


def test_a_damaged_file_is_compiled_anew(folder):
    (path,) = on_disk(folder)
    path.write_bytes(path.read_bytes()[:-100])
    assert run(folder) == (SIGMOID_OF_1, 0)
    assert run(folder) == (SIGMOID_OF_1, 1)


def test_without_a_place_for_it_each_process_compiles(folder):
    shutil.rmtree(folder / "imdb_rnn/engine/kernels/__pycache__")
    (folder / "imdb_rnn/engine/kernels/__pycache__").write_text("no folder")
    for _ in range(2):
        assert run(folder) == (SIGMOID_OF_1, 0)
