"""The training of this pipeline, on the same reviews and over as many epochs.

Usage: python -m benchmarks.pipeline CELL EPOCHS SEED MASK_PADDING, in a folder with `data/padded/` and a `params.yaml`
with the article's settings. MASK_PADDING is `true` to skip padding and `false` for the article's network. Prints a line
of JSON. NUMBA_NUM_THREADS says how many threads there are.
"""

import contextlib
import json
import sys
import time
from pathlib import Path

from imdb_rnn.core import files
from imdb_rnn.core.params import load_params
from imdb_rnn.text.encode import Labelled, read_padded, unpad
from imdb_rnn.training.loop import train


class Clock:
    """Stands in for stdout and notes when each epoch's line is printed."""

    def __init__(self):
        self.times = []

    def write(self, text: str) -> None:
        if text.startswith("epoch "):
            self.times.append(time.perf_counter())

    def flush(self) -> None:
        pass


def main(cell: str, epochs: int, seed: int, mask_padding: bool) -> None:
    params = load_params(Path())
    model_params = params.model.model_copy(update={"cell": cell, "mask_padding": mask_padding})
    train_params = params.train.model_copy(update={"epochs": epochs, "seed": seed})

    def read(name: str) -> Labelled:
        x, y = read_padded(files.PADDED, name, params.pad.vocab_size)
        return Labelled(unpad(x), y)

    training, validation = read("train"), read("test")
    clock = Clock()
    start = time.perf_counter()
    with contextlib.redirect_stdout(clock):
        history = train(training, validation, model_params, params.pad, train_params).history
    print(json.dumps(list(zip([now - start for now in clock.times], history["val_accuracy"], strict=True))))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "true")
