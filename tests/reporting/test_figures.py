import importlib.util
import itertools
import re
import warnings
import xml.etree.ElementTree as ElementTree
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
from imdb_rnn.reporting.texts import LABELS, in_language

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
        "precision_recall": figures.precision_recall(CURVE, language),
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


def texts_of(saved: dict[str, bytes]) -> dict[str, list[str]]:
    """The texts of all drawings, each with its outlines."""
    drawings = [content.decode() for name, content in saved.items() if name.endswith(".svg")]
    return {text: outlines for svg in drawings for text, outlines in texts(svg).items()}


def texts(svg: str) -> dict[str, list[str]]:
    """Every text of a drawing with the outlines of its glyphs, in order, as path data."""
    parser = ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True))
    root = ElementTree.fromstring(svg, parser)
    outlines = {path.get("id"): path.get("d") for path in root.iter("{http://www.w3.org/2000/svg}path")}
    outlines_of = {}
    for group in root.iter("{http://www.w3.org/2000/svg}g"):
        children = list(group)
        for comment, glyphs in itertools.pairwise(children):
            if comment.tag is ElementTree.Comment:
                uses = glyphs.iter("{http://www.w3.org/2000/svg}use")
                outlines_of[comment.text.strip()] = [
                    outlines[use.get("{http://www.w3.org/1999/xlink}href").removeprefix("#")] for use in uses
                ]
    return outlines_of


def faults(outlines_of: dict[str, list[str]]) -> list[str]:
    """The characters that are not drawn with an outline of their own. A font without a glyph draws an empty or the
    same box for each, so that characters share outlines or have none."""
    outline_of, faulty = {}, []
    for text, outlines in outlines_of.items():
        characters = text.replace(" ", "")
        visible = [outline for outline in outlines if outline]
        if len(visible) != len(characters):
            faulty.append(text)
            continue
        for character, outline in zip(characters, visible, strict=True):
            if outline_of.setdefault(character, outline) != outline:
                faulty.append(character)
    owners = {}
    for character, outline in outline_of.items():
        if owners.setdefault(outline, character) != character:
            faulty.append(character)
    return faulty


def test_the_chinese_figures_really_show_chinese(saved):
    outlines_of = texts_of(saved("zh"))
    assert faults(outlines_of) == []
    labels = set(in_language(LABELS, "zh").values())
    assert {"训练损失", "验证损失", "训练准确率", "验证准确率"} <= labels & set(outlines_of)
    unseen = {label for label in labels if not any(label in text for text in outlines_of)}
    assert unseen == set()


def test_the_check_of_glyphs_sees_a_font_without_them(tmp_path):
    with figures.style("en"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Matplotlib's own word about missing glyphs
        figures.save(figures.training(HISTORY, 2, "zh"), tmp_path, "boxes")
    assert faults(texts((tmp_path / "boxes.svg").read_text(encoding="utf-8")))


def test_the_english_figures_have_english_labels(saved):
    text = "\n".join(texts_of(saved("en")))
    for label in in_language(LABELS, "en").values():
        assert label in text
    assert not re.search("[\u4e00-\u9fff]", text)


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_bytes_are_fixed_whatever_the_users_settings(saved, tmp_path, language):
    assert len(saved(language)) == 10
    with matplotlib.rc_context({"font.size": 20, "axes.facecolor": "red", "savefig.dpi": 30, "axes.grid": False}):
        assert save_all(tmp_path / "again", language) == saved(language)
        assert matplotlib.rcParams["font.size"] == 20


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
