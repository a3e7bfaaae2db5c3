import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imdb_rnn.engine.rng import Stream, dropout_mask, raw, uniform


def test_a_key_gives_the_same_for_ever():
    """Other numbers here mean that no earlier result can be had again."""
    assert raw(3, 42, Stream.INITIAL, 0).tolist() == [14276969152011380360, 8095878257575067585, 15838336090824644132]
    assert raw(2, 7, Stream.DROPOUT, 3, 1, 1).tolist() == [9515123149729337187, 18222075402638445364]


def test_each_key_gives_something_else():
    keys = [
        (seed, what, number) for seed in range(3) for what in (Stream.INITIAL, Stream.ORDER) for number in range(1, 4)
    ]
    keys += [
        (seed, Stream.DROPOUT, epoch, batch, which)
        for seed in range(3)
        for epoch in (1, 2)
        for batch in range(3)
        for which in (0, 1)
    ]
    assert len({tuple(raw(2, *key)) for key in keys}) == len(keys)


def test_uniform_numbers_are_the_upper_53_bits_as_a_fraction():
    numbers = uniform(100_000, 5)
    assert [int(number * 2**53) for number in numbers[:100]] == [int(whole) >> 11 for whole in raw(100, 5)]
    assert 0 <= numbers.min() < numbers.max() < 1
    assert np.histogram(numbers, 10, (0, 1))[0] == pytest.approx(np.full(10, 10_000), rel=0.05)


@given(rate=st.sampled_from([0.3, 0.9]), seed=st.integers(0, 2**32 - 1))
def test_the_dropout_mask_hides_its_share_and_keeps_the_mean(rate, seed):
    mask = dropout_mask(100_000, rate, seed, Stream.DROPOUT)
    assert mask.dtype == np.float32
    assert np.mean(mask == 0) == pytest.approx(rate, abs=0.01)
    assert mask.mean() == pytest.approx(1, abs=0.05)
    assert len(np.unique(mask)) == 2


def test_nothing_is_hidden_at_rate_zero():
    assert len(dropout_mask(5, 0.0, 1)) == 0
