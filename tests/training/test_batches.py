import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.batches import longest_first, shuffled, unpad


def reviews(words) -> list[list[int]]:
    return [
        words.tokens[start : start + length].tolist() for start, length in zip(words.starts, words.lengths, strict=True)
    ]


def test_padding_is_left_out_wherever_it_stands():
    x = np.array([[0, 0, 1, 7], [1, 5, 6, 9], [1, 8, 0, 0], [0, 0, 0, 0]], np.int32)
    assert reviews(unpad(x, mask_padding=True)) == [[1, 7], [1, 5, 6, 9], [1, 8], []]


def test_padding_is_read_like_words_if_it_is_not_masked():
    x = np.array([[0, 0, 1, 7], [1, 8, 0, 0]], np.int32)
    assert reviews(unpad(x, mask_padding=False)) == x.tolist()


def test_chosen_reviews_come_longest_first_and_say_which_they_are():
    x = np.array([[0, 0, 7], [0, 8, 9], [1, 2, 3], [0, 4, 5]], np.int32)
    words, rows = longest_first(unpad(x, mask_padding=True), np.array([3, 0, 2, 1]))
    assert rows.tolist() == [2, 3, 1, 0]
    assert reviews(words) == [[1, 2, 3], [4, 5], [8, 9], [7]]


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
