"""The training of this pipeline, on the same reviews and over as many epochs.

Usage: python pipeline.py CELL EPOCHS SEED MASK_PADDING, in a folder with `data/padded/` and a `params.yaml` with the
article's settings. MASK_PADDING is `true` to skip padding and `false` for the article's network. Prints a line of JSON.
"""

import contextlib
import json
import sys
import time

from stages.batches import unpad
from imdb_rnn.base.params import load_params
from stages.reviews import read_padded
from stages.train import train


class Clock:
    """Stands in for stdout and notes when each epoch's line is printed."""

    def __init__(self):
        self.times = []

    def write(self, text: str) -> None:
        if text.startswith("epoch "):
            self.times.append(time.perf_counter())

    def flush(self) -> None:
        pass


cell, epochs, seed, mask_padding = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "true"
params = load_params()
model_params = params.model.model_copy(update={"cell": cell, "mask_padding": mask_padding})
train_params = params.train.model_copy(update={"epochs": epochs, "seed": seed})


def read(name: str):
    x, y = read_padded(name, params.pad.vocab_size)
    return unpad(x, mask_padding), y


reviews, test_reviews = read("train"), read("test")
clock = Clock()
start = time.perf_counter()
with contextlib.redirect_stdout(clock):
    _, course = train(*reviews, *test_reviews, params.pad.vocab_size, model_params, train_params)
print(json.dumps(list(zip([now - start for now in clock.times], course["val_accuracy"], strict=True))))
