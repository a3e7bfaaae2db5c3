import numpy as np

from imdb_rnn.decision import is_correct, is_positive, margin


def test_a_logit_above_zero_means_positive_however_small_it_is():
    logits = np.array([-1e-300, 0.0, 1e-300])
    assert is_positive(logits).tolist() == [False, False, True]
    assert is_correct(np.array([0, 0, 1]), logits).tolist() == [True, True, True]
    assert is_correct(np.array([1, 1, 0]), logits).tolist() == [False, False, False]
    assert margin(np.array([0, 1]), np.array([-2.0, -3.0])).tolist() == [2, -3]
