"""The figure of a sweep: what it shows is what the trials gave."""

import numpy as np
import pandas as pd
import pytest

from experiments.sweep.figure import LABELS, places, progress
from imdb_rnn.reporting.figures import style


@pytest.mark.parametrize("language", LABELS)
def test_the_best_so_far_falls_and_each_trial_has_a_line(language):
    trials = pd.DataFrame(
        {
            "status": ["finished", "stopped", "failed", "finished"],
            "val_loss": [0.4, 0.2, None, 0.3],
            "ended": [120, 60, 61, 180],
            "model.cell": ["gru", "lstm", "gru", "gru"],
            "train.learning_rate": [0.1, 0.2, 0.3, 0.4],
        }
    )
    with style(language):
        above, below = progress(trials, ["model.cell", "train.learning_rate"], language).axes
    best = above.lines[-1]
    np.testing.assert_allclose(best.get_xdata(), [2, 3])
    np.testing.assert_allclose(best.get_ydata(), [0.4, 0.3])
    assert len(below.lines) == 3
    assert {text.get_text() for text in below.texts} == {"gru", "lstm", "0.1", "0.2", "0.4"}


def test_values_stand_by_their_rank():
    assert places(pd.Series([3, 1, 2, 3])).tolist() == [1, 0, 0.5, 1]
    assert places(pd.Series(["z", None, "a"])).tolist() == [1, 0.5, 0]
    assert places(pd.Series([7, 7])).tolist() == [0.5, 0.5]
