import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import ragged, rows_of

from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import TrainParams
from imdb_rnn.text.encode import Labelled
from imdb_rnn.training.batches import check_splits, fold_of_each, hold_out, shuffled, splits


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


def some_reviews(count: int = 90, classes: int = 3) -> Labelled:
    random = np.random.default_rng(1)
    return Labelled(ragged(*random.integers(4, 99, (count, 6))), np.arange(count) % classes)


@pytest.mark.parametrize("folds", [2, 3, 7])
def test_folds_are_of_one_size_within_each_label_and_do_not_depend_on_the_order(folds):
    reviews = some_reviews()
    fold = fold_of_each(reviews, folds)
    for label in range(3):
        counts = np.bincount(fold[reviews.y == label], minlength=folds)
        assert len(counts) == folds
        assert np.ptp(counts) <= 1
    order = np.random.default_rng(2).permutation(90)
    np.testing.assert_array_equal(fold_of_each(reviews.rows(order), folds), fold[order])


def test_equal_reviews_or_those_of_a_group_are_in_one_fold():
    """Whatever their labels; and nothing is learnt from an equal review of another group."""
    reviews = some_reviews()
    ids = reviews.ids.rows(np.where(np.isin(np.arange(90), (7, 50)), 20, np.arange(90)))
    reviews = reviews._replace(ids=ids)
    fold = fold_of_each(reviews)
    assert fold[7] == fold[20] == fold[50]
    groups = np.arange(90) // 10
    tied = fold_of_each(reviews, groups=groups)
    for group in range(9):
        assert len(set(tied[groups == group])) == 1
    assert np.bincount(tied).tolist() == [30, 30, 30]
    equal = {7, 20, 50}
    assert len(set(tied[list(equal)])) > 1
    for learnt, rows in splits(reviews, tied):
        missing = set(range(90)) - {*learnt, *rows}
        assert missing == (equal - {*rows} if equal & {*rows} else set())


def test_splits_learn_from_all_other_folds_or_a_share_of_each_label():
    reviews = some_reviews()
    fold = fold_of_each(reviews)
    for number, ((learnt, rows), (fewer, same)) in enumerate(
        zip(splits(reviews, fold), splits(reviews, fold, 0.26), strict=True)
    ):
        np.testing.assert_array_equal(rows, np.flatnonzero(fold == number))
        np.testing.assert_array_equal(same, rows)
        assert sorted([*learnt, *rows]) == list(range(90))
        assert set(fewer) < set(learnt)
        assert np.bincount(reviews.y[fewer]).tolist() == [6, 6, 6]  # of 20, rounded up


def test_a_label_whose_reviews_are_all_equal_cannot_be_folded():
    reviews = some_reviews()
    equal = reviews._replace(ids=reviews.ids.rows(np.where(reviews.y == 1, 1, np.arange(90))))
    with pytest.raises(UserError, match=r"train\.folds is set, .* only 0 of the 30 training reviews with label 1 "):
        check_splits(equal.y, splits(equal, fold_of_each(equal)))
    check_splits(reviews.y, splits(reviews, fold_of_each(reviews)))
