import importlib.util
import itertools
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib import font_manager
from matplotlib.figure import Figure

from imdb_rnn.core.errors import UserError
from imdb_rnn.evaluation.results import ConfusionCell
from imdb_rnn.reporting import figures
from imdb_rnn.reporting.texts import FIGURE_LABELS, in_language

HISTORY = pd.DataFrame(
    {
        "epoch": [1, 2, 3],
        "loss": [0.6, 0.4, 0.3],
        "accuracy": [0.6, 0.8, 0.9],
        "val_loss": [0.5, 0.45, 0.5],
        "val_accuracy": [0.7, 0.8, 0.78],
    }
)
CELLS = {
    ("negative", "negative"): 40,
    ("negative", "positive"): 10,
    ("positive", "negative"): 5,
    ("positive", "positive"): 45,
}
CONFUSION = [ConfusionCell(label=label, predicted=predicted, n_reviews=n) for (label, predicted), n in CELLS.items()]
CURVE = pd.DataFrame({"fpr": [0, 0.2, 1], "tpr": [0, 0.8, 1], "recall": [0, 0.5, 1], "precision": [1, 0.9, 0.5]})


def draw(language: str) -> dict[str, Figure]:
    return {
        "training": figures.training(HISTORY, 2, language),
        "confusion": figures.confusion(CONFUSION, language),
        "roc": figures.roc(CURVE, 0.8, language),
        "precision_recall": figures.precision_recall(CURVE, 2, language),
        "lengths": figures.lengths(np.array([10, 200, 300, 900]), 500, language),
    }


def save_all(folder: Path, language: str) -> dict[str, bytes]:
    """Draw and write every figure; return the files' bytes by their names."""
    folder.mkdir()
    with figures.style(language):
        for name, figure in draw(language).items():
            figures.save(figure, folder, name)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Callable[[str], dict[str, bytes]]:
    """`save_all` of a language, once for all tests."""
    return cache(lambda language: save_all(tmp_path_factory.mktemp("saved") / "figures", language))


def texts_of(saved: dict[str, bytes]) -> str:
    """The texts of all drawings, which an SVG has as comments."""
    drawings = [content.decode() for name, content in saved.items() if name.endswith(".svg")]
    return "\n".join(text for svg in drawings for text in re.findall("<!-- (.*) -->", svg))


def test_the_chinese_figures_have_chinese_labels(saved):
    """A glyph that the font does not have would be a warning, which is an error in tests."""
    text = texts_of(saved("zh"))
    for label in in_language(FIGURE_LABELS, "zh").values():
        assert label in text


def test_a_font_without_the_glyphs_warns(tmp_path):
    with figures.style("en"), pytest.warns(UserWarning, match="Glyph .* missing from font"):
        figures.save(figures.training(HISTORY, 2, "zh"), tmp_path, "boxes")


def test_the_english_figures_have_english_labels(saved):
    text = texts_of(saved("en"))
    for label in in_language(FIGURE_LABELS, "en").values():
        assert label in text
    assert not re.search("[\u4e00-\u9fff]", text)


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_bytes_are_fixed_whatever_the_users_settings(saved, tmp_path, language):
    assert len(saved(language)) == 10
    with matplotlib.rc_context({"font.size": 20, "axes.facecolor": "red", "savefig.dpi": 30, "axes.grid": False}):
        assert save_all(tmp_path / "again", language) == saved(language)
        assert matplotlib.rcParams["font.size"] == 20


@pytest.mark.parametrize("count", [3, 15, 100])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_confusion_matrix_of_many_classes_can_be_read(tmp_path, language, count):
    """Names in any script, of any length and with signs of formulas; a glyph that is missing would be a warning."""
    names = [f"$x_{k}^$ 电影 Ελλάδα {'long ' * (k % 7)}" for k in range(count)]
    cells = [ConfusionCell(label=a, predicted=b, n_reviews=1 + (a == b)) for a in names for b in names]
    with figures.style(language, "".join(names)):
        figure = figures.confusion(cells, language)
        figures.save(figure, tmp_path, "confusion")
        (axes,) = figure.axes
        boxes = [label.get_window_extent() for label in axes.get_yticklabels()]
    assert len(axes.texts) == (count**2 if count <= figures.MOST_NUMBERS else 0)
    assert all(above.y0 >= below.y1 or above.y1 <= below.y0 for above, below in itertools.pairwise(boxes))
    assert min(box.x0 for box in boxes) >= 0


def test_without_a_chinese_font_the_commands_that_install_one_are_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(font_manager.fontManager, "ttflist", [])
    with pytest.raises(UserError, match=r"pip install mplfonts.*apt-get install fonts-noto-cjk"):
        figures.find_font("zh")
    assert figures.find_font("en") is None


def test_an_installed_font_is_found_when_the_package_is_not_there(monkeypatch):
    package = figures.find_font("zh")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    other = font_manager.FontEntry(fname=str(package), name="Noto Sans CJK SC", style="normal")
    latin = font_manager.FontEntry(fname=font_manager.findfont("DejaVu Sans"), name="SimHei", style="normal")
    monkeypatch.setattr(font_manager.fontManager, "ttflist", [latin, other])
    assert figures.find_font("zh") == package
    monkeypatch.setattr(font_manager.fontManager, "ttflist", [latin])
    with pytest.raises(UserError):  # it has the name, but not the glyphs
        figures.find_font("zh")


def test_the_training_figure_marks_the_best_epoch():
    with figures.style("en"):
        loss, accuracy = figures.training(HISTORY, 2, "en").axes
    for axes, name in ((loss, "loss"), (accuracy, "accuracy")):
        train_line, validation_line, mark = axes.get_lines()
        assert train_line.get_ydata().tolist() == HISTORY[name].tolist()
        assert validation_line.get_ydata().tolist() == HISTORY[f"val_{name}"].tolist()
        assert set(mark.get_xdata()) == {2}


def test_the_confusion_figure_shows_counts_and_shares():
    with figures.style("en"):
        axes = figures.confusion(CONFUSION, "en").axes[0]
    assert [text.get_text() for text in axes.texts] == ["40\n80.0%", "10\n20.0%", "5\n10.0%", "45\n90.0%"]
