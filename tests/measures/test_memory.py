import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from material import changed, model_params
from test_network import made

from stages import memory, network
from stages.batches import Words, pad_again, unpad
from stages.pad import pad
from imdb_rnn.reviews.vocabulary import START

REVIEWS = unpad(np.array([[0, 1, 5, 6, 7], [0, 0, 1, 8, 7], [9, 8, 7, 6, 5]], np.int32), mask_padding=True)


def ends_with_seven(words: Words) -> np.ndarray:
    """A network that says 0.9 after the word 7, 0.1 after another, 0.5 of nothing."""
    last = words.tokens[np.maximum(words.starts + words.lengths - 1, 0)]
    return np.where(words.lengths == 0, 0.5, np.where(last == 7, 0.9, 0.1))


@given(st.integers(1, 500), st.integers(1, 600))
def test_a_sample_is_spread_over_all_reviews(total, count):
    rows = memory.sample(total, count)
    assert len(rows) == min(count, total)
    assert rows[0] == 0
    assert rows[-1] < total
    steps = np.diff(rows)
    assert len(steps) == 0 or (steps.min() > 0 and np.ptp(steps) <= 1 and (count == 1 or rows[-1] == total - 1))


@pytest.mark.parametrize("mask_padding", [True, False])
@pytest.mark.parametrize("before", [True, False])
def test_the_gradient_is_sorted_by_distance_from_the_last_word(mask_padding, before):
    x = np.array([[0, 1, 5, 6], [9, 8, 7, 6], [0, 0, 0, 1]], np.int32)
    if not before:
        x = np.array([[1, 5, 6, 0], [9, 8, 7, 6], [1, 0, 0, 0]], np.int32)
    words = unpad(x, mask_padding)
    # A word's gradient is its own id, so that it can be seen where it went.
    norms = [words.tokens[a : a + n].astype(np.float32) for a, n in zip(words.starts, words.lengths, strict=True)]
    table = memory.gradient_by_distance(norms, words)
    assert table.to_numpy().tolist() == [[0, 6, 2], [1, 6, 2], [2, 8, 1], [3, 9, 1]]


@pytest.mark.parametrize("half_life", [0.3, 1, 7, 33.3, 150])
def test_the_half_life_of_a_decay_is_that_of_the_decay(half_life):
    assert memory.half_life(3 * 0.5 ** (np.arange(500) / half_life)) == pytest.approx(half_life, abs=0.3)


def test_single_words_do_not_make_a_half_life():
    """The first dip of a noisy curve below half is not the half-life of its course."""
    for seed in range(20):
        noisy = 0.5 ** (np.arange(500) / 50) * np.random.default_rng(seed).uniform(0.4, 1.6, 500)
        noisy[0] = 1.6
        assert np.argmax(noisy < noisy[0] / 2) < 20
        assert memory.half_life(noisy) == pytest.approx(50, abs=25)


@pytest.mark.parametrize("curve", [np.ones(50), np.zeros(50), np.arange(50.0), np.ones(3), np.empty(0)])
def test_what_never_falls_to_half_has_no_half_life(curve):
    assert memory.half_life(curve) is None


def test_only_the_last_words_are_left():
    table = memory.accuracy_of_last_words(ends_with_seven, REVIEWS, np.array([1, 1, 0]), 5)
    assert table.to_numpy().tolist() == [[1, 1], [2, 1], [5, 1]]
    left = memory.last(REVIEWS, 2)
    found = [left.tokens[a : a + n].tolist() for a, n in zip(left.starts, left.lengths, strict=True)]
    assert found == [[6, 7], [8, 7], [6, 5]]
    assert memory.last(REVIEWS, 99).lengths.tolist() == [4, 3, 5]


def test_hiding_words_costs_what_they_told():
    """A network that counts its words is wrong when they are hidden."""
    table = memory.accuracy_of_last_words(
        lambda words: (words.lengths > 3).astype(float), REVIEWS, np.array([1, 0, 1]), 5
    )
    assert table["accuracy"].tolist() == pytest.approx([1 / 3, 1 / 3, 1])


def test_a_trace_says_what_would_be_said_if_the_review_ended():
    assert memory.trace(ends_with_seven, REVIEWS, 0).tolist() == [0.1, 0.1, 0.1, 0.9]  # the start mark is not counted
    assert memory.trace(ends_with_seven, REVIEWS, 2).tolist() == [0.5, 0.1, 0.1, 0.9, 0.1, 0.1]


@pytest.mark.parametrize("mask_padding", [True, False])
@pytest.mark.parametrize("padding", ["pre", "post"])
def test_a_trace_ends_with_the_prediction(corpus, params, mask_padding, padding):
    kind = model_params(cell="gru", bidirectional=True, pooling="max+mean", mask_padding=mask_padding)
    pad_params = changed(params, pad={"vocab_size": 20, "maxlen": 30, "padding": padding}).pad
    x = pad(corpus.test, pad_params)[:4]
    x[1] = np.roll(np.where(np.arange(30) < 20, 0, x[1]), 0 if padding == "pre" else -20)  # a shorter one
    model = made(kind)
    read = network.reader(model, kind, pad_params)
    expected = network.predict(model, kind, unpad(x, mask_padding))
    words = unpad(x, mask_padding=True)
    for row in range(4):
        trace = memory.trace(read, words, row)
        assert len(trace) == words.lengths[row] + 1 - (words.tokens[words.starts[row]] == START)
        assert trace[-1] == pytest.approx(expected[row], abs=1e-6)
        assert np.ptp(trace) > 0.001


@given(st.lists(st.lists(st.integers(1, 9), max_size=6), min_size=1, max_size=5), st.sampled_from(["pre", "post"]))
def test_padding_comes_back_where_it_was(reviews, padding):
    x = np.zeros((len(reviews), 6), np.int32)
    for row, review in zip(x, reviews, strict=True):
        row[6 - len(review) if padding == "pre" else 0 :][: len(review)] = review
    again = pad_again(unpad(x, mask_padding=True), 6, padding)
    assert again.tokens.reshape(x.shape).tolist() == x.tolist()
