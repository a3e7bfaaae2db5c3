import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import ragged, rows_of

from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import TrainParams
from imdb_rnn.text.encode import Labelled
from imdb_rnn.training.batches import hold_out, shuffled


@given(count=st.integers(1, 300), size=st.integers(1, 400), seed=st.integers(0, 2**32 - 1), epoch=st.integers(1, 1000))
def test_every_review_is_in_one_batch_of_an_epoch(count, size, seed, epoch):
    batches = shuffled(count, size, seed, epoch)
    assert sorted(np.concatenate(batches)) == list(range(count))
    assert {len(batch) for batch in batches[:-1]} <= {size}
    assert 0 < len(batches[-1]) <= size


@pytest.mark.parametrize("other", [(7, 2), (8, 1)])
def test_the_order_is_the_seed_s_and_the_epoch_s(other):
    order = np.concatenate(shuffled(100, 32, 7, 1))
    np.testing.assert_array_equal(order, np.concatenate(shuffled(100, 32, 7, 1)))
    assert (order != np.concatenate(shuffled(100, 32, *other))).any()


def test_the_order_is_the_same_on_every_machine():
    """It was noted once; with another order a seed would mean another training."""
    assert np.concatenate(shuffled(12, 5, 42, 1)).tolist() == [6, 9, 11, 10, 3, 1, 0, 8, 5, 2, 4, 7]


REVIEWS = Labelled(ragged(*([number] for number in range(10))), np.array([0, 1] * 5))


def test_the_last_reviews_of_each_label_are_held_out():
    training, validation = hold_out(REVIEWS, TrainParams(validation_fraction=0.4))
    assert rows_of(training.ids) == [[number] for number in range(6)]
    assert rows_of(validation.ids) == [[number] for number in range(6, 10)]
    assert validation.y.tolist() == [0, 1, 0, 1]


def test_however_small_the_fraction_one_review_of_each_label_is_held_out():
    training, validation = hold_out(REVIEWS, TrainParams(validation_fraction=0.01))
    assert rows_of(training.ids) == [[number] for number in range(8)]
    assert rows_of(validation.ids) == [[8], [9]]


def test_a_label_with_one_review_cannot_be_held_out():
    with pytest.raises(UserError, match=r"train\.validation_fraction is 0\.1"):
        hold_out(Labelled(REVIEWS.ids, np.array([0] * 9 + [1])), TrainParams())
