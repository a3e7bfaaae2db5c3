import pandas as pd
import pytest

from experiments.compare.figure import LABELS, accuracies
from imdb_rnn.reporting import figures
from imdb_rnn.reporting.texts import in_language

TABLE = pd.DataFrame({"network": ["gru", "linear"], "accuracy": [0.9, 0.85], "low": [0.89, 0.84], "high": [0.91, 0.86]})


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_figure_has_each_network_with_its_seeds_and_its_interval(language, tmp_path):
    with figures.style(language):
        figure = accuracies(TABLE, {"gru": [0.895, 0.905], "linear": [0.85]}, language)
        figures.save(figure, tmp_path, "compare")
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["gru", "linear"]
    top, bottom = axes.get_ylim()[::-1]
    assert top < bottom, "the best is not on top"
    seeds = [line for line in axes.lines if line.get_color() == figures.VALIDATION]
    assert [list(line.get_xdata()) for line in seeds] == [[0.895, 0.905], [0.85]]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        in_language(LABELS, language)["seed"],
        in_language(LABELS, language)["interval"],
    ]
    assert (tmp_path / "compare.png").stat().st_size > 1000
    assert (tmp_path / "compare.svg").stat().st_size > 1000
