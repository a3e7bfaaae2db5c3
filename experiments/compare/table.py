"""Put the finished runs side by side: `python -m experiments.compare.table`.

In: `experiments/compare/runs/`, `memory/` and `params.yaml` beside them, `data/reviews/`. Out: `results/compare.csv`, a
row for each network; `results/differences.csv`, a row for each two of them;
`results/experiments/compare_sensitivity.json`, for the page: how far back each remembers, and reviews that all read;
`results/compare.png` and `.svg`. Prints the tables as Markdown.
"""

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.compare import figure
from experiments.compare.estimates import estimate, holm, interval, p_value
from experiments.compare.memory import MEMORY, RunMemory, traced_rows
from experiments.compare.plan import read_plan
from experiments.compare.runs import LINEAR, PLAN, RUNS, Run, read_form, read_run
from experiments.compare.together import compare_memory
from imdb_rnn.core import files, frames
from imdb_rnn.core.errors import UserError, run_command
from imdb_rnn.core.params import load_params
from imdb_rnn.evaluation.intervals import CONFIDENCE
from imdb_rnn.evaluation.metrics import scores
from imdb_rnn.reporting.figures import save, style
from imdb_rnn.text.corpus import read_provenance, read_reviews, read_vocabulary
from imdb_rnn.training.decision import is_correct

COMPARE = Path("results/compare.csv")
DIFFERENCES = Path("results/differences.csv")
REFERENCE = "simple_rnn"


def summarise(runs: dict[str, list[Run]], right: dict[str, np.ndarray], roc_auc: dict[str, float]) -> pd.DataFrame:
    """A row for each network, best first.

    Args:
        runs: for each network its runs.
        right: for each network bool (seeds, reviews): whether it was right.
        roc_auc: for each network the mean over its seeds.
    """
    seconds = {
        name: float(np.median([run.training_seconds for run in of_network])) for name, of_network in runs.items()
    }
    rows = []
    for name, of_network in runs.items():
        by_seed = right[name].mean(axis=1)
        low, high = interval(estimate(right[name]))
        rows.append(
            {
                "network": name,
                "seeds": len(of_network),
                "accuracy": by_seed.mean(),
                "low": low,
                "high": high,
                "smallest": by_seed.min(),
                "largest": by_seed.max(),
                "roc_auc": roc_auc[name],
                "weights": of_network[0].weights,
                "training_seconds": seconds[name],
                "training_ratio": seconds[name] / seconds[REFERENCE],
                "reviews_per_second": int(np.median([run.reviews_per_second for run in of_network])),
            }
        )
    return pd.DataFrame(rows).sort_values("accuracy", ascending=False, ignore_index=True).round(4)


def differences(names: list[str], right: dict[str, np.ndarray]) -> pd.DataFrame:
    """A row for each two networks of `names`, best first.

    Returns:
        Columns better, worse, difference, low and high (its interval, of this pair alone), p (adjusted by `holm` for
        all pairs), real (whether p is low enough for `CONFIDENCE`).
    """
    pairs = list(combinations(names, 2))
    estimates = [estimate(right[better], right[worse]) for better, worse in pairs]
    p = holm(np.array([p_value(of_pair) for of_pair in estimates]))
    ends = np.array([interval(of_pair) for of_pair in estimates]).reshape(-1, 2)
    columns = {
        "better": [better for better, _ in pairs],
        "worse": [worse for _, worse in pairs],
        "difference": [of_pair.mean for of_pair in estimates],
        "low": ends[:, 0],
        "high": ends[:, 1],
        "p": p,
        "real": p <= 1 - CONFIDENCE,
    }
    return pd.DataFrame(columns).round(4)


def markdown(table: pd.DataFrame, pairs: pd.DataFrame) -> str:
    """Both tables as in the README."""
    confidence = f"{100 * CONFIDENCE:.0f} % interval"
    lines = [
        f"| network | test accuracy ({confidence}) | seeds: smallest to largest | ROC AUC | weights | training | "
        "reviews a second |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in table.to_dict("records"):
        accuracy = f"{row['accuracy']:.3f} ({row['low']:.3f} to {row['high']:.3f})"
        spread = f"{row['seeds']}: {row['smallest']:.3f} to {row['largest']:.3f}" if row["seeds"] > 1 else "1"
        lines.append(
            f"| {row['network']} | {accuracy} | {spread} | {row['roc_auc']:.3f} | {row['weights']:,} | "
            f"{row['training_ratio']:.1f} × | {row['reviews_per_second']:,} |"
        )
    lines += [
        "",
        f"| better | worse | difference ({confidence}) | p (Holm) | real |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in pairs.to_dict("records"):
        difference = f"{row['difference']:+.3f} ({row['low']:+.3f} to {row['high']:+.3f})"
        p = f"{row['p']:.3f}" if row["p"] >= 0.001 else "< 0.001"
        lines.append(f"| {row['better']} | {row['worse']} | {difference} | {p} | {'yes' if row['real'] else 'no'} |")
    return "\n".join(lines)


def main(root: Path) -> None:
    language = load_params(root).plots.language
    plan = read_plan(root)
    if REFERENCE not in plan.networks:
        raise UserError(f"{PLAN}: networks should hold {REFERENCE}, which the others are timed against")
    folder = root / files.REVIEWS
    reviews, vocabulary = read_reviews(folder, "test"), read_vocabulary(folder)
    source = read_provenance(folder)["source"]
    labels, rows = reviews.labels, traced_rows(reviews.ranks)

    names = {name: [f"{name}-{seed}" for seed in plan.seeds] for name in plan.networks} | {LINEAR: [LINEAR]}
    runs: dict[str, list[Run]] = {}
    right, roc_auc = {}, {}
    for network, folders in names.items():
        finished = [read_run(root / RUNS / name, len(labels)) for name in folders]
        runs[network] = [run for run, _ in finished]
        right[network] = np.array([is_correct(labels, logits) for _, logits in finished])
        roc_auc[network] = float(np.mean([scores(labels, logits)["roc_auc"] for _, logits in finished]))
    table = summarise(runs, right, roc_auc).assign(source=source, test_reviews=len(labels))
    pairs = differences(table["network"].tolist(), right)
    measured = {
        network: [read_form(RunMemory, root / MEMORY / f"{name}.json") for name in names[network]]
        for network in plan.networks
    }
    memory = compare_memory(source, measured, reviews, rows, vocabulary)

    frames.write_csv(root / COMPARE, table)
    frames.write_csv(root / DIFFERENCES, pairs)
    files.write_text(root / files.COMPARE_SENSITIVITY, memory.model_dump_json() + "\n")
    with style(language):
        by_seed = {network: answers.mean(axis=1).tolist() for network, answers in right.items()}
        drawn = figure.accuracies(table, by_seed, language)
        for kind in ("png", "svg"):
            with files.replacing((root / COMPARE).with_suffix(f".{kind}")) as new:
                save(drawn, new.parent, new.stem)
    print(markdown(table, pairs))
    print(f"\n{len(labels):,} test reviews of the {source} source; tables and figure are in {COMPARE.parent}")


if __name__ == "__main__":
    run_command(lambda: main(Path()))
