import numpy as np
import pytest
from networks import ragged

from imdb_rnn.core.errors import UserError
from imdb_rnn.evaluation import learning_curve
from imdb_rnn.evaluation.results import CurvePoint
from imdb_rnn.text.corpus import Reviews
from imdb_rnn.text.encode import Labelled
from imdb_rnn.training.batches import Splits, splits


def measure(y: np.ndarray, shares: dict) -> list[dict]:
    """Of reviews of which a word says the label, in 3 folds; `shares` has how many are predicted correctly."""
    noise = np.random.default_rng(0).permutation(len(y)) + 3
    reviews = Reviews(ragged(*np.stack([y + 1, noise], axis=1)), y)
    sign = np.where(y == 1, 1.0, -1.0)

    def predict(share: float) -> np.ndarray:
        if share not in shares:
            raise UserError("no n-gram is in 2 training reviews")
        return np.where(np.arange(len(y)) < shares[share], sign, -sign)

    fold = np.arange(len(y)) % 3

    def split(share: float) -> Splits:
        return splits(Labelled(reviews.ranks, y), fold, share)

    return learning_curve.measure(reviews, len(y) + 2, split, predict(1), predict).to_dict("records")


def test_accuracy_is_measured_by_the_number_of_reviews_learnt_from_and_expected_at_twice_as_many():
    y = np.arange(600) // 3 % 2
    points = measure(y, {1 / 64: 300, 1 / 16: 360, 1 / 4: 440, 1: 560})
    assert [CurvePoint.model_validate(point).reviews for point in points] == [8, 26, 100, 400, 800]
    assert [round(600 * point["accuracy"]) for point in points[:-1]] == [300, 360, 440, 560]
    assert [point["expected"] for point in points] == [False] * 4 + [True]
    assert all(point["low"] < point["accuracy"] < point["high"] for point in points)
    assert points[3]["baseline"] == 1 > points[3]["baseline_low"]
    error = 1 - points[-1]["accuracy"]  # a quarter of it is left with four times as many, half with twice
    assert error == pytest.approx((40 / 600) * np.sqrt(40 / 160), abs=1e-6)
    text = learning_curve.summary(learning_curve.pd.DataFrame(points))
    assert text == "with twice as many reviews the accuracy would be about 0.0333 higher (0.0111 to 0.0556)"


def test_of_a_gain_that_may_be_chance_nothing_may_be_left():
    *_, now, then = measure(np.arange(60) // 3 % 2, {1 / 16: 40, 1 / 4: 44, 1: 50})
    assert then["low"] == now["accuracy"] < then["accuracy"]


def test_where_more_reviews_brought_nothing_nothing_is_expected():
    *_, now, then = measure(np.arange(600) // 3 % 2, {1 / 64: 300, 1 / 16: 300, 1 / 4: 500, 1: 480})
    assert (now["accuracy"], now["baseline"]) == (then["accuracy"], max(then["baseline"], now["baseline"]))
    assert then["low"] == then["high"] == 0.8


def test_shares_of_which_nothing_can_be_learnt_are_left_out_and_named(capsys):
    y = (np.arange(600) // 3 % 20 == 0).astype(int)  # 30 of a rare class
    points = measure(y, {1 / 4: 560, 1: 580})
    assert [point["reviews"] for point in points] == [100, 400, 800]
    said = capsys.readouterr().out.splitlines()
    assert said == [
        "learning curve: nothing for 7 reviews, of a class there would be fewer than two",
        "learning curve: nothing for 26 reviews (no n-gram is in 2 training reviews)",
    ]
    few = measure(np.arange(12) // 3 % 2, {1: 12})
    assert [point["reviews"] for point in few] == [8]
    assert "too few" in learning_curve.summary(learning_curve.pd.DataFrame(few))
