import numpy as np
import pytest

from imdb_rnn.evaluation.calibration import calibration


def test_calibration_sets_probabilities_beside_what_came_true():
    probability = np.array([0.02, 0.08, 0.51, 0.55, 0.59, 0.98, 1.0])
    y = np.array([0, 1, 0, 1, 1, 1, 1])
    table = calibration(y, probability)
    assert table["reviews"].tolist() == [2, 3, 2]
    assert table["predicted"].tolist() == pytest.approx([0.05, 0.55, 0.99])
    assert table["positive"].tolist() == pytest.approx([1 / 2, 2 / 3, 1])
    assert (table["low"] < table["positive"]).all()
    assert (table["positive"] <= table["high"]).all()
