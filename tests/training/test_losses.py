import numpy as np

from imdb_rnn.training.losses import is_positive, is_right, probability_of_label, review_weights


def test_balanced_weights_give_both_labels_the_same_weight_in_all():
    y = np.array([0, 1, 1, 1], np.uint8)
    weights = review_weights(y, "balanced")
    assert weights.tolist() == [2, 2 / 3, 2 / 3, 2 / 3]
    assert weights[y == 0].sum() == weights[y == 1].sum() == len(y) / 2
    assert review_weights(y, None).tolist() == [1, 1, 1, 1]


def test_the_threshold_is_one_half_and_not_above_it():
    assert is_positive(np.array([0.4, 0.5, 0.6])).tolist() == [False, False, True]
    assert is_right(np.array([0, 0, 1]), np.array([0.4, 0.5, 0.6])).tolist() == [True, True, True]
    assert is_right(np.array([1, 1, 0]), np.array([0.4, 0.5, 0.6])).tolist() == [False, False, False]
    assert probability_of_label(np.array([0, 1]), np.array([0.25, 0.75])).tolist() == [0.75, 0.75]
