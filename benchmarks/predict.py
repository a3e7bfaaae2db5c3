"""How fast a trained network answers: `python -m benchmarks.predict`.

Takes `data/model.safetensors`, `results/export/model.keras` and the bundled reviews, and prints: the time of `imdb-rnn
predict` with one sentence, in a new process each time; words a second of splitting and encoding; reviews a second from
text to probability, and of Keras' `model.predict` on the same reviews, padded before the clock starts; and the time of
a table of a million short reviews.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import imdb_rnn
from imdb_rnn.core import files
from imdb_rnn.core.errors import run_command
from imdb_rnn.keras_model import load_keras
from imdb_rnn.text.encode import pad
from imdb_rnn.text.sources.bundled import find_file, read_table

PROCESSES, ROUNDS = 20, 3
ROWS = 1_000_000
SENTENCE = "A wonderful film."


def seconds(function: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The median time of a call."""
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        function()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def run(*arguments: str) -> None:
    """Run the command in a process of its own."""
    subprocess.run([sys.executable, "-m", "imdb_rnn", *arguments], check=True, stdout=subprocess.DEVNULL)


def main() -> None:
    run("predict", SENTENCE)  # compiles what is not compiled yet
    numba = [sys.executable, "-c", "import numba"]
    answers, imports = [], []
    for _ in range(PROCESSES):  # in turns
        answers.append(seconds(lambda: run("predict", SENTENCE), 1))
        imports.append(seconds(lambda: subprocess.run(numba, check=True), 1))
    answer, imported = statistics.median(answers), statistics.median(imports)
    print(
        f"one sentence, from the shell: {answer:.2f} s, {answer / imported:.1f} times `import numba` ({imported:.2f} s)"
    )

    model, texts = imdb_rnn.load(), read_table(find_file())["text"].tolist()
    ids = model.encode(texts)
    words = sum(len(model.tokenize(text)) for text in texts)
    print(f"splitting and encoding: {words / seconds(lambda: model.encode(texts)) / 1e6:.1f} million words a second")

    ours = len(texts) / seconds(lambda: model.predict_proba(texts))
    keras_model = load_keras().models.load_model(files.EXPORT / "model.keras")
    x = pad(ids, model.encoding.maxlen, model.encoding.padding)
    theirs = len(texts) / seconds(lambda: keras_model.predict(x, verbose=0))
    apart = np.abs(keras_model.predict(x, verbose=0)[:, 0] - model.predict_proba(texts)).max()
    print(f"{len(texts):,} reviews from text: {ours:,.0f} a second; Keras from padded ids: {theirs:,.0f}")
    print(f"{ours / theirs:.1f} times as many; the probabilities differ by {apart:.0e} at most")

    with tempfile.TemporaryDirectory() as folder:
        table, out = Path(folder) / "reviews.csv", Path(folder) / "scored.csv"
        beginnings = [" ".join(text.split()[:20]).replace('"', "") for text in texts]
        table.write_text("text\n" + "".join(f'"{beginnings[row % len(texts)]}"\n' for row in range(ROWS)), "utf-8")
        taken = seconds(lambda: run("predict", "--table", str(table), "--out", str(out)), 1)
    print(f"a table of {ROWS:,} reviews of 20 words: {taken:.0f} s")


if __name__ == "__main__":
    run_command(main)
