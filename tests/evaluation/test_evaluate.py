import numpy as np
import pandas as pd
import pytest
from scipy.special import logit

from imdb_rnn.core import files
from imdb_rnn.evaluation.evaluate import evaluate
from imdb_rnn.text.encode import unpad

IDS = unpad(np.array([[0, 0, 1, 4, 5], [1, 6, 2, 4, 4]], np.int32))


def test_predictions_have_a_readable_row_for_each_review():
    table = evaluate(IDS, np.array([0, 1]), logit([0.25, 0.5000004]), ["bad", "film", "good"]).tables[files.PREDICTIONS]
    expected = pd.DataFrame(
        {
            "review": [0, 1],
            "label": [0, 1],
            "predicted": [0, 1],
            "probability": [0.25, 0.5],
            "logit": [-1.098612, 0.000002],
            "n_words": [2, 4],
            "opening": ["bad film", "good [OOV] bad bad"],
        }
    )
    pd.testing.assert_frame_equal(table, expected)


def test_predictions_of_more_classes_have_their_names():
    ids, y = unpad(np.array([[1, 4]] * 4, np.int32)), np.array([2, 1, 0, 2])
    logits = np.log([[0.25, 0.25, 0.5], [0.75, 0.125, 0.125], [0.75, 0.125, 0.125], [0.25, 0.5, 0.25]])
    found = evaluate(ids, y, logits, ["film"], ["1", "02", "x, y"]).tables
    table = found[files.PREDICTIONS]
    assert list(table.columns) == ["review", "label", "predicted", "probability", "n_words", "opening"]
    said = [["x, y", "x, y", 0.5], ["02", "1", 0.75], ["1", "1", 0.75], ["x, y", "02", 0.5]]
    assert table[["label", "predicted", "probability"]].to_numpy().tolist() == said
    assert found[files.CALIBRATION][["predicted", "positive"]].to_numpy().tolist() == [[0.5, 0.5], [0.75, 0.5]]
    assert found[files.CONFUSION]["n_reviews"].tolist() == [1, 0, 0, 1, 0, 0, 0, 1, 1]


def test_an_opening_is_of_twenty_words_without_the_start_token():
    words = [f"word{number}" for number in range(30)]
    x = np.array([[1, *range(4, 33)], range(4, 34)], np.int32)  # the second was cut at the front, its start token too
    table = evaluate(unpad(x), np.array([0, 1]), np.array([-1.0, 1.0]), words).tables[files.PREDICTIONS]
    assert table["opening"].tolist() == [" ".join(words[:20])] * 2
    assert table["n_words"].tolist() == [29, 30]


@pytest.mark.parametrize("threshold", [0.5, 0.83, 0.002])
def test_everything_counts_the_same_predictions_however_near_the_threshold(threshold):
    y, logits = np.array([0, 0, 1, 1]), logit(threshold) + np.array([-1e-9, -1.0, 1e-9, -1e-9])
    found = evaluate(unpad(np.array([[1, 4]] * 4, np.int32)), y, logits, ["film"], threshold=threshold)
    assert found.tables[files.CLASSES]["recall"].tolist() == [1, 0.5]
    assert found.scores["recall"] == 0.5
    assert found.tables[files.CONFUSION]["n_reviews"].tolist() == [2, 0, 1, 1]
    assert found.tables[files.PREDICTIONS]["predicted"].tolist() == [0, 0, 1, 0]
    assert found.scores["accuracy"] == 0.75
    table = found.tables[files.SLICES]
    assert (table["accuracy"] * table["n_reviews"]).tolist() == [3, 3]
    low, high = found.intervals["accuracy"]
    assert low < 0.75 < high
    low, high = found.intervals["recall"]
    assert low < 0.5 < high
