"""How fast this pipeline trains beside a plain Keras script and PyTorch, on the same machine and the same reviews.

The programs run in turns, each in a process of its own, several rounds. Every figure is the median of the rounds; only
ratios say something about another machine. Writes `benchmarks/results.csv`, a row for each run, and
`benchmarks/results.png`; with the bundled reviews, `results-bundled.csv` and `results-bundled.png`.
"""

import argparse
import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from presets import PRESETS_FILE, PresetData, apply, preset
from stages import files
from imdb_rnn.base.errors import UserError, run
from imdb_rnn.base.params import PARAMS_FILE, read_text

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
GATES = {"simple_rnn": 1, "lstm": 4, "gru": 3}
DIM = UNITS = 32
COLUMNS = [
    "cell",
    "program",
    "round",
    "epochs",
    "seconds",
    "wall",
    "peak_mib",
    "best_accuracy",
    "last_accuracy",
    "catch_up",
]


def checkout(folder: Path, source: str) -> None:
    """Copy the project's files to `folder`, with the article's settings, as a repository of its own."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        raise UserError(f"{ROOT} is no git checkout ({listed.stderr.strip()}); clone the repository to measure it")
    for name in listed.stdout.strip("\0").split("\0"):
        if (ROOT / name).is_file() and name not in ("dvc.lock", str(files.METRICS)):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    if (ROOT / files.DOWNLOADS).is_dir():
        shutil.copytree(ROOT / files.DOWNLOADS, folder / files.DOWNLOADS)
    article = preset(read_text(ROOT / PRESETS_FILE), "article")
    article = article.model_copy(update={"data": PresetData(source=source)})
    (folder / PARAMS_FILE).write_text(apply(article, read_text(ROOT / PARAMS_FILE)), encoding="utf-8")
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)


def timed(command: list[str], folder: Path) -> tuple[str, float, float]:
    """Run a command and return what it printed, its wall time in seconds and its peak memory in MiB."""
    with tempfile.TemporaryFile("w+") as noise:  # what the libraries say of themselves
        start = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=noise,
            text=True,
        )
        printed = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - start
        if process.returncode:
            noise.seek(0)
            raise UserError(f"`{' '.join(command)}` ended with status {process.returncode}:\n{noise.read()}{printed}")
    return printed, wall, usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def measure(program: str, cell: str, epochs: int, seed: int, folder: Path) -> dict:
    """Run one of the programs; `catch_up` is left for the caller."""
    script, *rest = {
        "Keras": ["plain_keras.py"],
        "PyTorch": ["pytorch.py"],
        "pipeline": ["pipeline.py", "true"],
        "pipeline, padding read": ["pipeline.py", "false"],
    }[program]
    command = [sys.executable, str(HERE / script), cell, str(epochs), str(seed), *rest]
    printed, wall, peak = timed(command, folder)
    course = json.loads(printed.splitlines()[-1])
    accuracies = [accuracy for _, accuracy in course]
    return {
        "cell": cell,
        "program": program,
        "round": seed,
        "epochs": epochs,
        "seconds": course[-1][0],
        "wall": wall,
        "peak_mib": peak,
        "best_accuracy": max(accuracies),
        "last_accuracy": accuracies[-1],
        "course": course,
    }


def product_rate() -> float:
    """Floating-point operations a second of a large float32 matrix product, the best of seven: the machine's limit."""
    a = np.random.default_rng(0).random((3000, 3000), np.float32)
    seconds = []
    for _ in range(7):
        start = time.perf_counter()
        a @ a
        seconds.append(time.perf_counter() - start)
    return 2 * len(a) ** 3 / min(seconds)


def operations(cell: str, epochs: int, folder: Path) -> float:
    """Floating-point operations of the network's products over the words: 6 a weight for training, 2 for validation."""
    train, test = (int((np.load(folder / f"data/padded/x_{name}.npy") != 0).sum()) for name in ("train", "test"))
    return epochs * (6 * train + 2 * test) * GATES[cell] * UNITS * (DIM + UNITS)


def table(runs: pd.DataFrame, limits: dict[str, float]) -> str:
    """Medians over the rounds as a Markdown table."""
    lines = [
        "| cell | program | rounds × epochs | training, s (range) | times as fast as Keras | whole program, s "
        "| peak memory, MiB | s to Keras' best accuracy | last accuracy | times the limit |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for (cell, program), group in runs.groupby(["cell", "program"], sort=False):
        keras = runs[(runs["cell"] == cell) & (runs["program"] == "Keras")]["seconds"].median()
        reached = group["catch_up"].dropna()
        catch_up = f"{reached.median():.1f} ({len(reached)} of {len(group)})" if len(reached) else "not reached"
        seconds = group["seconds"]
        lines.append(
            f"| {cell} | {program} | {len(group)} × {group['epochs'].iloc[0]} "
            f"| {seconds.median():.1f} ({seconds.min():.1f}–{seconds.max():.1f}) "
            f"| {keras / seconds.median():.1f} | {group['wall'].median():.1f} | {group['peak_mib'].median():.0f} "
            f"| {catch_up} | {group['last_accuracy'].mean():.3f} | {seconds.median() / limits[cell]:.1f} |"
        )
    return "\n".join(lines)


def draw(runs: pd.DataFrame, path: Path) -> None:
    """Bars: how many times as fast as plain Keras each program trains, the range of the rounds as a line."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    labels, position = [], 0
    for cell, of_cell in runs.groupby("cell", sort=False):
        keras = of_cell[of_cell["program"] == "Keras"]["seconds"].median()
        for program, group in of_cell.groupby("program", sort=False):
            ratios = keras / group["seconds"]
            middle = keras / group["seconds"].median()
            color = "#0072b2" if program.startswith("pipeline") else "#999999"
            axes.barh(position, middle, color=color)
            axes.plot([ratios.min(), ratios.max()], [position, position], color="black", linewidth=1.5)
            axes.text(max(middle, ratios.max()), position, f"  {middle:.1f}", va="center")
            labels.append(f"{cell}: {program}")
            position += 1
        position += 0.5
    axes.set_yticks([bar.get_y() + bar.get_height() / 2 for bar in axes.patches], labels)
    axes.invert_yaxis()
    axes.margins(x=0.1)
    axes.set_xlabel("training with validation every epoch: times as fast as plain Keras")
    figure.savefig(path, dpi=120)


def compare(rounds: int, epochs: int, other_epochs: int, source: str) -> None:
    """Run everything, print the tables, write the results beside this file, the rows after every round."""
    programs = ["Keras", "PyTorch", "pipeline", "pipeline, padding read"]
    if importlib.util.find_spec("torch") is None:
        programs.remove("PyTorch")
        print("PyTorch is not installed and left out; `.venv/bin/pip install torch` adds it", file=sys.stderr)
    runs, repro = [], []
    results = HERE / ("results.csv" if source == "keras" else "results-bundled.csv")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "data"
        checkout(folder, source)
        for stage in ("download", "pad"):
            command = [sys.executable, "-m", f"stages.{stage}"]
            made = subprocess.run(command, cwd=folder, stderr=subprocess.PIPE, text=True)
            if made.returncode:
                reason = made.stderr.removeprefix("error: ").split("; ")[0].strip()
                raise UserError(
                    f"no reviews to train on; `make bench SOURCE=bundled` takes the bundled ones ({reason})"
                )
        for turn in range(1, rounds + 1):
            for cell in GATES:
                count = epochs if cell == "simple_rnn" else other_epochs
                of_turn = [measure(program, cell, count, turn, folder) for program in programs]
                for row in of_turn:
                    best = of_turn[0]["best_accuracy"]
                    row["catch_up"] = next((seconds for seconds, value in row["course"] if value >= best), None)
                    print(f"round {turn}: {cell}, {row['program']}: {row['seconds']:.1f} s", file=sys.stderr)
                runs += of_turn
            pd.DataFrame(runs)[COLUMNS].round(4).to_csv(results, index=False, lineterminator="\n")
            cold = Path(place) / f"cold{turn}"
            checkout(cold, source)
            if (folder / files.DOWNLOADS).is_dir():  # the plain script does not download either
                shutil.copytree(folder / files.DOWNLOADS, cold / files.DOWNLOADS, dirs_exist_ok=True)
            _, wall, _ = timed(["dvc", "repro"], cold)
            _, nothing, _ = timed(["dvc", "repro"], cold)
            repro.append((wall, nothing))
            shutil.rmtree(cold)
            print(f"round {turn}: cold `dvc repro`: {wall:.1f} s", file=sys.stderr)
        rate = product_rate()
        limits = {
            cell: operations(cell, epochs if cell == "simple_rnn" else other_epochs, folder) / rate for cell in GATES
        }
    runs = pd.DataFrame(runs)
    draw(runs, results.with_suffix(".png"))
    print(table(runs, limits))
    plain = runs[(runs["cell"] == "simple_rnn") & (runs["program"] == "Keras")]["wall"].median()
    cold, nothing = (statistics.median(values) for values in zip(*repro, strict=True))
    print(
        f"\nCold `dvc repro` with the article's settings: {cold:.1f} s, {cold / plain:.2f} of the plain script's "
        f"{plain:.1f} s ({', '.join(f'{wall:.1f}' for wall, _ in repro)}); with nothing to do: {nothing:.1f} s.\n"
        f"The limit is that of a large matrix product here, {rate / 1e9:.0f} GFLOP/s, on {os.cpu_count()} CPUs."
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=10, help="for the article's network")
    parser.add_argument("--other-epochs", type=int, default=2, help="for LSTM and GRU")
    parser.add_argument("--source", choices=["keras", "bundled"], default="keras")
    options = parser.parse_args()
    compare(options.rounds, options.epochs, options.other_epochs, options.source)


if __name__ == "__main__":
    run(main)
