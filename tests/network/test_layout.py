import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from networks import ragged

from imdb_rnn.network.layout import PARTS, mirror, number_words, part_of, states_after

# Longest first, as the recurrence wants them
batches = st.lists(st.lists(st.integers(1, 9), max_size=7), min_size=1, max_size=7).map(
    lambda reviews: sorted(reviews, key=len, reverse=True)
)


def step_by_step(reviews: list[list]) -> list:
    """First words, second words and so on: what a layout is, said without indices."""
    longest = max(map(len, reviews), default=0)
    return [review[t] for t in range(longest) for review in reviews if t < len(review)]


def test_a_part_has_every_first_word_before_any_second():
    batch = ragged([1, 2, 3], [4, 5], [6, 7], [8])
    first, second = (part_of(batch, number) for number in range(PARTS))
    assert first.words.tolist() == [1, 6, 2, 7, 3]
    assert first.sizes.tolist() == [2, 2, 1]
    assert first.lengths.tolist() == [3, 2]
    assert second.words.tolist() == [4, 8, 5]


@given(batches)
def test_the_parts_are_all_of_a_batch(reviews):
    batch = ragged(*reviews)
    for number in range(PARTS):
        of_part = reviews[number::PARTS]
        part = part_of(batch, number)
        assert part.words.tolist() == step_by_step(of_part)
        assert part.lengths.tolist() == [len(review) for review in of_part]
        assert part.sizes.sum() == len(part.words)


@given(batches)
def test_words_are_numbered_as_they_first_occur(reviews):
    parts = [part_of(ragged(*reviews), number) for number in range(PARTS)]
    ids = [part.words.copy() for part in parts]
    distinct = number_words(parts, 10)
    assert distinct.tolist() == list(dict.fromkeys(np.concatenate(ids).tolist()))
    for part, before in zip(parts, ids, strict=True):
        np.testing.assert_array_equal(distinct[part.words], before)


@given(batches)
def test_a_mirrored_part_is_that_of_the_reviews_read_from_their_ends(reviews):
    part = part_of(ragged(*reviews), 0)
    mirrored = mirror(part)
    assert part.words[mirrored].tolist() == step_by_step([review[::-1] for review in reviews[::PARTS]])
    np.testing.assert_array_equal(mirrored[mirrored], np.arange(len(part.words)))


@given(batches)
def test_the_state_after_a_step_is_the_one_before_the_next_or_the_last(reviews):
    """A state is a number here, and grows by the word at each step."""
    part = part_of(ragged(*reviews), 0)
    sums = [np.cumsum([0, *review]) for review in reviews[::PARTS]]
    before, after = (
        np.array(step_by_step([of_review[cut].tolist() for of_review in sums]), np.float32)[:, None]
        for cut in (slice(None, -1), slice(1, None))
    )
    last = np.array([[of_review[-1]] for of_review in sums], np.float32)
    np.testing.assert_array_equal(states_after(before, last, part), after)
