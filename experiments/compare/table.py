"""Compare the finished runs: `python -m experiments.compare.table`.

In: `data/reviews/`; `runs/`, `sensitivity/` and `params.yaml` in `experiments/compare/`. Out: `results/compare.csv`, a
row per network; `results/differences.csv`, a row per pair of networks;
`results/experiments/compare_sensitivity.json`, for the page: how far back each remembers, and reviews that all read;
`results/compare.png` and `.svg`. Prints the tables as Markdown.
"""

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments.compare.aggregate import combine
from experiments.compare.estimates import estimate, holm, interval, p_value
from experiments.compare.runs import COMMAND, LINEAR, PLAN, RUNS, Run, read_plan, read_run
from experiments.compare.sensitivity import SENSITIVITY, RunSensitivity, traced_rows
from imdb_rnn.core import files, frames
from imdb_rnn.core.errors import UserError, run_command
from imdb_rnn.core.params import load_params
from imdb_rnn.decision import is_correct
from imdb_rnn.evaluation.intervals import CONFIDENCE
from imdb_rnn.evaluation.metrics import scores
from imdb_rnn.reporting.figures import TRAINING, VALIDATION, save, style
from imdb_rnn.reporting.texts import in_language
from imdb_rnn.text.corpus import read_provenance, read_reviews, read_vocabulary

COMPARE = Path("results/compare.csv")
DIFFERENCES = Path("results/differences.csv")
REFERENCE = "simple_rnn"
FIGURE_LABELS = {
    "accuracy": ("Test accuracy", "测试准确率"),
    "interval": (f"mean, {100 * CONFIDENCE:.0f} % interval", f"平均值及 {100 * CONFIDENCE:.0f}% 置信区间"),
    "seed": ("one seed", "单个随机种子"),
}


def summarise(runs: dict[str, list[Run]], correct: dict[str, np.ndarray], roc_auc: dict[str, float]) -> pd.DataFrame:
    """A row per network, best first.

    Args:
        runs: of each network, one per seed.
        correct: for each network bool (seeds, reviews): whether it was correct.
        roc_auc: for each network the mean over its seeds.
    """
    seconds = {name: float(np.median([run.training_seconds for run in seeds])) for name, seeds in runs.items()}
    rows = []
    for name, seeds in runs.items():
        accuracy = correct[name].mean(axis=1)
        low, high = interval(estimate(correct[name]))
        rows.append(
            {
                "network": name,
                "n_seeds": len(seeds),
                "accuracy": accuracy.mean(),
                "low": low,
                "high": high,
                "min": accuracy.min(),
                "max": accuracy.max(),
                "roc_auc": roc_auc[name],
                "weights": seeds[0].weights,
                "training_seconds": seconds[name],
                "training_ratio": seconds[name] / seconds[REFERENCE],
                "reviews_per_second": int(np.median([run.reviews_per_second for run in seeds])),
            }
        )
    return pd.DataFrame(rows).sort_values("accuracy", ascending=False, ignore_index=True).round(4)


def differences(names: list[str], correct: dict[str, np.ndarray]) -> pd.DataFrame:
    """A row per pair of networks.

    Args:
        names: the networks, best first.

    Returns:
        Columns better, worse, difference, low and high (the interval of this pair alone), p (adjusted by `holm` for all
        pairs), significant (whether p is low enough for `CONFIDENCE`).
    """
    pairs = list(combinations(names, 2))
    estimates = [estimate(correct[better], correct[worse]) for better, worse in pairs]
    p = holm(np.array([p_value(pair) for pair in estimates]))
    ends = np.array([interval(pair) for pair in estimates]).reshape(-1, 2)
    columns = {
        "better": [better for better, _ in pairs],
        "worse": [worse for _, worse in pairs],
        "difference": [pair.mean for pair in estimates],
        "low": ends[:, 0],
        "high": ends[:, 1],
        "p": p,
        "significant": p <= 1 - CONFIDENCE,
    }
    return pd.DataFrame(columns).round(4)


def markdown(table: pd.DataFrame, pairs: pd.DataFrame) -> str:
    """Both tables as in docs/comparison.md."""
    confidence = f"{100 * CONFIDENCE:.0f} % interval"
    columns = ["network", f"test accuracy ({confidence})", "seeds: min to max", "ROC AUC", "weights", "training"]
    rows = [
        [
            row.network,
            f"{row.accuracy:.3f} ({row.low:.3f} to {row.high:.3f})",
            f"{row.n_seeds}: {row.min:.3f} to {row.max:.3f}" if row.n_seeds > 1 else "1",
            f"{row.roc_auc:.3f}",
            f"{row.weights:,}",
            f"{row.training_ratio:.1f} ×",
            f"{row.reviews_per_second:,}",
        ]
        for row in table.itertuples()
    ]
    of_pairs = [
        [
            pair.better,
            pair.worse,
            f"{pair.difference:+.3f} ({pair.low:+.3f} to {pair.high:+.3f})",
            f"{pair.p:.3f}" if pair.p >= 0.001 else "< 0.001",
            "yes" if pair.significant else "no",
        ]
        for pair in pairs.itertuples()
    ]
    pair_columns = ["better", "worse", f"difference ({confidence})", "p (Holm)", "significant"]
    return f"{frames.markdown([*columns, 'reviews per second'], rows)}\n\n{frames.markdown(pair_columns, of_pairs)}"


def accuracies(table: pd.DataFrame, by_seed: dict[str, list[float]], language: str) -> Figure:
    """Test accuracy of each network, best on top: the mean with its interval, and the accuracy of each seed."""
    labels = in_language(FIGURE_LABELS, language)
    figure = Figure(figsize=(7, 0.5 * len(table) + 1.4))
    axes = figure.subplots()
    rows = np.arange(len(table))
    around = np.abs(table[["low", "high"]].to_numpy().T - table["accuracy"].to_numpy())
    for row, name in zip(rows, table["network"], strict=True):
        label = labels["seed"] if row == 0 else None
        axes.plot(by_seed[name], [row] * len(by_seed[name]), "|", color=VALIDATION, markersize=14, label=label)
    axes.errorbar(
        table["accuracy"], rows, xerr=around, fmt="o", color=TRAINING, capsize=4, linewidth=2, label=labels["interval"]
    )
    axes.set_yticks(rows, table["network"])
    axes.invert_yaxis()
    axes.set(xlabel=labels["accuracy"])
    axes.grid(axis="y", visible=False)
    axes.legend(loc="upper left")  # the best is on top, at the right
    return figure


def main(root: Path) -> None:
    language = load_params(root).plots.language
    plan = read_plan(root)
    if REFERENCE not in plan.networks:
        raise UserError(f"{PLAN}: networks must include {REFERENCE}, whose training time is the unit of the others'")
    folder = root / files.REVIEWS
    reviews, vocabulary = read_reviews(folder, "test"), read_vocabulary(folder)
    provenance = read_provenance(folder)
    source = provenance["source"]

    names = {network: [f"{network}-{seed}" for seed in plan.seeds] for network in plan.networks} | {LINEAR: [LINEAR]}
    runs: dict[str, list[Run]] = {}
    correct, roc_auc = {}, {}
    for network, folders in names.items():
        finished = [read_run(root / RUNS / name, len(reviews)) for name in folders]
        runs[network] = [run for run, _ in finished]
        correct[network] = np.array([is_correct(reviews.labels, logits) for _, logits in finished])
        roc_auc[network] = float(np.mean([scores(reviews.labels, logits)["roc_auc"] for _, logits in finished]))
    table = summarise(runs, correct, roc_auc).assign(source=source, n_test_reviews=len(reviews))
    pairs = differences(table["network"].tolist(), correct)
    measured = {
        network: [
            files.read_json(RunSensitivity, root / SENSITIVITY / f"{name}.json", COMMAND) for name in names[network]
        ]
        for network in plan.networks
    }
    comparison = combine(provenance, measured, reviews, traced_rows(reviews.ranks), vocabulary)

    frames.write_csv(root / COMPARE, table)
    frames.write_csv(root / DIFFERENCES, pairs)
    files.write_text(root / files.COMPARE_SENSITIVITY, comparison.model_dump_json(exclude_defaults=True) + "\n")
    with style(language):
        by_seed = {network: answers.mean(axis=1).tolist() for network, answers in correct.items()}
        save(accuracies(table, by_seed, language), root / COMPARE.parent, COMPARE.stem)
    print(markdown(table, pairs))
    print(f"\n{len(reviews):,} test reviews of the source {source}; tables and figure are in {COMPARE.parent}")


if __name__ == "__main__":
    run_command(lambda: main(Path()))
