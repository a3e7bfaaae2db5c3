"""The figure of a sweep, in English or Chinese: the best trial so far over time, and what the trials had and gave."""

from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from imdb_rnn.reporting.figures import NEUTRAL, TRAINING, VALIDATION

FEW = 5  # values that are all written on their axis; of more, the first and the last
LABELS = {
    "en": {
        "time": "Minutes since the sweep began",
        "loss": "Validation loss",
        "best": "best so far",
        "finished": "finished",
        "stopped": "stopped early",
        "settings": "Settings of the trials; the darker, the lower the loss",
    },
    "zh": {
        "time": "搜索开始后的分钟数",
        "loss": "验证损失 (Loss)",
        "best": "目前最佳",
        "finished": "已完成",
        "stopped": "提前停止",
        "settings": "各次试验的设置(颜色越深,损失越低)",
    },
}


def progress(trials: pd.DataFrame, keys: list[str], language: str) -> Figure:
    """The trials that gave a loss: when and which, and below it a line for each through the values of `keys`.

    Args:
        trials: as `search.table` gives it.
    """
    labels = LABELS[language]
    shown = trials[trials["val_loss"].notna()].sort_values("ended", ignore_index=True)
    figure = Figure(figsize=(8, 7))
    above, below = figure.subplots(2)
    minutes = shown["ended"] / 60
    for status, colour in (("finished", TRAINING), ("stopped", NEUTRAL)):
        of_status = shown["status"] == status
        above.plot(minutes[of_status], shown["val_loss"][of_status], "o", color=colour, label=labels[status])
    finished = shown[shown["status"] == "finished"]
    above.step(
        finished["ended"] / 60, finished["val_loss"].cummin(), where="post", color=VALIDATION, label=labels["best"]
    )
    above.set(xlabel=labels["time"], ylabel=labels["loss"])
    above.legend()

    axes = [places(shown[key]) for key in keys]
    order = shown["val_loss"].rank(pct=True, ascending=False)
    shade = matplotlib.colormaps["Blues"]
    for row in order.sort_values().index:  # the best on top
        heights = [axis[row] for axis in axes]
        below.plot(range(len(keys)), heights, color=shade(0.15 + 0.85 * order[row]), linewidth=1.5)
    for place, (key, axis) in enumerate(zip(keys, axes, strict=True)):
        heights, rows = np.unique(axis, return_index=True)
        for height, row in zip(heights, rows, strict=True) if len(heights) <= FEW else ((0, rows[0]), (1, rows[-1])):
            below.annotate(written(shown[key][row]), (place, height), (4, 2), textcoords="offset points")
    below.set_xticks(range(len(keys)), [key.partition(".")[2] for key in keys])
    below.set(yticks=[], title=labels["settings"])
    below.margins(0.08)
    below.grid(axis="y", visible=False)
    return figure


def places(values: pd.Series) -> np.ndarray:
    """Where values stand on an axis from 0 to 1, by their rank: float64 (trials,)."""
    numbers = pd.api.types.is_numeric_dtype(values)
    ranks = np.unique(values if numbers else values.map(written), return_inverse=True)[1]
    return ranks / ranks.max() if ranks.any() else ranks + 0.5


def written(value: Any) -> str:
    """A value as it stands on its axis."""
    if pd.isna(value):
        return "null"
    return f"{value:.3g}" if isinstance(value, float) else str(value)
