from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from material import peak_memory

from imdb_rnn.engine.ragged import Ragged, from_lengths
from imdb_rnn.evaluation import sensitivity
from imdb_rnn.text.encode import unpad

REVIEWS = unpad(np.array([[0, 1, 5, 6, 7], [0, 0, 1, 8, 7], [9, 8, 7, 6, 5]], np.int32))


def ends_with_seven(ids: Ragged) -> np.ndarray:
    """The logit is 2 after the word 7, else -2."""
    return np.where(ids.values[ids.starts + ids.lengths - 1] == 7, 2, -2)


def accuracy(logits, y: list[int], threshold: float = 0.5):
    """The accuracy of last words, of a network that reads five ids."""
    network = SimpleNamespace(logits=logits, encoding=SimpleNamespace(maxlen=5), threshold=threshold)
    return sensitivity.accuracy_of_last_words(network, REVIEWS, np.array(y))


@given(st.integers(1, 500), st.integers(1, 600))
def test_a_sample_is_spread_over_all_reviews(total, count):
    rows = sensitivity.sample(total, count)
    assert len(rows) == min(count, total)
    assert rows[0] == 0
    assert rows[-1] < total
    steps = np.diff(rows)
    assert len(steps) == 0 or (steps.min() > 0 and np.ptp(steps) <= 1 and (count == 1 or rows[-1] == total - 1))


def test_the_gradient_is_sorted_by_distance_from_the_last_word():
    """The start token is no word: reviews have one, have lost it to a cut, or have nothing else."""
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
    table = accuracy(ends_with_seven, [1, 1, 0])
    assert table.to_numpy().tolist() == [[1, 1], [2, 1], [5, 1]]


def test_hiding_words_costs_what_they_told():
    """A network that counts its words is wrong when they are hidden."""
    table = accuracy(lambda ids: ids.lengths - 3.5, [1, 0, 1])
    assert table["accuracy"].tolist() == pytest.approx([1 / 3, 1 / 3, 1], abs=1e-6)


def test_a_start_token_is_found_at_the_beginning_alone():
    assert sensitivity.has_start_token(REVIEWS).tolist() == [True, True, False]
    ids = from_lengths(np.array([1], np.int32), [0, 1, 0])
    assert sensitivity.has_start_token(ids).tolist() == [False, True, False]


def test_looking_for_start_tokens_takes_little_memory():
    ids = from_lengths(np.ones(1_000_000, np.int32), [500] * 2000)
    assert peak_memory(lambda: sensitivity.has_start_token(ids)) < ids.values.nbytes / 20
