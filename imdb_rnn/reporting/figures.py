"""The figures, in English or Chinese: each a function from tables to a Matplotlib figure, and one way to write them."""

import importlib.util
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font

from imdb_rnn.core.errors import UserError
from imdb_rnn.evaluation.results import ConfusionCell
from imdb_rnn.reporting.texts import FIGURE_LABELS, in_language

TRAINING, VALIDATION, NEUTRAL = "#1f6fb4", "#d95f0e", "#555555"
MOST_NUMBERS, LONGEST_TICK = 15, 24  # classes of whose confusion matrix the numbers can be read; letters of a label

CHINESE_FONTS = (  # looked for among the installed fonts, in this order, when mplfonts is not there
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Noto Sans CJK JP",  # Matplotlib knows a collection file by its first face; this one's has the Chinese glyphs too
    "PingFang SC",
    "Hiragino Sans GB",
    "Microsoft YaHei",
    "SimHei",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
)


def find_font(language: str) -> Path | None:
    """Find a font file that has every glyph of the language's labels; None for English, which Matplotlib's has.

    Raises:
        UserError: when there is none, with the commands that install one.
    """
    if language == "en":
        return None
    characters = set().union(*in_language(FIGURE_LABELS, language).values())
    candidates: list[Path] = []
    spec = importlib.util.find_spec("mplfonts")
    if spec and spec.submodule_search_locations:
        candidates.append(Path(spec.submodule_search_locations[0]) / "fonts" / "NotoSansCJKsc-Regular.otf")
    installed = {font.name: Path(font.fname) for font in font_manager.fontManager.ttflist if font.style == "normal"}
    candidates += [installed[name] for name in CHINESE_FONTS if name in installed]
    for path in candidates:
        if path.exists() and all(FT2Font(str(path)).get_char_index(ord(character)) for character in characters):
            return path
    raise UserError(
        "no font with Chinese glyphs was found, which the figures need; run `pip install mplfonts` or "
        "`apt-get install fonts-noto-cjk`"
    )


@contextmanager
def style(language: str, names: str = "") -> Iterator[None]:
    """Draw with fixed settings, whatever the user's matplotlibrc says; fonts are for `language` and Chinese `names`."""
    font = find_font("zh" if any("\u2e80" <= letter <= "\uffff" for letter in names) else language)
    # Known by its path, not by its name: another version of the font may be installed under the same name.
    entry = None
    if font:
        entry = font_manager.FontEntry(fname=str(font), name="figures")
        font_manager.fontManager.ttflist.append(entry)
    families = ["DejaVu Sans", *(["figures"] if font else [])]  # of which the first that has it draws a glyph
    settings: Any = {
        "font.family": families if language == "en" else families[::-1],
        "axes.unicode_minus": False,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": "#e5e5e5",
        "legend.frameon": False,
        "figure.constrained_layout.use": True,
        "savefig.dpi": 150,
        "svg.fonttype": "path",  # glyphs as outlines: the reader needs no font
        "svg.hashsalt": "figures",
    }
    try:
        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            matplotlib.rcParams.update(settings)
            yield
    finally:
        if entry:
            font_manager.fontManager.ttflist.remove(entry)


def training(history: pd.DataFrame, best_epoch: int, language: str) -> Figure:
    """The figure of the original tutorial: loss (left) and accuracy (right) in training and validation, by epoch."""
    labels = in_language(FIGURE_LABELS, language)
    figure = Figure(figsize=(10, 4))
    for axes, name in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        axes.plot(history["epoch"], history[name], color=TRAINING, marker="o", label=labels[f"training {name}"])
        axes.plot(
            history["epoch"],
            history[f"val_{name}"],
            color=VALIDATION,
            marker="s",
            linestyle="--",
            label=labels[f"validation {name}"],
        )
        axes.axvline(best_epoch, color=NEUTRAL, linestyle=":", label=f"{labels['best']}: {best_epoch}")
        axes.set(xlabel=labels["epoch"], ylabel=labels[name])
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend()
    return figure


def confusion(cells: list[ConfusionCell], language: str) -> Figure:
    """The confusion matrix: reviews by label (rows) and predicted label (columns), with the shares of each row."""
    labels = in_language(FIGURE_LABELS, language)
    counts: dict[tuple[str, str], int] = {(cell.label, cell.predicted): cell.n_reviews for cell in cells}
    names = list(dict.fromkeys(label for label, _ in counts))
    matrix = np.array([[counts[label, predicted] for predicted in names] for label in names])
    shares = matrix / matrix.sum(axis=1, keepdims=True)
    is_pair, has_numbers = len(names) == 2, len(names) <= MOST_NUMBERS
    side = 4.8 if is_pair else max(4.8, 2 + 0.62 * len(names)) if has_numbers else 6 + 0.1 * len(names)  # inches
    figure = Figure(figsize=(side, side - 0.6))
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), n_reviews in np.ndenumerate(matrix) if has_numbers else ():
        color = "white" if shares[row, column] > 0.5 else "black"
        text = f"{n_reviews}\n{shares[row, column]:.1%}"
        axes.text(column, row, text, ha="center", va="center", color=color, fontsize=14 if is_pair else 9)
    ticks = [labels[name] if is_pair else _plain(name) for name in names]
    is_short, size = sum(map(len, ticks)) <= 60, 10 if is_pair else 9 if has_numbers else 7
    axes.set_xticks(range(len(names)), ticks, rotation=0 if is_short else 90, fontsize=size)
    axes.set_yticks(range(len(names)), ticks, rotation=90 if is_short else 0, va="center", fontsize=size)
    axes.set(xlabel=labels["predicted"], ylabel=labels["label"])
    axes.grid(False)
    return figure


def _plain(name: str) -> str:
    """A label as it stands at an axis: short, and a dollar sign begins no formula."""
    return (name if len(name) <= LONGEST_TICK else f"{name[: LONGEST_TICK - 1]}…").replace("$", r"\$")


def roc(points: pd.DataFrame, area: float, language: str) -> Figure:
    """The ROC curve and the area under it."""
    labels = in_language(FIGURE_LABELS, language)
    figure = Figure(figsize=(4.8, 4.4))
    axes = figure.subplots()
    axes.plot(points["fpr"], points["tpr"], color=TRAINING, label=f"{labels['auc']}: {area:.3f}")
    axes.plot([0, 1], [0, 1], color=NEUTRAL, linestyle=":", label=labels["chance"])
    axes.set(xlabel=labels["fpr"], ylabel=labels["tpr"], xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    axes.legend(loc="lower right")
    return figure


def precision_recall(points: pd.DataFrame, classes: int, language: str) -> Figure:
    """The precision-recall curve, and the precision of predicting every review positive, which is its last point."""
    labels = in_language(FIGURE_LABELS, language)
    figure = Figure(figsize=(4.8, 4.4))
    axes, level = figure.subplots(), points["precision"].iloc[-1]
    axes.plot(points["recall"], points["precision"], color=TRAINING, label=labels["network"])
    axes.axhline(level, color=NEUTRAL, linestyle=":", label=labels["share" if classes == 2 else "chance"])
    axes.set(xlabel=labels["recall"], ylabel=labels["precision"], xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    axes.legend(loc="lower left")
    return figure


def lengths(words_per_review: np.ndarray, maxlen: int, language: str) -> Figure:
    """How long the reviews are, and where `maxlen` cuts; the longest one in a hundred are left out of the picture."""
    labels = in_language(FIGURE_LABELS, language)
    median = int(np.median(words_per_review))
    end = max(np.percentile(words_per_review, 99), maxlen * 1.05)
    figure = Figure(figsize=(7, 4))
    axes = figure.subplots()
    axes.hist(words_per_review, bins=60, range=(0, end), color=TRAINING, alpha=0.8)
    axes.axvline(median, color=NEUTRAL, linestyle="--", label=f"{labels['median']}: {median}")
    axes.axvline(maxlen, color=VALIDATION, linestyle=":", label=f"{labels['cut']}: {maxlen}")
    axes.set(xlabel=labels["length"], ylabel=labels["reviews"], xlim=(0, end))
    axes.legend()
    return figure


def save(figure: Figure, folder: Path, name: str) -> None:
    """Write `name.png` and `name.svg`, the same bytes each time. Call inside `style`."""
    # Runs of equal pixels alone are compressed: how other repetitions are found may depend on the processor.
    figure.savefig(folder / f"{name}.png", metadata={"Software": None}, pil_kwargs={"compress_type": zlib.Z_RLE})
    figure.savefig(folder / f"{name}.svg", metadata={"Date": None, "Creator": None})
