import numpy as np
import pytest

from experiments.compare.aggregate import choose_shared, combine, over_seeds
from experiments.compare.sensitivity import RunSensitivity, traced_rows
from imdb_rnn.core.errors import UserError
from imdb_rnn.reporting.comparison_results import NetworkSensitivity
from imdb_rnn.text.corpus import from_lists

ONE = RunSensitivity(
    gradient=[4.0, 2.0, 1.0], last_words={"1": 0.5, "3": 0.75}, traces=[[0.5, 0.75], [0.5, 0.25, 0.125]]
)


def test_what_several_seeds_remember_is_put_together():
    other = ONE.model_copy(update={"gradient": [2.0, 2.0], "last_words": {"1": 0.7, "3": 0.85}})
    assert over_seeds([ONE, other]) == NetworkSensitivity(
        half_life_words={"1": [1.0, None]} | {window: [None, None] for window in ("5", "10", "20", "50")},
        gradient=[3.0, 2.0],
        last_words={"1": 0.6, "3": 0.8},
    )


def test_the_reviews_choose_shared_are_what_their_kind_says(corpus):
    rows = traced_rows(corpus.test.ranks)
    lengths, labels = corpus.test.ranks.lengths[rows], corpus.test.labels[rows]
    random = np.random.default_rng(4)
    ends = {name: random.random(len(rows)) for name in ("simple_rnn", "gru")}
    traces = {name: [[0.5] * n + [end] for n, end in zip(lengths, each, strict=True)] for name, each in ends.items()}
    chosen = choose_shared(traces, corpus.test, rows, corpus.vocabulary)
    assert [review.kind for review in chosen] == ["correct"] * 2 + ["wrong"] * 2 + ["divided"] * 2
    both = np.array(list(ends.values()))
    sureness = np.where(labels == 1, both, 1 - both)
    for review, expected in zip(
        chosen[::2], (sureness.min(0).argmax(), sureness.max(0).argmin(), np.ptp(both, 0).argmax()), strict=True
    ):
        assert review.review == rows[expected]
        assert review.label == labels[expected]
        assert all(len(each) == len(review.words) + 1 for each in review.probability.values())
        assert review.probability["gru"][-1] == ends["gru"][expected]
        assert review.words[0] == corpus.vocabulary[corpus.test.ranks[rows[expected]][0] - 1]


def test_of_more_classes_the_kinds_are_by_the_predicted_class():
    reviews = from_lists([[1, 1]] * 4, np.array([0, 1, 2, 2]))
    rows, ends = np.arange(4), {"a": [0.4, 0.4, 0.3, 0.6], "b": [0.4, 0.2, 0.3, 0.4]}
    runs = {
        name: [
            RunSensitivity(gradient=[1.0], last_words={}, traces=[[0.3, 0.3, end] for end in each], predicted=decided)
        ]
        for (name, each), decided in zip(ends.items(), ([0, 1, 0, 2], [0, 0, 1, 2]), strict=True)
    }
    found = combine({"source": "own", "labels": ["x", "y", "z"]}, runs, reviews, rows, ["film"])
    assert found.labels == ("x", "y", "z")
    assert [(trace.kind, trace.review) for trace in found.traces] == [
        ("correct", 0), ("correct", 3), ("wrong", 2), ("divided", 1),
    ]  # fmt: skip


def test_a_review_that_one_network_cuts_is_left_out(corpus):
    rows = traced_rows(corpus.test.ranks)
    labels = corpus.test.labels[rows]
    whole = [[0.5] * n + [0.9 if y else 0.1] for n, y in zip(corpus.test.ranks.lengths[rows], labels, strict=True)]
    cut = [trace[-101:] for trace in whole]
    chosen = choose_shared({"simple_rnn": whole, "gru": cut}, corpus.test, rows, corpus.vocabulary)
    assert [review.kind for review in chosen] == ["correct", "correct"]
    assert all(len(review.words) <= 100 for review in chosen)


def test_a_review_that_is_not_for_a_class_is_left_out():
    reviews, traces = from_lists([[1], [2]], np.array([1, 1])), {"a": [[0.5, 0.8], [0.5, 0.9]]}
    (chosen,) = choose_shared(traces, reviews, np.arange(2), ["film", "porn"])
    assert chosen.words == ["film"]


def test_traces_of_other_reviews_are_refused(corpus):
    with pytest.raises(UserError, match="not traced on these 3 reviews; run `make compare`"):
        combine({"source": "bundled"}, {"gru": [ONE]}, corpus.test, np.arange(3), corpus.vocabulary)
