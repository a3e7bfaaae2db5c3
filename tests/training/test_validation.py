import numpy as np
import pytest
from networks import ragged, rows_of

from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import TrainParams
from imdb_rnn.text.encode import Labelled
from imdb_rnn.training.validation import hold_out

REVIEWS = Labelled(ragged(*([number] for number in range(10))), np.array([0, 1] * 5))


def test_the_last_reviews_of_each_label_are_held_out():
    training, validation = hold_out(REVIEWS, TrainParams(validation_fraction=0.4))
    assert rows_of(training.ids) == [[number] for number in range(6)]
    assert rows_of(validation.ids) == [[number] for number in range(6, 10)]
    assert validation.y.tolist() == [0, 1, 0, 1]


def test_a_fraction_that_leaves_a_part_empty_is_named():
    with pytest.raises(UserError, match=r"train\.validation_fraction is 0\.01"):
        hold_out(REVIEWS, TrainParams(validation_fraction=0.01))
