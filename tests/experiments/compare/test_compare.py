import json

import numpy as np
import pandas as pd
import pytest
from material import as_lists
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression

from compare import linear
from compare.runs import read_memory, read_run, traced_reviews, write_run
from compare.table import differences, interval, markdown, mean_memory, read_together, summarise
from imdb_rnn.base.errors import UserError
from stages.reviews import from_lists


def runs_with(accuracy: dict[str, list[float]], reviews: int, seed: int = 1) -> dict[str, np.ndarray]:
    """Networks that are right by chance, as often as `accuracy` says for each of their seeds."""
    random = np.random.default_rng(seed)
    return {name: random.random((len(of), reviews)) < np.array(of)[:, None] for name, of in accuracy.items()}


def table_of(right: dict[str, np.ndarray]) -> tuple[pd.DataFrame, pd.DataFrame]:
    runs = {
        name: [
            {"roc_auc": 0.9, "parameters": 1000, "training_seconds": 10.0 * (1 + number), "reviews_per_second": 100}
            for _ in seeds
        ]
        for number, (name, seeds) in enumerate(right.items())
    }
    table = summarise(runs, right)
    return table, differences(table["network"].tolist(), right)


def test_the_interval_of_one_run_is_that_of_the_binomial():
    right = runs_with({"simple_rnn": [0.85]}, 5000)["simple_rnn"]
    accuracy = right.mean()
    error = 1.96 * np.sqrt(accuracy * (1 - accuracy) / 5000)
    np.testing.assert_allclose(interval(right), [accuracy - error, accuracy + error], atol=0.001 * error)


def test_two_single_runs_are_compared_as_by_mcnemar():
    random = np.random.default_rng(3)
    one, other = random.random((2, 1, 4000)) < np.array([0.86, 0.84])[:, None, None]
    only_one, only_other = np.sum(one & ~other), np.sum(other & ~one)
    low, high = interval(one, other)
    z = (low + high) / 2 / ((high - low) / 2 / 1.96)
    assert z == pytest.approx((only_one - only_other) / np.sqrt(only_one + only_other), rel=0.01)


@pytest.mark.parametrize(("seeds", "spread"), [((5, 5), (0.01, 0.01)), ((5, 1), (0.01, 0.0)), ((3, 3), (0.0, 0.0))])
def test_equals_are_called_different_as_rarely_as_promised(seeds, spread):
    """Networks of the same expected accuracy, whose seeds differ more or less: one time in twenty, not much more."""
    random, called = np.random.default_rng(1), 0
    for _ in range(400):
        ease = random.normal(1.5, 1, 2000)  # what one finds hard or easy the others do too
        right = [
            random.normal(ease, 1, (count, 2000)) > -random.normal(0, 5 * sd, (count, 1))
            for count, sd in zip(seeds, spread, strict=True)
        ]
        low, high = interval(*right)
        called += low > 0 or high < 0
    assert called / 400 < 0.085


def test_a_difference_on_the_same_reviews_is_seen_where_the_intervals_overlap():
    """Two networks that are wrong on the same reviews, but for one in fifty which only one of them gets right."""
    random = np.random.default_rng(1)
    worse = random.random((1, 2000)) < 0.85
    better = worse | (random.random((1, 2000)) < 0.1)
    table, pairs = table_of({"simple_rnn": worse, "gru": better})
    (pair,) = pairs.itertuples()
    assert (pair.better, pair.worse, pair.real) == ("gru", "simple_rnn", True)
    assert pair.difference == pytest.approx(better.mean() - worse.mean(), abs=1e-4)
    assert table["low"][0] < table["high"][1], "the intervals do not overlap, so nothing is shown"


def test_networks_that_are_alike_are_not_called_different():
    _, pairs = table_of(runs_with({"simple_rnn": [0.85, 0.85], "gru": [0.85, 0.85]}, 2000))
    assert pairs["real"].tolist() == [False]


def test_the_table_has_the_best_on_top_and_time_beside_the_simple_rnn():
    table, _ = table_of(runs_with({"simple_rnn": [0.80, 0.82], "gru": [0.90, 0.91]}, 2000))
    assert table["network"].tolist() == ["gru", "simple_rnn"]
    assert table["training_ratio"].tolist() == [2.0, 1.0]
    assert table["seeds"].tolist() == [2, 2]
    assert (table["smallest"] < table["accuracy"]).all()
    assert (table["accuracy"] < table["largest"]).all()


def test_the_markdown_has_a_line_for_each_row():
    table, pairs = table_of(runs_with({"simple_rnn": [0.8, 0.8], "gru": [0.9, 0.9], "linear": [0.85]}, 1000))
    lines = markdown(table, pairs).splitlines()
    assert len([line for line in lines if line.startswith("| ")]) == 2 * 2 + 3 + 3
    assert all(line.count("|") in (0, 8, 5) for line in lines)


def test_a_run_is_read_as_written_and_a_damaged_one_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    y, probability = np.array([0, 1, 1, 0]), np.array([0.2, 0.7, 0.4, 0.1])
    write_run("gru-1", y, probability, parameters=7, training=2.0, prediction=0.5, kept_epoch=3)
    values, again = read_run("gru-1", 4)
    assert values == {
        "accuracy": 0.75,
        "roc_auc": 1.0,
        "parameters": 7,
        "training_seconds": 2.0,
        "reviews_per_second": 8,
        "kept_epoch": 3,
    }
    np.testing.assert_allclose(again, probability, atol=1e-7)
    with pytest.raises(UserError, match=r"gru-1 is damaged \(probability\.npy should hold 5 finite.*`make compare`"):
        read_run("gru-1", 5)
    (tmp_path / "compare/runs/gru-1/run.json").write_text(json.dumps(values | {"accuracy": None}))
    with pytest.raises(UserError, match="gru-1 is damaged"):
        read_run("gru-1", 4)
    with pytest.raises(UserError, match="gru-2 is missing; run `make compare`"):
        read_run("gru-2", 4)


MEMORY = {
    "gradient": [4.0, 2.0, 1.0],
    "last_words": {"1": 0.5, "3": 0.75},
    "traces": [[0.5, 0.75], [0.5, 0.25, 0.125]],
}


def test_the_memory_of_a_run_is_read_as_written_and_a_damaged_one_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    y, probability = np.array([0, 1, 1, 0]), np.array([0.2, 0.7, 0.4, 0.1])
    write_run("gru-1", y, probability, parameters=7, training=2.0, prediction=0.5, memory=MEMORY)
    assert read_memory("gru-1", 2) == MEMORY
    path = tmp_path / "compare/runs/gru-1/memory.json"
    for damage in ({"gradient": []}, {"last_words": {"1": None}}, {"traces": [[0.5], 1]}):
        path.write_text(json.dumps(MEMORY | damage))
        with pytest.raises(UserError, match=r"memory\.json is damaged .*; remove its folder and run `make compare`"):
            read_memory("gru-1", 2)
    path.write_text(json.dumps(MEMORY))
    with pytest.raises(UserError, match="3 traces"):
        read_memory("gru-1", 3)
    write_run("linear", y, probability, parameters=7, training=2.0, prediction=0.5)
    with pytest.raises(UserError, match=r"linear.memory\.json is missing; run `make compare`"):
        read_memory("linear", 2)


def test_what_several_seeds_remember_is_put_together():
    other = MEMORY | {"gradient": [2.0, 2.0], "last_words": {"1": 0.7, "3": 0.85}}
    together = mean_memory([MEMORY, other])
    assert together == {
        "half_life_words": {"1": [1.0, None]} | {window: [None, None] for window in ("5", "10", "20", "50")},
        "gradient": [3.0, 2.0],
        "last_words": {"1": 0.6, "3": 0.8},
    }


def test_the_reviews_read_together_are_what_their_kind_says(corpus):
    rows = traced_reviews(corpus.test)
    lengths, labels = np.diff(corpus.test.offsets)[rows], corpus.test.labels[rows]
    assert len(rows) > 50
    assert lengths.min() >= 50
    assert lengths.max() <= 200
    random = np.random.default_rng(4)
    ends = {name: random.random(len(rows)) for name in ("simple_rnn", "gru")}
    traces = {name: [[0.5] * n + [end] for n, end in zip(lengths, of, strict=True)] for name, of in ends.items()}
    found = read_together(traces, corpus.test, rows, corpus.vocabulary)
    assert [review["kind"] for review in found] == ["right"] * 2 + ["wrong"] * 2 + ["divided"] * 2
    both = np.array(list(ends.values()))
    for_label = np.where(labels == 1, both, 1 - both)
    for review, expected in zip(
        found[::2], (for_label.min(0).argmax(), for_label.max(0).argmin(), np.ptp(both, 0).argmax()), strict=True
    ):
        assert review["review"] == rows[expected]
        assert review["label"] == labels[expected]
        assert all(len(of) == len(review["words"]) + 1 for of in review["probability"].values())
        assert review["probability"]["gru"][-1] == ends["gru"][expected]


def test_the_linear_baseline_is_logistic_regression_on_weighted_ngrams(corpus):
    """On real reviews, beside the same made of Python's own sets and scikit-learn's vectorizer."""
    lists, labels = as_lists(corpus.train), corpus.train.labels
    reviews = from_lists(lists[::100], labels[::100])
    others = from_lists(lists[50::400], labels[50::400])
    vocab_size = len(corpus.vocabulary) + 4
    model = linear.fit(reviews, vocab_size)
    probability = linear.predict(*model, others, vocab_size)

    def sets(texts):
        grams = [[tuple(text[i : i + n]) for n in (1, 2, 3) for i in range(len(text) - n + 1)] for text in texts]
        return [dict.fromkeys(map(str, review), 1.0) for review in grams]

    vectorizer = DictVectorizer()
    x = vectorizer.fit_transform(sets(lists[::100]))
    often = np.asarray(x.sum(axis=0)).ravel() >= linear.MIN_REVIEWS
    x, y = x[:, often], labels[::100]
    p, q = (np.asarray(x[y == label].sum(axis=0)).ravel() + linear.SMOOTHING for label in (1, 0))
    ratio = np.log(p / p.sum()) - np.log(q / q.sum())
    regression = LogisticRegression(C=linear.C, max_iter=200, tol=1e-3).fit(x.multiply(ratio).tocsr(), y)
    expected = regression.predict_proba(vectorizer.transform(sets(lists[50::400]))[:, often].multiply(ratio).tocsr())
    np.testing.assert_allclose(probability, expected[:, 1], atol=1e-3)
    assert len(model[0]) == often.sum()
