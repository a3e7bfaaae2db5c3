"""Compile what training calls, in two processes: Numba compiles one function at a time in a process.

The recurrence takes longer to compile than everything else together. Functions are compiled by calling them for no
reviews, so that they compute nothing.

Also a program: `python -m imdb_rnn.training.ahead CELL` compiles the recurrence with a cell.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from imdb_rnn.core.params import ModelParams, TrainParams
from imdb_rnn.engine import threads
from imdb_rnn.engine.engine import EMPTY, Engine, Masks
from imdb_rnn.engine.kernels import optimizer
from imdb_rnn.engine.kernels.arithmetic import cross_entropy
from imdb_rnn.engine.kernels.compiled import is_new
from imdb_rnn.engine.layout import Layout
from imdb_rnn.engine.ragged import from_lengths


@contextmanager
def compiled_ahead(cell: str, params: TrainParams) -> Iterator[None]:
    """If the recurrence is not compiled yet, compile what training calls, and the recurrence while the body runs.

    If the process that compiles the recurrence fails, this one compiles it when it is first called.
    """
    if params.engine != "compiled" or threads.count() == 1 or not is_new("run_tiles"):
        yield
        return
    command = [sys.executable, "-m", __name__, cell]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:  # noqa: S603
        try:
            compile_rest(cell, params)
            yield
        except BaseException:
            process.kill()
            raise


def engine_and_weights(cell: str) -> tuple[Engine, np.ndarray]:
    """Those of a small network: what is compiled depends on the cell alone."""
    layout = Layout(ModelParams(cell=cell), vocab_size=5, num_ngrams=0)  # type: ignore[arg-type]
    return Engine(layout), np.zeros(layout.size, np.float32)


def compile_recurrence(cell: str) -> None:
    engine, flat = engine_and_weights(cell)
    engine.run_nothing(flat)


def compile_rest(cell: str, params: TrainParams) -> None:
    """Compile what training calls, except for the recurrence and what only n-grams and `ppmi_svd` need."""
    engine, flat = engine_and_weights(cell)
    nothing = from_lengths(np.empty(0, np.int32), np.empty(0, np.int64))
    engine.learn(flat, engine.prepare(nothing), EMPTY, np.empty(0), Masks())
    optimizer.start(flat, params, 1).apply(np.zeros_like(flat), 0.0)
    cross_entropy(EMPTY, EMPTY)


if __name__ == "__main__":
    compile_recurrence(sys.argv[1])
