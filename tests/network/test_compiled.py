"""Machine code on disk: found again, and never of other code."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from material import ROOT

PROGRAM = """
import numpy as np
from imdb_rnn.network.activations import sigmoid
print(float(sigmoid(np.float32(1))), sum(sigmoid.stats.cache_hits.values()))
"""


@pytest.fixture
def library(tmp_path) -> Path:
    """A copy of the library for one test to change, with nothing compiled."""
    shutil.copytree(ROOT / "imdb_rnn", tmp_path / "imdb_rnn", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "imdb_rnn/network"


def run(library: Path) -> tuple[float, int]:
    """What sigmoid(1) is for a process of its own, and whether it found sigmoid on the disk."""
    value, hits = subprocess.check_output([sys.executable, "-c", PROGRAM], cwd=library.parents[1], text=True).split()
    return float(value), int(hits)


def compiled(library: Path) -> list[Path]:
    return sorted((library / "__pycache__").glob("sigmoid-*.compiled"))


def test_what_one_process_compiled_another_one_finds(library):
    assert run(library) == (pytest.approx(0.731059, abs=1e-6), 0)
    assert run(library) == (pytest.approx(0.731059, abs=1e-6), 1)


def test_a_change_in_a_function_that_another_one_calls_is_seen(library):
    run(library)
    (old,) = compiled(library)
    source = library / "activations.py"
    text = source.read_text(encoding="utf-8")
    assert text.count("return x * p / q") == 1
    source.write_text(text.replace("return x * p / q", "return np.float32(0)"), encoding="utf-8")
    assert run(library) == (0.5, 0)
    (new,) = compiled(library)
    assert new != old


def test_a_damaged_file_is_compiled_anew(library):
    run(library)
    (path,) = compiled(library)
    path.write_bytes(path.read_bytes()[:-100])
    assert run(library) == (pytest.approx(0.731059, abs=1e-6), 0)
    assert run(library) == (pytest.approx(0.731059, abs=1e-6), 1)


def test_without_a_place_for_it_each_process_compiles(library):
    (library / "__pycache__").write_text("no folder")
    assert run(library) == (pytest.approx(0.731059, abs=1e-6), 0)
    assert run(library) == (pytest.approx(0.731059, abs=1e-6), 0)
