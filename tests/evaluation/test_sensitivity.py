import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imdb_rnn.engine.ragged import Ragged, from_lengths
from imdb_rnn.evaluation import sensitivity
from imdb_rnn.text.encode import unpad
from imdb_rnn.training.decision import is_correct, margin

REVIEWS = unpad(np.array([[0, 1, 5, 6, 7], [0, 0, 1, 8, 7], [9, 8, 7, 6, 5]], np.int32))


def ends_with_seven(ids: Ragged) -> np.ndarray:
    """A network with a logit of 2 after the word 7, -2 after another word, 0 without words."""
    last = ids.values[np.maximum(ids.starts + ids.lengths - 1, 0)]
    return np.where(ids.lengths == 0, 0, np.where(last == 7, 2, -2))


@given(st.integers(1, 500), st.integers(1, 600))
def test_a_sample_is_spread_over_all_reviews(total, count):
    rows = sensitivity.sample(total, count)
    assert len(rows) == min(count, total)
    assert rows[0] == 0
    assert rows[-1] < total
    steps = np.diff(rows)
    assert len(steps) == 0 or (steps.min() > 0 and np.ptp(steps) <= 1 and (count == 1 or rows[-1] == total - 1))


def test_the_gradient_is_sorted_by_distance_from_the_last_word():
    """The start mark is no word: reviews have one, have lost it to a cut, or have nothing else."""
    ids = from_lengths(np.array([1, 5, 6, 9, 8, 7, 6, 1], np.int32), [3, 4, 1, 0])
    # A word's gradient is its own id, so that it can be seen where it went.
    table = sensitivity.gradient_by_distance(from_lengths(ids.values.astype(np.float32), ids.lengths), ids)
    assert table.to_numpy().tolist() == [[0, 6, 2], [1, 6, 2], [2, 8, 1], [3, 9, 1]]


@pytest.mark.parametrize("half_life", [0.3, 1, 7, 33.3, 150])
def test_the_half_life_of_a_decay_is_that_of_the_decay(half_life):
    assert sensitivity.half_life(3 * 0.5 ** (np.arange(500) / half_life)) == pytest.approx(half_life, abs=0.3)


def test_single_words_do_not_make_a_half_life():
    """The first dip of a noisy curve below half is not the half-life of its course."""
    for seed in range(20):
        noisy = 0.5 ** (np.arange(500) / 50) * np.random.default_rng(seed).uniform(0.4, 1.6, 500)
        noisy[0] = 1.6
        assert np.argmax(noisy < noisy[0] / 2) < 20
        assert sensitivity.half_life(noisy) == pytest.approx(50, abs=25)


@pytest.mark.parametrize("curve", [np.ones(50), np.zeros(50), np.arange(50.0), np.ones(3), np.empty(0)])
def test_what_never_falls_to_half_has_no_half_life(curve):
    assert sensitivity.half_life(curve) is None


def test_only_the_last_words_are_left():
    table = sensitivity.accuracy_of_last_words(ends_with_seven, REVIEWS, np.array([1, 1, 0]), 5)
    assert table.to_numpy().tolist() == [[1, 1], [2, 1], [5, 1]]


def test_hiding_words_costs_what_they_told():
    """A network that counts its words is wrong when they are hidden."""
    table = sensitivity.accuracy_of_last_words(lambda ids: (ids.lengths > 3) - 0.5, REVIEWS, np.array([1, 0, 1]), 5)
    assert table["accuracy"].tolist() == pytest.approx([1 / 3, 1 / 3, 1])


def test_a_start_mark_is_known_from_a_first_word():
    assert sensitivity.has_start_token(REVIEWS).tolist() == [1, 1, 0]
    assert sensitivity.has_start_token(from_lengths(np.array([1], np.int32), [0, 1, 0])).tolist() == [0, 1, 0]


@given(st.lists(st.tuples(st.integers(0, 1), st.floats(-9, 9)), min_size=1, max_size=60))
def test_each_kind_of_traced_review_is_what_it_says(pairs):
    y, logits = (np.array(values) for values in zip(*pairs, strict=True))
    chosen = sensitivity.choose_traced(y, logits)
    rows = [row for row, _ in chosen]
    assert len(set(rows)) == len(rows)
    sureness, right = margin(y, logits), is_correct(y, logits)
    for label in (0, 1):
        for kind, of_kind, count, surest in (
            ("right", right, sensitivity.RIGHT, -1),
            ("wrong", ~right, sensitivity.WRONG, 1),
        ):
            expected = sorted(surest * sureness[(y == label) & of_kind])[:count]
            picked = [row for row, its in chosen if its == kind and y[row] == label]
            assert all(of_kind[picked])
            assert (surest * sureness[picked]).tolist() == expected


def test_the_undecided_are_the_nearest_to_a_logit_of_zero():
    logits = np.concatenate([np.linspace(-0.5, -0.05, 20), np.linspace(0.05, 0.5, 20)])
    undecided = [row for row, kind in sensitivity.choose_traced(np.tile([0, 1], 20), logits) if kind == "undecided"]
    assert sensitivity.UNDECIDED == 2
    assert undecided == [20, 18, 19, 21]  # 0.05, -0.07; -0.05, 0.07
