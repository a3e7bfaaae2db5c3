"""Put the finished runs side by side: `python -m compare.table`.

In: `compare/runs/`, `compare/params.yaml`, `data/reviews/`. Out: `results/compare.csv`, a row for each network;
`results/differences.csv`, a row for each two of them; `results/compare.png` and `.svg`. Prints both as Markdown.
"""

import json
from itertools import combinations
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field
from scipy import stats

from compare.runs import PLAN, read_run
from stages import figures, files
from stages.errors import UserError, run
from stages.params import Section, check, load_params, parse_yaml, read_text
from stages.reviews import read_reviews

COMPARE = Path("results/compare.csv")
DIFFERENCES = Path("results/differences.csv")
LINEAR, REFERENCE = "linear", "simple_rnn"
CONFIDENCE = 0.95


class Plan(Section):
    networks: Annotated[list[str], Field(min_length=1)]
    seeds: Annotated[list[int], Field(min_length=1)]


def interval(right: np.ndarray, other: np.ndarray | None = None) -> tuple[float, float]:
    """The interval of the mean accuracy of a network, or of its difference from another's on the same reviews.

    Both sources of chance count: which reviews there are (the variance of the mean over them, paired where there are
    two networks, so that what is hard for both does not count) and which seeds were drawn (each network's variance
    over its seeds). Degrees of freedom by Welch and Satterthwaite. With one run of each network it is McNemar's test.

    Args:
        right, other: bool (seeds, reviews): whether the network was right.

    Returns:
        Its two ends, which hold the true value with `CONFIDENCE`.
    """
    both = [right] if other is None else [right, other]
    by_review = right.mean(axis=0) - (0 if other is None else other.mean(axis=0))
    of_seeds = [(of.mean(axis=1).var(ddof=1) / len(of), len(of) - 1) for of in both if len(of) > 1]
    variance = by_review.var(ddof=1) / len(by_review) + sum(of for of, _ in of_seeds)
    uncertainty = sum(of**2 / freedom for of, freedom in of_seeds)
    freedom = variance**2 / uncertainty if uncertainty else np.inf
    half = stats.t.ppf((1 + CONFIDENCE) / 2, freedom) * np.sqrt(variance)
    return by_review.mean() - half, by_review.mean() + half


def summarise(runs: dict[str, list[dict]], right: dict[str, np.ndarray]) -> pd.DataFrame:
    """A row for each network, best first.

    Args:
        runs: for each network the values of each of its runs.
        right: for each network bool (seeds, reviews): whether it was right.
    """
    seconds = {name: np.median([values["training_seconds"] for values in of]) for name, of in runs.items()}
    rows = []
    for name, of in runs.items():
        accuracy = right[name].mean(axis=1)
        low, high = interval(right[name])
        rows.append(
            {
                "network": name,
                "seeds": len(of),
                "accuracy": accuracy.mean(),
                "low": low,
                "high": high,
                "smallest": accuracy.min(),
                "largest": accuracy.max(),
                "roc_auc": np.mean([values["roc_auc"] for values in of]),
                "parameters": of[0]["parameters"],
                "training_seconds": seconds[name],
                "training_ratio": seconds[name] / seconds[REFERENCE],
                "reviews_per_second": int(np.median([values["reviews_per_second"] for values in of])),
            }
        )
    return pd.DataFrame(rows).sort_values("accuracy", ascending=False, ignore_index=True).round(4)


def differences(names: list[str], right: dict[str, np.ndarray]) -> pd.DataFrame:
    """A row for each two networks of `names`, best first: difference, interval, and whether that leaves out 0.

    The intervals are not widened for the number of pairs: of twenty pairs of equals about one is called different.
    """
    rows = []
    for better, worse in combinations(names, 2):
        low, high = interval(right[better], right[worse])
        difference = right[better].mean() - right[worse].mean()
        rows.append((better, worse, difference, low, high, bool(low > 0 or high < 0)))
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
    plan = check(Plan, parse_yaml(read_text(PLAN), PLAN), PLAN)
    if REFERENCE not in plan.networks:
        raise UserError(f"{PLAN}: networks should hold {REFERENCE}, which the others are timed against")
    labels = read_reviews(files.REVIEWS, "test").labels
    source = json.loads((files.REVIEWS / "provenance.json").read_text(encoding="utf-8"))["source"]
    names = {name: [f"{name}-{seed}" for seed in plan.seeds] for name in plan.networks} | {LINEAR: [LINEAR]}
    runs, right = {}, {}
    for name, folders in names.items():
        found = [read_run(folder, len(labels)) for folder in folders]
        runs[name] = [values for values, _ in found]
        right[name] = np.array([(probability > 0.5) == labels for _, probability in found])
    table = summarise(runs, right).assign(source=source, test_reviews=len(labels))
    pairs = differences(table["network"].tolist(), right)
    for path, rows in ((COMPARE, table), (DIFFERENCES, pairs)):
        with files.replacing(path) as new:
            rows.to_csv(new, index=False, lineterminator="\n")
    by_seed = {name: of.mean(axis=1).tolist() for name, of in right.items()}
    with figures.style(language):
        figure = figures.compare(table, by_seed, language)
        for kind in ("png", "svg"):
            with files.replacing(COMPARE.with_suffix(f".{kind}")) as new:
                figures.save(figure, new.parent, new.stem)
    print(markdown(table, pairs))
    print(f"\n{len(labels):,} test reviews of the {source} source; {COMPARE}, {DIFFERENCES} and the figure are written")


if __name__ == "__main__":
    run(main)
