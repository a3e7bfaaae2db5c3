"""Put the finished runs side by side: `python -m compare.table`.

In: `compare/runs/`, `compare/params.yaml`, `data/reviews/`. Out: `results/compare.csv`, a row for each network;
`results/differences.csv`, a row for each two of them; `results/compare_memory.json`, how far back each remembers and
how they read the same reviews; `results/compare.png` and `.svg`. Prints the tables as Markdown.
"""

import json
from itertools import combinations
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field
from scipy import stats

from compare.runs import PLAN, read_memory, read_run, traced_reviews
from stages import figures, files
from imdb_rnn.base.errors import UserError, run
from imdb_rnn.measures.memory import half_life
from imdb_rnn.base.params import Section, check, load_params, parse_yaml, read_text
from stages.reviews import Reviews, read_provenance, read_reviews, read_vocabulary
from imdb_rnn.reviews.vocabulary import NOT_A_WORD

COMPARE = Path("results/compare.csv")
DIFFERENCES = Path("results/differences.csv")
WINDOWS = (1, 5, 10, 20, 50)  # words, of the means of which half-lives are taken
EACH_KIND = 2  # reviews on which the networks are right together, wrong together, or divided
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


def mean_memory(runs: list[dict]) -> dict:
    """Put together what several seeds of one network remember: half-lives by window, and the means of the rest."""
    shortest = min(len(of["gradient"]) for of in runs)
    return {
        "half_life_words": {
            str(window): [
                life and round(life, 2) for life in (half_life(np.array(of["gradient"]), window) for of in runs)
            ]
            for window in WINDOWS
        },
        "gradient": np.mean([of["gradient"][:shortest] for of in runs], axis=0).round(8).tolist(),
        "last_words": {
            words: round(float(np.mean([of["last_words"][words] for of in runs])), 6) for words in runs[0]["last_words"]
        },
    }


def read_together(traces: dict[str, list], reviews: Reviews, rows: np.ndarray, vocabulary: list[str]) -> list[dict]:
    """Choose reviews that several networks read, and tell what each thinks after every word.

    Args:
        traces: for each network the probabilities along each of the reviews.
        rows: the reviews.

    Returns:
        Of the reviews that all judge right, or all wrong, the `EACH_KIND` surest, and as many that they judge most
        differently: review, label, kind, words, whether these are known, and `probability`, by network.
    """
    # A network that cuts reviews of this length has no part in comparing them.
    lengths = np.diff(reviews.offsets)[rows] + 1
    whole = [place for place, length in enumerate(lengths) if all(len(of[place]) == length for of in traces.values())]
    rows, traces = rows[whole], {name: [of[place] for place in whole] for name, of in traces.items()}
    labels = reviews.labels[rows]
    ends = np.array([[trace[-1] for trace in of] for of in traces.values()]).reshape(len(traces), len(rows))
    for_label = np.where(labels == 1, ends, 1 - ends)
    least, most = for_label.min(axis=0), for_label.max(axis=0)
    orders = {
        "right": [place for place in np.argsort(-least, kind="stable") if least[place] > 0.5],
        "wrong": [place for place in np.argsort(most, kind="stable") if most[place] < 0.5],
        "divided": [
            place for place in np.argsort(-np.ptp(ends, axis=0), kind="stable") if least[place] < 0.5 < most[place]
        ],
    }
    found = []
    for kind, order in orders.items():
        for place in order[:EACH_KIND]:
            ranks = reviews.ranks[reviews.offsets[rows[place]] : reviews.offsets[rows[place] + 1]]
            found.append(
                {
                    "review": int(rows[place]),
                    "label": int(labels[place]),
                    "kind": kind,
                    "words": [vocabulary[rank - 1] if rank else NOT_A_WORD for rank in ranks],
                    "known": [bool(rank) for rank in ranks],
                    "probability": {name: of[place] for name, of in traces.items()},
                }
            )
    return found


def main() -> None:
    language = load_params().plots.language
    plan = check(Plan, parse_yaml(read_text(PLAN), PLAN), PLAN)
    if REFERENCE not in plan.networks:
        raise UserError(f"{PLAN}: networks should hold {REFERENCE}, which the others are timed against")
    reviews = read_reviews(files.REVIEWS, "test")
    labels, rows = reviews.labels, traced_reviews(reviews)
    source = read_provenance(files.REVIEWS)["source"]
    names = {name: [f"{name}-{seed}" for seed in plan.seeds] for name in plan.networks} | {LINEAR: [LINEAR]}
    runs, right = {}, {}
    for name, folders in names.items():
        found = [read_run(folder, len(labels)) for folder in folders]
        runs[name] = [values for values, _ in found]
        right[name] = np.array([(probability > 0.5) == labels for _, probability in found])
    table = summarise(runs, right).assign(source=source, test_reviews=len(labels))
    pairs = differences(table["network"].tolist(), right)
    remembered = {name: [read_memory(folder, len(rows)) for folder in names[name]] for name in plan.networks}
    memory = {
        "source": source,
        "networks": {name: mean_memory(remembered[name]) for name in plan.networks},
        "traces": read_together(
            {name: of[0]["traces"] for name, of in remembered.items()}, reviews, rows, read_vocabulary(files.REVIEWS)
        ),
    }
    for path, of in ((COMPARE, table), (DIFFERENCES, pairs)):
        with files.replacing(path) as new:
            of.to_csv(new, index=False, lineterminator="\n")
    files.write_text(files.COMPARE_MEMORY, json.dumps(memory, separators=(",", ":"), ensure_ascii=False) + "\n")
    by_seed = {name: of.mean(axis=1).tolist() for name, of in right.items()}
    with figures.style(language):
        figure = figures.compare(table, by_seed, language)
        for kind in ("png", "svg"):
            with files.replacing(COMPARE.with_suffix(f".{kind}")) as new:
                figures.save(figure, new.parent, new.stem)
    print(markdown(table, pairs))
    print(f"\n{len(labels):,} test reviews of the {source} source; tables and figure are in {COMPARE.parent}")


if __name__ == "__main__":
    run(main)
