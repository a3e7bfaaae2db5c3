"""How the time of training grows with the network, the vocabulary, the number of reviews and that of threads.

The engine `keras` is measured as well where the number of units varies.

Usage: python -m benchmarks.growth [FOLDER]. Reviews are made up: lengths are drawn as those of film reviews are spread,
words by their rank as in English. Writes `growth.csv` and `growth.png` to FOLDER, here unless it is given. Every figure
is the median of three runs in turns, each in a process of its own that has compiled everything before.
"""

import itertools
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from imdb_rnn.core import frames
from imdb_rnn.core.errors import run_command
from imdb_rnn.core.params import ModelParams, PadParams, TrainParams
from imdb_rnn.engine.ragged import from_lengths
from imdb_rnn.text.encode import Labelled
from imdb_rnn.training.batches import shuffled
from imdb_rnn.training.learner import learner

ROUNDS = 3
BATCHES = {"compiled": 100, "keras": 10}  # of 128 reviews that are timed; Keras', all padded, take the same time each
USUAL = {"engine": "compiled", "cell": "simple_rnn", "units": 32, "vocabulary": 10_000, "reviews": 25_000, "threads": 2}
VARIED = {
    "units": [32, 64, 128, 256, 512],
    "vocabulary": [5_000, 10_000, 30_000, 100_000],
    "reviews": [5_000, 25_000, 100_000, 1_000_000],
    "threads": [1, 2],
}
CELLS = ("simple_rnn", "lstm", "gru")


def made_up(reviews: int, vocabulary: int, maxlen: int) -> Labelled:
    """Reviews of 223 words on average; word k is as frequent as 1 / k."""
    random = np.random.default_rng(1)
    lengths = np.minimum(random.lognormal(5.2, 0.65, reviews).astype(np.int64) + 10, maxlen)
    share = np.cumsum(1 / np.arange(3, vocabulary))
    words = np.searchsorted(share, random.random(lengths.sum(), np.float32) * share[-1]) + 3
    return Labelled(from_lengths(words.astype(np.int32), lengths), random.integers(0, 2, reviews))


def nanoseconds(engine: str, cell: str, units: int, vocabulary: int, reviews: int) -> float:
    """Train on some batches, and return the nanoseconds for each of their words."""
    encoding = PadParams(vocab_size=vocabulary)
    training = made_up(reviews, vocabulary, encoding.maxlen)
    model, params = ModelParams(cell=cell, units=units, embedding_dim=32), TrainParams(engine=engine)
    learning = learner(training, model, encoding, params, 1000)
    batches = shuffled(reviews, params.batch_size, params.seed, 1)[: BATCHES[engine] + 3]
    steps = learning.learn(1, batches, 0)
    for _ in range(3):  # the first ones compile, and take memory
        next(steps)
    begun = time.perf_counter()
    for _ in steps:
        pass
    return 1e9 * (time.perf_counter() - begun) / training.ids.lengths[np.concatenate(batches[3:])].sum()


def draw(runs: pd.DataFrame, path: Path) -> None:
    """A panel for each thing that grows, a line for each cell and engine."""
    figure = Figure(figsize=(10, 7), layout="constrained")
    for axes, name in zip(figure.subplots(2, 2).flat, VARIED, strict=True):
        for (engine, cell), group in runs[runs["varied"] == name].groupby(["engine", "cell"], sort=False):
            median = group.groupby(name)["ns_per_word"].median()
            style = {"compiled": "-", "keras": "--"}[engine]
            axes.plot(median.index, median, style, marker="o", label=f"{cell}, {engine}")
        axes.set(xlabel=name, ylabel="ns a word", yscale="log", xscale="linear" if name == "threads" else "log")
        axes.grid(color="#e5e5e5")
        axes.legend(frameon=False)
    figure.savefig(path, dpi=120)


def main() -> None:
    if sys.argv[1:2] == ["--case"]:
        case = json.loads(sys.argv[2])
        print(nanoseconds(case["engine"], case["cell"], case["units"], case["vocabulary"], case["reviews"]))
        return
    folder = Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).resolve().parent
    rows = []
    for turn in range(1, ROUNDS + 1):
        for name, values in VARIED.items():
            kinds = itertools.product(BATCHES, CELLS) if name == "units" else [("compiled", CELLS[0])]
            for engine, cell in kinds:
                for value in values:
                    case = USUAL | {"engine": engine, "cell": cell, name: value}
                    command = [sys.executable, "-m", "benchmarks.growth", "--case", json.dumps(case)]
                    environment = {"NUMBA_NUM_THREADS": str(case["threads"])}
                    printed = subprocess.check_output(command, text=True, env={**os.environ, **environment})
                    rows.append({"varied": name, **case, "round": turn, "ns_per_word": round(float(printed), 1)})
                    print(
                        f"round {turn}: {engine}, {cell}, {name} {value}: {rows[-1]['ns_per_word']} ns a word",
                        flush=True,
                    )
    runs = pd.DataFrame(rows)
    frames.write_csv(folder / "growth.csv", runs)
    draw(runs, folder / "growth.png")


if __name__ == "__main__":
    run_command(main)
