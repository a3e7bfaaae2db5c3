"""How fast this pipeline trains, compared with a plain Keras script and PyTorch on the same machine and reviews.

The programs run in turns, each in a process of its own, several rounds. Every figure is the median of the rounds; only
ratios carry over to another machine. Writes `results.csv`, a row per run, and `results.png`; with the
bundled reviews, `results-bundled.csv` and `results-bundled.png`.
"""

import argparse
import importlib.util
import json
import os
import re
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

from benchmarks import pytorch
from imdb_rnn import keras_model
from imdb_rnn.core import files, frames
from imdb_rnn.core.errors import UserError, run_command
from imdb_rnn.core.presets import PRESETS_FILE, PresetData, apply, preset
from imdb_rnn.engine.kernels import compiled
from imdb_rnn.engine.kernels.cells import CELLS

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
ARTICLE_CELL = "simple_rnn"
DIM = UNITS = 32
COLD = "pipeline, first time"  # on a machine, so that everything is compiled
ONE_THREAD, PADDING_READ = "pipeline, one thread", "pipeline, padding read"
PROGRAMS = ["PyTorch", COLD, "pipeline", ONE_THREAD, PADDING_READ]  # and Keras, with which all are compared
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


def checkout(folder: Path, source: str, epochs: int, maxlen: int) -> None:
    """Copy the project's files to `folder`, with the article's settings, as a repository of its own."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        raise UserError(f"{ROOT} is no git checkout ({listed.stderr.strip()}); clone the repository to measure it")
    made = {"dvc.lock", str(files.METRICS), str(files.SENSITIVITY_METRICS)}
    for name in set(listed.stdout.strip("\0").split("\0")) - made:
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    if (ROOT / files.DOWNLOADS).is_dir():
        shutil.copytree(ROOT / files.DOWNLOADS, folder / files.DOWNLOADS)
    article = preset(files.read_text(ROOT / PRESETS_FILE), "article")
    settings = article.model_copy(
        update={
            "data": PresetData(source=source, tokenizer="word"),
            "pad": article.pad.model_copy(update={"maxlen": maxlen}),
            "train": article.train.model_copy(update={"engine": "compiled", "epochs": epochs}),
        }
    )
    params = apply(settings, files.read_text(ROOT / files.PARAMS))
    (folder / files.PARAMS).write_text(params, encoding="utf-8")
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)


def environment() -> dict[str, str]:
    """That of this process, with this Python as the first of the path, with which DVC runs the stages."""
    return os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def timed(module: list[str], folder: Path, **variables: str) -> tuple[str, float, float]:
    """Run a module and its arguments in `folder`, from which all of the project's code then comes.

    Returns:
        What it printed, its wall time in seconds and its peak memory in MiB.
    """
    with tempfile.TemporaryFile("w+") as noise:  # what the libraries say of themselves
        start = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", *module],
            cwd=folder,
            env=environment() | variables,
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
            raise UserError(f"`{' '.join(module)}` ended with status {process.returncode}:\n{noise.read()}{printed}")
    return printed, wall, usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def reproduce(folder: Path) -> dict[str, float]:
    """Run `dvc repro` in a checkout, and return the seconds of each stage that ran, and of DVC at the beginning.

    A stage's time is that from its first line to the next one's, so what DVC does for it is in it.
    """
    seconds, stage, start = {}, "DVC", time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "dvc", "repro"],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    printed = []
    for line in process.stdout:
        printed.append(line)
        if begun := re.match(r"Running stage '(\w+)'", line):
            now = time.perf_counter()
            seconds[stage], stage, start = now - start, begun[1], now
    if process.wait():
        raise UserError(f"`dvc repro` ended with status {process.returncode}:\n{''.join(printed)}")
    return seconds | {stage: time.perf_counter() - start}


def stage_table(runs: list[dict[str, float]]) -> str:
    """Where the time of `dvc repro` goes, as a Markdown table: medians over the runs, and their shares of the total."""
    total = statistics.median(sum(run.values()) for run in runs)
    medians = {stage: statistics.median(run[stage] for run in runs) for stage in runs[0]}
    rows = [f"| {stage} | {seconds:.1f} | {seconds / total:.0%} |" for stage, seconds in medians.items()]
    return "\n".join(["| stage | s | share |", "| --- | --- | --- |", *rows])


def measure(program: str, cell: str, epochs: int, seed: int, folder: Path) -> dict:
    """Run one of the programs; `catch_up` is left for the caller."""
    numbers = [str(epochs), str(seed)]
    module = {
        "Keras": ["benchmarks.plain_keras", keras_model.LAYERS[cell], *numbers],
        "PyTorch": ["benchmarks.pytorch", cell, *numbers],
        PADDING_READ: ["benchmarks.pipeline", cell, *numbers, "false"],
    }.get(program, ["benchmarks.pipeline", cell, *numbers, "true"])
    if program == COLD:
        shutil.rmtree(folder / Path(compiled.cache_folder()).relative_to(ROOT), ignore_errors=True)
    printed, wall, peak = timed(module, folder, **({"NUMBA_NUM_THREADS": "1"} if program == ONE_THREAD else {}))
    history = json.loads(printed.splitlines()[-1])
    accuracies = [accuracy for _, accuracy in history]
    return {
        "cell": cell,
        "program": program,
        "round": seed,
        "epochs": epochs,
        "seconds": history[-1][0],
        "wall": wall,
        "peak_mib": peak,
        "best_accuracy": max(accuracies),
        "last_accuracy": accuracies[-1],
        "history": history,
    }


def product_rate() -> float:
    """Floating-point operations a second of a large float32 matrix product, the best of seven: the machine's limit."""
    a = np.random.default_rng(0).random((2000, 2000), np.float32)
    seconds = []
    for _ in range(7):
        start = time.perf_counter()
        a @ a
        seconds.append(time.perf_counter() - start)
    return 2 * len(a) ** 3 / min(seconds)


def operations(cell: str, epochs: int, folder: Path) -> float:
    """Floating-point operations of the network's products over the words: 6 a weight for training, 2 for validation."""
    train, test = (int((np.load(folder / f"data/padded/x_{name}.npy") != 0).sum()) for name in ("train", "test"))
    return epochs * (6 * train + 2 * test) * CELLS[cell].num_gates * UNITS * (DIM + UNITS)


def table(runs: pd.DataFrame, limits: dict[str, float]) -> str:
    """Medians over the rounds as a Markdown table."""
    lines = [
        "| cell | program | rounds × epochs | training, s (range) | times as fast as Keras | whole program, s "
        "| peak memory, MiB | s to Keras' best accuracy | best accuracy | times the limit |",
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
            f"| {catch_up} | {group['best_accuracy'].mean():.3f} | {seconds.median() / limits[cell]:.1f} |"
        )
    return "\n".join(lines)


def draw(runs: pd.DataFrame, path: Path) -> None:
    """Bars: how many times as fast as plain Keras each program trains, the range of the rounds as a line."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    labels, position = [], 0
    for cell, cell_runs in runs.groupby("cell", sort=False):
        keras = cell_runs[cell_runs["program"] == "Keras"]["seconds"].median()
        for program, group in cell_runs.groupby("program", sort=False):
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


def download(folder: Path) -> None:
    """Fetch Keras' archive in a checkout, so that no program's time depends on the network."""
    for stage in ("check", "download"):
        made = subprocess.run([sys.executable, "-m", "stages", stage], cwd=folder, capture_output=True, text=True)
        if made.returncode:
            reason = made.stderr.removeprefix("error: ").split("; ")[0].strip()
            raise UserError(f"no reviews to train on; `make bench SOURCE=bundled` takes the bundled ones ({reason})")
    shutil.rmtree(folder / files.REVIEWS)


def measure_all(cells: dict[str, int], programs: list[str], turn: int, folder: Path) -> list[dict]:
    """Run Keras and the programs with every cell, over as many epochs as `cells` says."""
    rows = []
    for cell, epochs in cells.items():
        cell_rows = [
            measure(program, cell, epochs, turn, folder)
            for program in ["Keras", *programs]
            if program != "PyTorch" or cell in pytorch.LAYERS
        ]
        for row in cell_rows:
            best = cell_rows[0]["best_accuracy"]
            row["catch_up"] = next((seconds for seconds, value in row["history"] if value >= best), None)
            print(f"round {turn}: {cell}, {row['program']}: {row['seconds']:.1f} s", file=sys.stderr)
        rows += cell_rows
    return rows


def compare(cells: dict[str, int], programs: list[str], rounds: int, source: str, maxlen: int, results: Path) -> None:
    """Run everything, print the tables, write `results` (after every round) and a picture of the same name.

    Args:
        cells: how many epochs each is trained; the article's is among them.
        programs: some of `PROGRAMS`.
    """
    if "PyTorch" in programs and importlib.util.find_spec("torch") is None:
        programs = [program for program in programs if program != "PyTorch"]
        print("PyTorch is not installed and left out; `.venv/bin/pip install torch` adds it", file=sys.stderr)
    runs, repro, rate = [], [], product_rate()
    with tempfile.TemporaryDirectory() as place:
        first = Path(place) / "first"
        checkout(first, source, cells[ARTICLE_CELL], maxlen)
        if source == "keras":
            download(first)
        for turn in range(1, rounds + 1):
            folder = Path(place) / f"round{turn}"
            shutil.copytree(first, folder)
            repro.append((reproduce(folder), reproduce(folder)))  # the second finds nothing to do
            print(f"round {turn}: cold `dvc repro`: {sum(repro[-1][0].values()):.1f} s", file=sys.stderr)
            runs += measure_all(cells, programs, turn, folder)
            frames.write_csv(results, pd.DataFrame(runs)[COLUMNS].round(4))
            limits = {cell: operations(cell, epochs, folder) / rate for cell, epochs in cells.items()}
            shutil.rmtree(folder)
    runs = pd.DataFrame(runs)
    draw(runs, results.with_suffix(".png"))
    print(table(runs, limits))
    plain = runs[(runs["cell"] == ARTICLE_CELL) & (runs["program"] == "Keras")]["wall"].median()
    totals = [[sum(run.values()) for run in of_round] for of_round in repro]
    cold, nothing = (statistics.median(values) for values in zip(*totals, strict=True))
    print(
        f"\nCold `dvc repro` with the article's settings: {cold:.1f} s, {cold / plain:.2f} of the plain script's "
        f"{plain:.1f} s ({', '.join(f'{wall:.1f}' for wall, _ in totals)}); with nothing to do: {nothing:.1f} s.\n\n"
        f"{stage_table([run for run, _ in repro])}\n\n"
        f"The limit is that of a large matrix product here, {rate / 1e9:.0f} GFLOP/s, on {os.cpu_count()} CPUs."
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=10, help="for the article's network")
    parser.add_argument("--other-epochs", type=int, default=5, help="for the other cells; 0 leaves them out")
    parser.add_argument("--programs", nargs="+", choices=PROGRAMS, default=PROGRAMS, help="in addition to Keras")
    parser.add_argument("--source", choices=["keras", "bundled"], default="keras")
    parser.add_argument("--maxlen", type=int, default=500, help="ids of a review; the article has 500")
    parser.add_argument("--results", type=Path, default=HERE, help="the folder for the results")
    options = parser.parse_args()
    others = {cell: options.other_epochs for cell in CELLS if cell != ARTICLE_CELL and options.other_epochs}
    compare(
        {ARTICLE_CELL: options.epochs, **others},
        options.programs,
        options.rounds,
        options.source,
        options.maxlen,
        options.results / ("results.csv" if options.source == "keras" else "results-bundled.csv"),
    )


if __name__ == "__main__":
    run_command(main)
