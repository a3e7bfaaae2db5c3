"""The figure of the comparison, in English or Chinese."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from imdb_rnn.evaluation.intervals import CONFIDENCE
from imdb_rnn.reporting.figures import TRAINING, VALIDATION
from imdb_rnn.reporting.texts import in_language

LABELS = {
    "accuracy": ("Test accuracy", "测试准确率"),
    "interval": (f"mean, {100 * CONFIDENCE:.0f} % interval", f"平均值及 {100 * CONFIDENCE:.0f}% 置信区间"),
    "seed": ("one seed", "单个随机种子"),
}


def accuracies(table: pd.DataFrame, by_seed: dict[str, list[float]], language: str) -> Figure:
    """Test accuracy of each network, best on top: the mean with its interval, and the accuracy of each seed."""
    labels = in_language(LABELS, language)
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
