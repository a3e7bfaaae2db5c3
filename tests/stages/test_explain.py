import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from material import changed

from stages.explain import RIGHT, UNDECIDED, WRONG, telling, words_read
from stages.pad import pad
from stages.reviews import from_lists
from imdb_rnn.reviews.vocabulary import NOT_A_WORD

VOCABULARY = ["the", "film", "was", "good", "rare"]


@given(st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1)), min_size=1, max_size=60))
def test_each_kind_of_review_is_what_it_says(pairs):
    y, probability = (np.array(values) for values in zip(*pairs, strict=True))
    chosen = telling(y, probability)
    rows = [row for row, _ in chosen]
    assert len(set(rows)) == len(rows)
    for_label = np.where(y == 1, probability, 1 - probability)
    for label in (0, 1):
        of = {kind: [row for row, its in chosen if its == kind and y[row] == label] for kind in ("right", "wrong")}
        here = for_label[y == label]
        assert len(of["right"]) == min(RIGHT, np.sum(here > 0.5))
        assert len(of["wrong"]) == min(WRONG, np.sum(here < 0.5))
        assert for_label[of["right"]].tolist() == sorted(here[here > 0.5], reverse=True)[:RIGHT]
        assert for_label[of["wrong"]].tolist() == sorted(here[here < 0.5])[:WRONG]


def test_the_undecided_are_the_nearest_to_one_half():
    probability = np.concatenate([np.linspace(0, 0.45, 20), np.linspace(0.55, 1, 20)])
    y = np.tile([0, 1], 20)
    undecided = [row for row, kind in telling(y, probability) if kind == "undecided"]
    assert UNDECIDED == 2
    assert undecided == [20, 18, 19, 21]  # 0.55, 0.43; 0.45, 0.57


@pytest.mark.parametrize("truncating", ["pre", "post"])
@pytest.mark.parametrize(("maxlen", "count"), [(10, 6), (7, 6), (6, 6), (3, 3)])
def test_words_beyond_the_vocabulary_are_told_by_name(params, truncating, maxlen, count):
    """Also those that were cut from the ids to `unknown`; only what nobody knows stays a mark."""
    reviews = from_lists([[1, 1], [1, 2, 5, 3, 0, 4]], np.array([0, 1]))
    pad_params = changed(params, pad={"vocab_size": 8, "maxlen": maxlen, "truncating": truncating}).pad
    ids = pad(reviews, pad_params)[1]
    whole = ["the", "film", "rare", "was", NOT_A_WORD, "good"]
    after_the_start_mark = whole[: min(count, maxlen - 1)]
    expected = after_the_start_mark if truncating == "post" else whole[len(whole) - count :]
    assert words_read(ids, reviews, 1, VOCABULARY, truncating) == expected
