import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import ragged

from imdb_rnn.network.layout import PARTS, part_of, states_after
from imdb_rnn.network.pooling import pool

UNITS = 3
lengths = st.lists(st.integers(0, 6), min_size=1, max_size=7).map(lambda values: sorted(values, reverse=True))


def directions(part, seed, ways):
    """States before each step, and the last ones."""
    random = np.random.default_rng(seed)
    states = []
    for _ in range(ways):
        before = random.normal(size=(len(part.words), UNITS)).astype(np.float32)
        last = random.normal(size=(len(part.lengths), UNITS)).astype(np.float32)
        last[part.lengths == 0] = 0
        states.append((before, last))
    return states


def of_review(part, review, rows):
    """The rows of one review, in its order."""
    begins = np.cumsum(part.sizes) - part.sizes
    return rows[begins[: part.lengths[review]] + review]


def naive(kind, part, before, last):
    after = states_after(before, last, part)
    pooled = np.zeros_like(last)
    for review in np.flatnonzero(part.lengths):
        states = of_review(part, review, after)
        pooled[review] = {"last": states[-1], "max": states.max(axis=0), "mean": states.mean(axis=0)}[kind]
    return pooled


@pytest.mark.parametrize("pooling", ["last", "max", "mean", "max+mean"])
@given(lengths=lengths, ways=st.integers(1, 2), seed=st.integers(0, 2**32 - 1))
def test_pooled_is_what_the_name_says_of_the_states_of_each_review(pooling, lengths, ways, seed):
    part = part_of(ragged(*(np.ones(length, np.int32) for length in np.repeat(lengths, PARTS))), 0)
    states = directions(part, seed, ways)
    pooled, _ = pool(pooling, states, part)
    expected = np.hstack([naive(kind, part, *state) for kind in pooling.split("+") for state in states])
    np.testing.assert_allclose(pooled, expected, atol=1e-6)


@given(lengths=lengths, seed=st.integers(0, 2**32 - 1))
def test_a_gradient_goes_back_to_the_highest_state_and_in_equal_shares_to_all(lengths, seed):
    part = part_of(ragged(*(np.ones(length, np.int32) for length in np.repeat(lengths, PARTS))), 0)
    (state,) = directions(part, seed, 1)
    _, back = pool("max+mean", [state], part)
    dpooled = np.random.default_rng(seed).normal(size=(len(lengths), 2 * UNITS)).astype(np.float32)
    ((dstates, dlast),) = back(dpooled)
    assert not dlast.any()
    after = states_after(*state, part)
    for review, length in enumerate(lengths):
        if length:
            states = of_review(part, review, after)
            highest = states == states.max(axis=0)
            expected = highest * dpooled[review, :UNITS] + dpooled[review, UNITS:] / length
            np.testing.assert_allclose(of_review(part, review, dstates), expected, atol=1e-6)


def test_the_gradient_of_the_last_state_is_handed_on():
    part = part_of(ragged([1, 2], [1], [3]), 0)
    _, back = pool("last", directions(part, 1, 2), part)
    dpooled = np.arange(4 * UNITS, dtype=np.float32).reshape(2, -1)
    (dstates, dlast), (dstates_backwards, dlast_backwards) = back(dpooled)
    assert dstates.shape == dstates_backwards.shape == (0, UNITS)
    np.testing.assert_array_equal(np.hstack([dlast, dlast_backwards]), dpooled)
