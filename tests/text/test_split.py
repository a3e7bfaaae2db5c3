import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imdb_rnn.core.errors import UserError
from imdb_rnn.text.split import split_by_group, split_by_hash, split_by_position


@given(st.integers(1, 4), st.lists(st.integers(0, 4), min_size=4), st.floats(0.05, 0.95))
def test_a_split_keeps_the_order_and_takes_each_labels_end(largest, labels, fraction):
    labels = np.minimum(labels, largest)
    counts = np.bincount(labels, minlength=2)
    held = [min(max(1, round(count * fraction)), count - 1) for count in counts]
    if counts.min() < 2:
        with pytest.raises(UserError, match=r"^params.yaml: data.bundled.test_fraction is .* leaves one part without"):
            split_by_position(labels, fraction, "data.bundled.test_fraction")
        return
    first, second = split_by_position(labels, fraction, "data.bundled.test_fraction")
    assert sorted([*first, *second]) == list(range(len(labels)))
    assert list(first) == sorted(first)
    assert list(second) == sorted(second)
    for label in range(len(counts)):
        own_first, own_second = first[labels[first] == label], second[labels[second] == label]
        assert len(own_second) == held[label]
        assert own_first.max() < own_second.min()


def test_both_outcomes_of_a_split_occur():
    first, second = split_by_position(np.array([0, 0, 0, 1, 1, 0, 1]), 0.5, "train.validation_fraction")
    assert (first.tolist(), second.tolist()) == ([0, 1, 3], [2, 4, 5, 6])
    for labels in ([0, 0, 0, 1], [0, 0, 0, 0]):
        with pytest.raises(UserError, match=r"train\.validation_fraction is 0\.5.*with label 1; choose a value nearer"):
            split_by_position(np.array(labels), 0.5, "train.validation_fraction")


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 6)), min_size=8), st.floats(0.1, 0.9))
def test_no_group_is_in_both_parts(rows, fraction):
    labels, groups = np.array([label for label, _ in rows]), np.array([group for _, group in rows], np.uint64)
    try:
        first, second = split_by_group(labels, groups, fraction, "data.own.test_fraction")
    except UserError as error:
        assert "leaves one part without any" in str(error)
        return
    assert sorted([*first, *second]) == list(range(len(rows)))
    assert not set(groups[first]) & set(groups[second])


def test_a_group_that_does_not_fit_is_passed_over():
    groups = np.repeat(np.arange(5, dtype=np.uint64), [4, 60, 4, 4, 28])
    labels = np.arange(100) % 2
    _, second = split_by_group(labels, groups, 0.12, "key")
    assert set(groups[second].tolist()) == {0, 2, 3}


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 9)), min_size=8), st.floats(0.1, 0.9))
def test_reviews_of_a_label_with_one_hash_stay_together(rows, fraction):
    labels, hashes = np.array([label for label, _ in rows]), np.array([value for _, value in rows], np.uint64)
    try:
        first, second = split_by_hash(labels, hashes, fraction, "data.own.test_fraction")
    except UserError as error:
        assert "leaves one part without any" in str(error)
        return
    for label in (0, 1):
        low, high = hashes[first][labels[first] == label], hashes[second][labels[second] == label]
        assert low.max() < high.min()
        assert len(high) >= round((labels == label).sum() * fraction)
