import numpy as np
import pytest

from imdb_rnn.decision import is_correct, margin, predicted


def test_a_logit_above_zero_means_positive_however_small_it_is():
    logits = np.array([-1e-300, 0.0, 1e-300])
    assert predicted(logits).tolist() == [0, 0, 1]
    assert is_correct(np.array([0, 0, 1]), logits).tolist() == [True, True, True]
    assert is_correct(np.array([1, 1, 0]), logits).tolist() == [False, False, False]
    assert margin(np.array([0, 1]), np.array([-2.0, -3.0])).tolist() == [2, -3]


def test_above_the_threshold_means_positive():
    logits = np.log([0.25, 0.75 / 0.25, 0.81 / 0.19])  # 0.2, 0.75 and 0.81
    assert predicted(logits, 0.8).tolist() == [0, 0, 1]
    assert is_correct(np.ones(3), logits, 0.1).all()
    assert margin(np.array([0, 1, 1]), logits, 0.2) == pytest.approx([0, logits[1] - logits[0], logits[2] - logits[0]])


def test_of_several_logits_the_highest_counts_and_of_equal_ones_the_first():
    logits = np.array([[0.0, 2.0, -1.0], [3.0, 3.0, 1.0], [-5.0, -4.0, -3.5]])
    assert predicted(logits).tolist() == [1, 0, 2]
    assert is_correct(np.array([1, 1, 2]), logits).tolist() == [True, False, True]
    assert margin(np.array([1, 1, 0]), logits).tolist() == [2, 0, -1.5]
