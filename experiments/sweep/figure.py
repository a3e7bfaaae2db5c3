"""The figure of a sweep, in English or Chinese: the best loss so far over time, and the settings of the trials."""

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from imdb_rnn.reporting.figures import NEUTRAL, TRAINING, VALIDATION
from imdb_rnn.reporting.sweep_results import Trial
from imdb_rnn.reporting.texts import in_language

MAX_TICKS = 5  # values that are all written on their axis; of more, the first and the last
LABELS = {
    "time": ("Minutes since the sweep began", "搜索开始后的分钟数"),
    "loss": ("Validation loss", "验证损失 (Loss)"),
    "best": ("best so far", "到当时为止最好的结果"),
    "finished": ("finished", "已完成"),
    "stopped": ("stopped early", "提前停止"),
    "settings": ("Settings of the trials; the darker, the lower the loss", "各次试验的设置(颜色越深,损失越低)"),
}


def progress(trials: list[Trial], language: str) -> Figure:
    """The losses of the trials by the time at which they ended; below, a line per trial through its settings.

    Args:
        trials: those without a loss are left out; at least one has a loss.
    """
    labels = in_language(LABELS, language)
    shown = sorted((trial for trial in trials if trial.val_loss is not None), key=lambda trial: trial.ended or 0)
    figure = Figure(figsize=(8, 7))
    above, below = figure.subplots(2)
    for status, colour in (("finished", TRAINING), ("stopped", NEUTRAL)):
        points = [((trial.ended or 0) / 60, trial.val_loss) for trial in shown if trial.status == status]
        minutes, losses = np.array(points).reshape(-1, 2).T
        above.plot(minutes, losses, "o", color=colour, label=labels[status])
        if status == "finished":
            best = np.minimum.accumulate(losses)
            above.step(minutes, best, where="post", color=VALIDATION, label=labels["best"])
    above.set(xlabel=labels["time"], ylabel=labels["loss"])
    above.legend()

    keys = list(shown[0].settings)
    values = [[trial.settings[key] for trial in shown] for key in keys]
    heights = np.array([ranks(column) for column in values]).reshape(len(keys), len(shown))
    by_loss = np.argsort([-(trial.val_loss or 0) for trial in shown], kind="stable")  # the best on top
    for place, row in enumerate(by_loss, start=1):
        shade = matplotlib.colormaps["Blues"](0.15 + 0.85 * place / len(shown))
        below.plot(range(len(keys)), heights[:, row], color=shade, linewidth=1.5)
    for x, column in enumerate(values):
        levels, rows = np.unique(heights[x], return_index=True)
        ticks = list(zip(levels, rows, strict=True))
        for height, row in ticks if len(ticks) <= MAX_TICKS else (ticks[0], ticks[-1]):
            below.annotate(written(column[row]), (x, height), (4, 2), textcoords="offset points")
    below.set_xticks(range(len(keys)), [key.partition(".")[2] for key in keys])
    below.set(yticks=[], title=labels["settings"])
    below.margins(0.08)
    below.grid(axis="y", visible=False)
    return figure


def ranks(values: list) -> np.ndarray:
    """The places of values on an axis from 0 to 1, equally far apart: float64 (trials,)."""
    numeric = all(isinstance(value, int | float) for value in values)
    ranked = np.unique(values if numeric else [written(value) for value in values], return_inverse=True)[1]
    return ranked / ranked.max() if ranked.any() else ranked + 0.5


def written(value: bool | int | float | str | None) -> str:
    """A value as it is written on its axis."""
    return "null" if value is None else f"{value:.3g}" if isinstance(value, float) else str(value)
