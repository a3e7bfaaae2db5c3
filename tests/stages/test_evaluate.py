import numpy as np
import pandas as pd
from scipy.special import logit

from stages.evaluate import predictions


def test_predictions_have_a_readable_row_for_each_review():
    x = np.array([[0, 0, 1, 4, 5], [1, 6, 2, 4, 4]])
    table = predictions(x, np.array([0, 1]), logit([0.25, 0.5000004]), ["bad", "film", "good"])
    expected = pd.DataFrame(
        {
            "review": [0, 1],
            "label": [0, 1],
            "predicted": [0, 1],
            "probability": [0.25, 0.5],
            "logit": [-1.098612, 0.000002],
            "words": [2, 4],
            "opening": ["bad film", "good [unknown] bad bad"],
        }
    )
    pd.testing.assert_frame_equal(table, expected)
