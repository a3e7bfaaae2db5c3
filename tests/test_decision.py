import numpy as np

from imdb_rnn.decision import is_correct, margin, predicted


def test_a_logit_above_zero_means_positive_however_small_it_is():
    logits = np.array([-1e-300, 0.0, 1e-300])
    assert predicted(logits).tolist() == [0, 0, 1]
    assert is_correct(np.array([0, 0, 1]), logits).tolist() == [True, True, True]
    assert is_correct(np.array([1, 1, 0]), logits).tolist() == [False, False, False]
    assert margin(np.array([0, 1]), np.array([-2.0, -3.0])).tolist() == [2, -3]


def test_of_several_logits_the_highest_counts_and_of_equal_ones_the_first():
    logits = np.array([[0.0, 2.0, -1.0], [3.0, 3.0, 1.0], [-5.0, -4.0, -3.5]])
    assert predicted(logits).tolist() == [1, 0, 2]
    assert is_correct(np.array([1, 1, 2]), logits).tolist() == [True, False, True]
    assert margin(np.array([1, 1, 0]), logits).tolist() == [2, 0, -1.5]
