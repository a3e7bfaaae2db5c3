import numpy as np
import pandas as pd
import pytest
from material import write_params

from experiments.compare import table
from experiments.compare.runs import PLAN, RUNS, Run, write_run
from experiments.compare.sensitivity import SENSITIVITY, RunSensitivity
from experiments.compare.table import FIGURE_LABELS, accuracies, differences, markdown, summarise
from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError
from imdb_rnn.reporting import figures
from imdb_rnn.reporting.comparison_results import read_comparison
from imdb_rnn.reporting.texts import in_language
from imdb_rnn.text.corpus import from_lists, make_corpus, write_corpus


def runs_with(accuracy: dict[str, list[float]], reviews: int, seed: int = 1) -> dict[str, np.ndarray]:
    """Networks that are right by chance, as often as `accuracy` says for each of their seeds."""
    random = np.random.default_rng(seed)
    return {name: random.random((len(seeds), reviews)) < np.array(seeds)[:, None] for name, seeds in accuracy.items()}


def table_of(right: dict[str, np.ndarray]) -> tuple[pd.DataFrame, pd.DataFrame]:
    runs = {
        name: [Run(weights=1000, training_seconds=10.0 * (1 + number), reviews_per_second=100) for _ in seeds]
        for number, (name, seeds) in enumerate(right.items())
    }
    summary = summarise(runs, right, dict.fromkeys(right, 0.9))
    return summary, differences(summary["network"].tolist(), right)


def test_a_difference_on_the_same_reviews_is_seen_where_the_intervals_overlap():
    """Two networks that are wrong on the same reviews, but for one in fifty which only one of them gets right."""
    random = np.random.default_rng(1)
    worse = random.random((1, 2000)) < 0.85
    better = worse | (random.random((1, 2000)) < 0.1)
    summary, pairs = table_of({"simple_rnn": worse, "gru": better})
    (pair,) = pairs.itertuples()
    assert (pair.better, pair.worse, pair.significant) == ("gru", "simple_rnn", True)
    assert pair.p < 0.001
    assert pair.difference == pytest.approx(better.mean() - worse.mean(), abs=1e-4)
    assert summary["low"][0] < summary["high"][1], "the intervals do not overlap, so nothing is shown"


@pytest.mark.slow
@pytest.mark.parametrize(("seeds", "spread"), [(1, 0.0), (5, 0.15)])
def test_of_many_tables_of_equals_at_most_one_in_twenty_calls_any_two_different(seeds, spread):
    """Six networks make fifteen pairs. Where each pair is judged by its own interval, many tables have a false one."""
    random, names = np.random.default_rng(1), list("abcdef")
    called, called_alone, tables = 0, 0, 200
    for _ in range(tables):
        ease = random.normal(1.5, 1, 500)  # what one finds hard or easy the others do too
        right = {name: random.normal(ease, 1, (seeds, 500)) > random.normal(0, spread, (seeds, 1)) for name in names}
        pairs = differences(names, right)
        called += pairs["significant"].any()
        called_alone += ((pairs["low"] > 0) | (pairs["high"] < 0)).any()
    assert called / tables <= 0.05
    assert called_alone / tables > 0.2, "there is nothing to correct, so nothing is shown"


def test_a_small_difference_is_significant_between_two_networks_and_not_among_many():
    """The same answers and the same interval; but among fifteen pairs one like this is no wonder."""
    right = {name: np.ones((1, 1000), bool) for name in "acdef"} | {"b": np.arange(1000)[None] >= 6}
    alone, among = differences(["a", "b"], right).iloc[0], differences([*"abcdef"], right).iloc[0]
    assert alone["low"] == among["low"] > 0
    assert (alone["significant"], among["significant"]) == (True, False)
    assert among["p"] == pytest.approx(15 * alone["p"], abs=1e-3)


def test_the_table_has_the_best_on_top_and_time_beside_the_simple_rnn():
    summary, _ = table_of(runs_with({"simple_rnn": [0.80, 0.82], "gru": [0.90, 0.91]}, 2000))
    assert summary["network"].tolist() == ["gru", "simple_rnn"]
    assert summary["training_ratio"].tolist() == [2.0, 1.0]
    assert summary["n_seeds"].tolist() == [2, 2]
    assert (summary["min"] < summary["accuracy"]).all()
    assert (summary["accuracy"] < summary["max"]).all()


def test_the_markdown_has_a_line_for_each_row():
    summary, pairs = table_of(runs_with({"simple_rnn": [0.8, 0.8], "gru": [0.9, 0.9], "linear": [0.85]}, 1000))
    lines = markdown(summary, pairs).splitlines()
    assert len([line for line in lines if line.startswith("| ")]) == 2 * 2 + 3 + 3
    assert all(line.count("|") in (0, 8, 6) for line in lines)
    assert lines[-2].startswith("| gru | simple_rnn | +0.101 (+0.049 to +0.153) | ")
    assert "| 0.019 | yes |" in lines[-2]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_figure_has_each_network_with_its_seeds_and_its_interval(language, tmp_path):
    two = pd.DataFrame(
        {"network": ["gru", "linear"], "accuracy": [0.9, 0.85], "low": [0.89, 0.84], "high": [0.91, 0.86]}
    )
    with figures.style(language):
        figure = accuracies(two, {"gru": [0.895, 0.905], "linear": [0.85]}, language)
        figures.save(figure, tmp_path, "compare")
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["gru", "linear"]
    top, bottom = axes.get_ylim()[::-1]
    assert top < bottom, "the best is not on top"
    seeds = [line for line in axes.lines if line.get_color() == figures.VALIDATION]
    assert [list(line.get_xdata()) for line in seeds] == [[0.895, 0.905], [0.85]]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        in_language(FIGURE_LABELS, language)["seed"],
        in_language(FIGURE_LABELS, language)["interval"],
    ]
    assert (tmp_path / "compare.png").stat().st_size > 1000
    assert (tmp_path / "compare.svg").stat().st_size > 1000


@pytest.fixture
def project(params, tmp_path):
    """A folder with 40 test reviews, and with finished runs on them: a network that is always right, and others."""
    random = np.random.default_rng(1)
    labels = np.array([0, 1] * 20)
    reviews = from_lists([random.integers(1, 11, 60).tolist() for _ in labels], labels)
    vocabulary = [f"word{rank}" for rank in range(1, 11)]
    write_corpus(make_corpus(reviews, reviews, vocabulary, {"source": "bundled"}), tmp_path / files.REVIEWS)
    write_params(tmp_path, params)
    files.write_text(tmp_path / PLAN, "networks: [simple_rnn, gru]\nseeds: [1, 2]\n")
    run = Run(weights=7, training_seconds=2.0, reviews_per_second=8)
    sure = np.where(labels == 1, 3.0, -3.0)
    for name in ("simple_rnn-1", "simple_rnn-2", "gru-1", "gru-2", "linear"):
        (tmp_path / RUNS / name).mkdir(parents=True)
        mistakes = {"gru": 0, "simple_rnn": 20, "linear": 4}[name.split("-")[0]]
        write_run(tmp_path / RUNS / name, run, np.where(np.arange(40) < mistakes, -sure, sure))
        measured = RunSensitivity(gradient=[1.0] * 60, last_words={"1": 0.5}, traces=[[0.5] * 60 + [0.9]] * 40)
        files.write_text(tmp_path / SENSITIVITY / f"{name}.json", measured.model_dump_json())
    return tmp_path


def test_the_results_are_computed_from_the_runs(project, capsys):
    table.main(project)
    summary, pairs = pd.read_csv(project / table.COMPARE), pd.read_csv(project / table.DIFFERENCES)
    assert dict(zip(summary["network"], summary["accuracy"], strict=True)) == {
        "gru": 1,
        "linear": 0.9,
        "simple_rnn": 0.5,
    }
    assert dict(zip(summary["network"], summary["n_seeds"], strict=True)) == {"gru": 2, "linear": 1, "simple_rnn": 2}
    assert summary["roc_auc"][0] == 1
    assert set(summary["n_test_reviews"]) == {40}
    assert list(pairs.columns) == ["better", "worse", "difference", "low", "high", "p", "significant"]
    assert pairs[["better", "worse"]].to_numpy().tolist() == [
        ["gru", "linear"],
        ["gru", "simple_rnn"],
        ["linear", "simple_rnn"],
    ]
    comparison = read_comparison(project / files.COMPARE_SENSITIVITY)
    assert comparison.source == "bundled"
    assert list(comparison.networks) == ["simple_rnn", "gru"]
    assert [review.kind for review in comparison.traces] == ["correct", "correct", "wrong", "wrong"]
    assert {path.name for path in (project / "results").iterdir()} == {
        "compare.csv",
        "compare.png",
        "compare.svg",
        "differences.csv",
        "experiments",
    }
    assert "| gru | 1.000" in capsys.readouterr().out


def test_runs_that_are_missing_are_named(project):
    (project / RUNS / "gru-2/run.json").unlink()
    with pytest.raises(UserError, match=r"gru-2.run\.json is missing; run `make compare`"):
        table.main(project)


def test_without_the_network_whose_time_is_the_unit_there_is_no_table(project):
    files.write_text(project / PLAN, "networks: [gru]\nseeds: [1]\n")
    with pytest.raises(UserError, match=r"experiments.compare.params\.yaml: networks must include simple_rnn"):
        table.main(project)
