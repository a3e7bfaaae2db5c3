"""Put the finished runs side by side: `python -m compare.table`.

In: `compare/runs/`, `data/reviews/`. Out: `results/compare.csv`, a row for each network; `results/differences.csv`, a
row for each two of them; `results/compare.png` and `.svg`. Prints both tables as Markdown.
"""

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from compare.runs import read_run
from stages import figures, files
from stages.errors import run
from stages.params import load_params
from stages.reviews import read_reviews

COMPARE = Path("results/compare.csv")
DIFFERENCES = Path("results/differences.csv")
LINEAR, REFERENCE = "linear", "simple_rnn"
DRAWS = 2000
INTERVAL = (2.5, 97.5)  # per cent


def bootstrap(right: dict[str, np.ndarray], draws: int = DRAWS, seed: int = 0) -> dict[str, np.ndarray]:
    """Draw reviews and seeds anew, with replacement, and give the mean accuracy of each network in every draw.

    All networks see the same reviews in a draw, so that the differences between them are paired: what is hard for all
    does not count. (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 8 and 13.)

    Args:
        right: for each network, bool (seeds, reviews): whether it was right.

    Returns:
        For each network float64 (draws,).
    """
    random = np.random.default_rng(seed)
    reviews = next(iter(right.values())).shape[1]
    accuracy = {name: np.empty(draws) for name in right}
    right = {name: table.astype(np.float32) for name, table in right.items()}  # for BLAS
    for draw in range(draws):
        weights = np.bincount(random.integers(0, reviews, reviews), minlength=reviews).astype(np.float32)
        for name, table in right.items():
            seeds = random.integers(0, len(table), len(table))
            accuracy[name][draw] = (table[seeds] @ weights).mean() / reviews
    return accuracy


def summarise(runs: dict[str, list[dict]], draws: dict[str, np.ndarray]) -> pd.DataFrame:
    """A row for each network, best first; `runs` has the values of each of its runs."""
    seconds = {name: np.median([values["training_seconds"] for values in of]) for name, of in runs.items()}
    rows = []
    for name, of in runs.items():
        accuracy = [values["accuracy"] for values in of]
        low, high = np.percentile(draws[name], INTERVAL)
        rows.append(
            {
                "network": name,
                "seeds": len(of),
                "accuracy": np.mean(accuracy),
                "low": low,
                "high": high,
                "smallest": min(accuracy),
                "largest": max(accuracy),
                "roc_auc": np.mean([values["roc_auc"] for values in of]),
                "parameters": of[0]["parameters"],
                "training_seconds": seconds[name],
                "training_ratio": seconds[name] / seconds[REFERENCE],
                "reviews_per_second": int(np.median([values["reviews_per_second"] for values in of])),
            }
        )
    return pd.DataFrame(rows).sort_values("accuracy", ascending=False, ignore_index=True).round(4)


def differences(table: pd.DataFrame, draws: dict[str, np.ndarray]) -> pd.DataFrame:
    """A row for each two networks, the better first: difference in accuracy, its interval, whether it leaves out 0."""
    accuracy = dict(zip(table["network"], table["accuracy"], strict=True))
    rows = []
    for better, worse in combinations(table["network"], 2):
        low, high = np.percentile(draws[better] - draws[worse], INTERVAL)
        real = bool(low > 0 or high < 0)
        rows.append((better, worse, accuracy[better] - accuracy[worse], low, high, real))
    return pd.DataFrame(rows, columns=["better", "worse", "difference", "low", "high", "real"]).round(4)


def markdown(table: pd.DataFrame, pairs: pd.DataFrame) -> str:
    """Both tables as in the README."""
    lines = [
        "| network | test accuracy (95 % interval) | seeds: smallest to largest | ROC AUC | parameters | training | "
        "reviews a second |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in table.itertuples():
        spread = f"{row.seeds}: {row.smallest:.3f} to {row.largest:.3f}" if row.seeds > 1 else "1"
        lines.append(
            f"| {row.network} | {row.accuracy:.3f} ({row.low:.3f} to {row.high:.3f}) | {spread} | {row.roc_auc:.3f} | "
            f"{row.parameters:,} | {row.training_ratio:.1f} × | {row.reviews_per_second:,} |"
        )
    lines += ["", "| better | worse | difference (95 % interval) | real |", "| --- | --- | --- | --- |"]
    for row in pairs.itertuples():
        interval = f"{row.difference:+.3f} ({row.low:+.3f} to {row.high:+.3f})"
        lines.append(f"| {row.better} | {row.worse} | {interval} | {'yes' if row.real else 'no'} |")
    return "\n".join(lines)


def main() -> None:
    language = load_params().plots.language
    plan = yaml.safe_load(Path("compare/params.yaml").read_text(encoding="utf-8"))
    labels = read_reviews(files.REVIEWS, "test").labels
    names = {name: [f"{name}-{seed}" for seed in plan["seeds"]] for name in plan["networks"]} | {LINEAR: [LINEAR]}
    runs, right = {}, {}
    for name, folders in names.items():
        found = [read_run(folder, len(labels)) for folder in folders]
        runs[name] = [values for values, _ in found]
        right[name] = np.array([(probability > 0.5) == labels for _, probability in found])
    draws = bootstrap(right)
    table = summarise(runs, draws)
    pairs = differences(table, draws)
    for path, rows in ((COMPARE, table), (DIFFERENCES, pairs)):
        with files.replacing(path) as new:
            rows.to_csv(new, index=False, lineterminator="\n")
    by_seed = {name: [values["accuracy"] for values in of] for name, of in runs.items()}
    with figures.style(language):
        figure = figures.compare(table, by_seed, language)
        for kind in ("png", "svg"):
            with files.replacing(COMPARE.with_suffix(f".{kind}")) as new:
                figures.save(figure, new.parent, new.stem)
    print(markdown(table, pairs))
    print(f"\nwritten: {COMPARE}, {DIFFERENCES}, {COMPARE.with_suffix('.png')}")


if __name__ == "__main__":
    run(main)
