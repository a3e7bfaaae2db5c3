"""Compile on two processors at the first training: the recurrence in this process, all the rest in another.

The other process runs `python -m imdb_rnn.training.ahead MODEL`, MODEL being `ModelParams` as JSON. What it compiles,
this one takes from the disk.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from imdb_rnn.core.params import ModelParams, PadParams, TrainParams
from imdb_rnn.engine import threads
from imdb_rnn.engine.kernels import compiled
from imdb_rnn.engine.kernels.arithmetic import expit, log_losses
from imdb_rnn.engine.ragged import from_lengths
from imdb_rnn.text.encode import Labelled
from imdb_rnn.training.compiled_learner import CompiledLearner


@contextmanager
def compiling_the_rest(model: ModelParams) -> Iterator[None]:
    """Let another process compile while the body does, and wait for it.

    Not where the machine code is on the disk, nor where it cannot be written there, nor with one processor.
    """
    if threads.count() == 1 or compiled.is_on_disk("add_up_words") or not compiled.can_be_kept():
        yield
        return
    command = [sys.executable, "-m", __name__, model.model_dump_json()]
    folder = compiled.HERE.parent.parent
    nothing = subprocess.DEVNULL
    with subprocess.Popen(command, cwd=folder, stdin=nothing, stdout=nothing, stderr=nothing) as process:
        try:
            yield
        except BaseException:
            process.kill()
            raise


def compile_the_rest(model: ModelParams) -> None:
    """Learn from two small reviews, the recurrence left out, and turn a logit into a probability and a loss."""
    small = {"embedding_dim": 1, "embeddings": "learned", "units": 1, "ngram_min_reviews": 1}
    ids = from_lengths(np.array([3, 4], np.int32), np.array([1, 1]))
    reviews = Labelled(ids, np.array([0, 1]))
    learner = CompiledLearner(reviews, model.model_copy(update=small), PadParams(vocab_size=5), TrainParams(), 1)
    learner.engine.read_tiles = lambda *_: None
    for _ in learner.learn(1, [np.arange(2)], 0):
        pass
    log_losses(np.zeros(1), expit(np.zeros(1)))


if __name__ == "__main__":
    compile_the_rest(ModelParams.model_validate_json(sys.argv[1]))
