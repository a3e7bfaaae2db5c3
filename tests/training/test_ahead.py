"""Compilation by two processes: all is compiled once, and what goes wrong in one does not stop the other."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from material import ROOT

from imdb_rnn.core.params import ModelParams
from imdb_rnn.engine.kernels import compiled
from imdb_rnn.training import ahead

# Prints, after a step of training, which functions were found on the disk and which were compiled.
PROGRAM = """
import json, sys
import numpy as np
from imdb_rnn.core.params import ModelParams, PadParams, TrainParams
from imdb_rnn.engine.kernels import arithmetic, ngrams, words
from imdb_rnn.engine import engine, threads
from imdb_rnn.text.encode import Labelled
from imdb_rnn.engine.ragged import from_lengths
from imdb_rnn.training import ahead
from imdb_rnn.engine.kernels import optimizer
from imdb_rnn.training.learner import learner

if sys.argv[1] == "alone":
    ahead.subprocess.Popen = None
ids = from_lengths(np.arange(3, 9, dtype=np.int32), np.array([4, 2]))
model = ModelParams(units=8, ngrams=2, ngram_min_reviews=1)
learning = learner(Labelled(ids, np.array([0, 1])), model, PadParams(vocab_size=10), TrainParams(), 1)
list(learning.learn(1, [np.arange(2)], 0))
logits = np.zeros(2)
arithmetic.log_losses(logits, arithmetic.expit(logits))
logits.setflags(write=False)  # as pandas gives them
arithmetic.log_losses(logits, arithmetic.expit(logits))
rest = [words._lay_out, words.fill_table, words.add_up_words, optimizer._step, ngrams.add_up, ngrams.add_up_back]
rest += [arithmetic._expit, arithmetic._log_losses]
functions = {"read_tiles": learning.engine.read_tiles} | {f.__name__: f for f in rest}
print(json.dumps({name: [sum(f.stats.cache_hits.values()), len(f.signatures)] for name, f in functions.items()}))
"""


@pytest.mark.slow
def test_the_rest_comes_from_the_other_process_and_each_function_is_compiled_once(tmp_path):
    shutil.copytree(ROOT / "imdb_rnn", tmp_path / "imdb_rnn", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "program.py").write_text(PROGRAM)

    def found(how: str) -> dict[str, list[int]]:
        environment = os.environ | {"NUMBA_NUM_THREADS": "2"}  # a machine with one processor compiles alone
        command = [sys.executable, "program.py", how]
        return json.loads(subprocess.check_output(command, cwd=tmp_path, env=environment, text=True))

    first = found("together")
    assert first.pop("read_tiles") == [0, 1]
    assert set(map(tuple, first.values())) == {(1, 1)}
    assert set(map(tuple, found("alone").values())) == {(1, 1)}


@pytest.mark.slow
def test_what_is_done_with_logits_is_among_the_rest_though_no_ngrams_need_it():
    program = """if True:
        from imdb_rnn.core.params import ModelParams
        from imdb_rnn.engine.kernels import arithmetic
        from imdb_rnn.training import ahead
        ahead.compile_the_rest(ModelParams(ngrams=0))
        assert arithmetic._expit.signatures and arithmetic._log_losses.signatures
    """
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


@pytest.fixture
def nothing_on_disk(monkeypatch, tmp_path):
    monkeypatch.setattr(compiled, "FOLDER", tmp_path)
    monkeypatch.setattr(ahead.threads, "count", lambda: 2)


def test_a_process_that_fails_does_not_stop_this_one(nothing_on_disk, monkeypatch):
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    done = []
    with ahead.compiling_the_rest(ModelParams()):
        done.append("the recurrence")
    assert done


def test_the_other_process_ends_with_an_interrupt(nothing_on_disk, monkeypatch):
    started = []

    class Popen(subprocess.Popen):
        def __init__(self, command: list[str], **options) -> None:
            super().__init__([shutil.which("sleep"), "60"], **options)
            started.append(self)

    monkeypatch.setattr(ahead.subprocess, "Popen", Popen)
    with pytest.raises(KeyboardInterrupt), ahead.compiling_the_rest(ModelParams()):
        raise KeyboardInterrupt
    assert started[0].poll() is not None


def test_one_processor_compiles_alone(nothing_on_disk, monkeypatch):
    monkeypatch.setattr(ahead.threads, "count", lambda: 1)
    monkeypatch.setattr(ahead.subprocess, "Popen", None)
    with ahead.compiling_the_rest(ModelParams()):
        pass


@pytest.mark.parametrize("fault", ["no folder", "not writable"])
def test_where_machine_code_cannot_be_kept_each_process_compiles_for_itself(
    nothing_on_disk, monkeypatch, tmp_path, fault
):
    if fault == "no folder":
        (tmp_path / "file").touch()
        monkeypatch.setattr(compiled, "FOLDER", tmp_path / "file/compiled")
    else:
        monkeypatch.setattr(compiled.os, "access", lambda *_: False)  # root may write everywhere
    monkeypatch.setattr(ahead.subprocess, "Popen", None)
    with ahead.compiling_the_rest(ModelParams()):
        pass
