"""The figure of a sweep: what it shows is what the trials gave."""

import numpy as np
import pytest

from experiments.sweep.figure import LABELS, progress, ranks
from imdb_rnn.reporting.figures import style
from imdb_rnn.reporting.sweep_results import Trial
from imdb_rnn.reporting.texts import in_language


def trial(number: int, status: str, loss: float | None, ended: int, cell: str, rate: float) -> Trial:
    return Trial(
        trial=number,
        status=status,
        epochs=1,
        best_epoch=1,
        val_loss=loss,
        val_accuracy=None if loss is None else 0.8,
        ended=ended,
        seconds=1.0,
        error=None,
        settings={"model.cell": cell, "train.learning_rate": rate},
    )


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_best_so_far_falls_and_each_trial_has_a_line(language):
    trials = [
        trial(4, "finished", 0.3, 180, "gru", 0.4),
        trial(1, "finished", 0.4, 120, "gru", 0.1),
        trial(2, "stopped", 0.2, 60, "lstm", 0.2),
        trial(3, "failed", None, 61, "gru", 0.3),
    ]
    with style(language):
        above, below = progress(trials, language).axes
    best = next(line for line in above.lines if line.get_label() == in_language(LABELS, language)["best"])
    np.testing.assert_allclose(best.get_xdata(), [2, 3])
    np.testing.assert_allclose(best.get_ydata(), [0.4, 0.3])
    assert len(below.lines) == 3
    assert {text.get_text() for text in below.texts} == {"gru", "lstm", "0.1", "0.2", "0.4"}


def test_values_stand_by_their_rank():
    assert ranks([3, 1, 2, 3]).tolist() == [1, 0, 0.5, 1]
    assert ranks(["z", None, "a"]).tolist() == [1, 0.5, 0]
    assert ranks([7, 7]).tolist() == [0.5, 0.5]
