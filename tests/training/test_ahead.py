import os
import subprocess
import sys

import pytest
from material import ROOT

from imdb_rnn.core.params import TrainParams
from imdb_rnn.training import ahead

# Afterwards training finds everything on the disk; with weights that compiling must not have changed.
TRAINING = """
import numpy as np
from imdb_rnn.core.params import ModelParams, PadParams, TrainParams
from imdb_rnn.engine.kernels.recurrence import run_tiles
from imdb_rnn.engine.ragged import from_lengths
from imdb_rnn.text.encode import Labelled
from imdb_rnn.training import ahead
from imdb_rnn.training.loop import train

if __name__ == "__main__":
    ahead.threads.count = lambda: 2
    params = TrainParams(epochs=1)
    assert ahead.is_new("run_tiles")
    with ahead.compiled_ahead("gru", params):
        reviews = Labelled(from_lengths(np.arange(1, 7, dtype=np.int32), np.array([3, 3])), np.array([0, 1]))
    train(reviews, reviews, ModelParams(cell="gru", units=8), PadParams(vocab_size=20), params)
    assert not ahead.is_new("run_tiles")
    print(sum(run_tiles.stats.cache_hits.values()), sum(run_tiles.stats.cache_misses.values()))
"""


@pytest.mark.slow
def test_the_other_process_has_compiled_the_recurrence(tmp_path):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-c", TRAINING]
    printed = subprocess.check_output(command, cwd=tmp_path, env=environment, text=True)
    assert printed.splitlines()[-1] == "1 0"


def test_a_process_that_fails_is_no_failure(monkeypatch):
    monkeypatch.setattr(ahead, "is_new", lambda _: True)
    monkeypatch.setattr(ahead.threads, "count", lambda: 2)
    monkeypatch.setattr(sys, "executable", "false")
    done = []
    with ahead.compiled_ahead("simple_rnn", TrainParams()):
        done.append("the body")
    assert done == ["the body"]


def test_where_the_recurrence_is_compiled_no_process_is_started(monkeypatch):
    monkeypatch.setattr(ahead, "is_new", lambda _: False)
    monkeypatch.setattr(subprocess, "Popen", None)
    with ahead.compiled_ahead("simple_rnn", TrainParams()):
        pass
