import numpy as np
import pandas as pd
from scipy.special import logit

from imdb_rnn.text.encode import unpad
from stages.evaluate import predictions


def test_predictions_have_a_readable_row_for_each_review():
    ids = unpad(np.array([[0, 0, 1, 4, 5], [1, 6, 2, 4, 4]], np.int32))
    table = predictions(ids, np.array([0, 1]), logit([0.25, 0.5000004]), ["bad", "film", "good"])
    expected = pd.DataFrame(
        {
            "review": [0, 1],
            "label": [0, 1],
            "predicted": [0, 1],
            "probability": [0.25, 0.5],
            "logit": [-1.098612, 0.000002],
            "words": [2, 4],
            "opening": ["bad film", "good [OOV] bad bad"],
        }
    )
    pd.testing.assert_frame_equal(table, expected)


def test_an_opening_is_of_twenty_words_without_the_start_mark():
    words = [f"word{number}" for number in range(30)]
    x = np.array([[1, *range(4, 33)], range(4, 34)], np.int32)  # the second was cut at the front, its mark too
    table = predictions(unpad(x), np.array([0, 1]), np.zeros(2), words)
    assert table["opening"].tolist() == [" ".join(words[:20])] * 2
    assert table["words"].tolist() == [29, 30]
