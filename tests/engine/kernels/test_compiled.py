"""Machine code on disk: found again, and never of other code."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from material import ROOT

pytestmark = pytest.mark.slow

PROGRAM = """
import numpy as np
from imdb_rnn.engine.kernels.arithmetic import probabilities, _cross_entropies
print(float(probabilities(np.ones(1))[0]), sum(_cross_entropies.stats.cache_hits.values()))
"""
OF_1, OF_PATCHED = pytest.approx(0.731059, abs=1e-6), 0.5


@pytest.fixture
def folder(tmp_path) -> Path:
    """A copy of the engine."""
    folder = tmp_path / "copy"
    shutil.copytree(ROOT / "imdb_rnn/engine", folder / "imdb_rnn/engine", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "imdb_rnn/__init__.py").touch()
    return folder


def run(folder: Path, **env: str) -> tuple[float, int]:
    """What a process of its own computes, and how many functions it found on the disk."""
    env = os.environ | {"PYTHONPATH": str(folder), "XDG_CACHE_HOME": str(folder / "cache")} | env
    value, hits = subprocess.check_output([sys.executable, "-c", PROGRAM], cwd=folder, env=env, text=True).split()
    return float(value), int(hits)


def compiled_for(folder: Path) -> set[str]:
    """The states of the code of which there is machine code."""
    return {path.name for path in (folder / "imdb_rnn/engine/kernels/__pycache__/imdb_rnn").iterdir()}


def test_a_process_finds_what_another_one_compiled_until_a_called_function_changes(folder):
    assert run(folder) == (OF_1, 0)
    assert run(folder) == (OF_1, 1)
    assert not (folder / "cache").exists()
    before, source = compiled_for(folder), folder / "imdb_rnn/engine/kernels/arithmetic.py"
    text = source.read_text(encoding="utf-8")
    assert text.count("    return total * power\n") == 1  # of exp, which `_cross_entropies` calls
    source.write_text(text.replace("    return total * power\n", "    return 1.0\n"), encoding="utf-8")
    assert run(folder) == (OF_PATCHED, 0)
    assert len(compiled_for(folder)) == 1, "what was compiled of the older code is still there"
    assert compiled_for(folder) != before


def make_unwritable(path: Path) -> None:
    """For every user, root too."""
    shutil.rmtree(path, ignore_errors=True)
    path.write_text("no folder")


def test_the_code_of_a_read_only_package_is_kept_for_the_user(folder):
    make_unwritable(folder / "imdb_rnn/engine/kernels/__pycache__")
    assert run(folder) == (OF_1, 0)
    assert run(folder) == (OF_1, 1)
    assert (folder / "cache/imdb_rnn").is_dir()


def test_without_a_folder_for_it_each_process_compiles(folder):
    make_unwritable(folder / "imdb_rnn/engine/kernels/__pycache__")
    make_unwritable(folder / "cache")
    for _ in range(2):
        assert run(folder) == (OF_1, 0)


def test_numba_s_own_setting_is_respected(folder):
    for hits in range(2):
        assert run(folder, NUMBA_CACHE_DIR=str(folder / "chosen")) == (OF_1, hits)
    assert [path.name for path in (folder / "chosen").iterdir()] == ["imdb_rnn"]
