"""What a sweep has found is written and shown, and refused if no trial was finished."""

import pytest

from experiments.sweep.plan import Domain
from experiments.sweep.search import collect, write_trials
from imdb_rnn.core.errors import UserError
from imdb_rnn.reporting.sweep_results import read_sweep


class Result:
    """A trial as Ray gives it."""

    def __init__(self, patience, **metrics):
        self.metrics = metrics
        self.config = {"model.cell": "gru", "train.patience": patience}


SPACE = {"model.cell": Domain(choice=["gru"]), "train.patience": Domain(choice=[None, 2])}
STOPPED = Result(None, epoch=1, best_epoch=1, val_loss=0.2, val_accuracy=0.9, timestamp=1009, time_total_s=9.0)
FAILED = Result(2, val_loss=float("inf"), error="the loss became NaN", timestamp=1030, time_total_s=9.0)
WORSE, BEST = (
    Result(2, epoch=3, best_epoch=2, val_loss=loss, val_accuracy=0.8, timestamp=1020, time_total_s=9.0, is_over=True)
    for loss in (0.4, 0.3)
)


def test_finished_trials_come_first_the_best_on_top(tmp_path, capsys):
    trials = collect([STOPPED, WORSE, FAILED, BEST], SPACE)
    assert [trial.trial for trial in trials] == [4, 2, 1, 3]
    assert [trial.ended for trial in trials] == [20, 20, 9, 30]
    write_trials(tmp_path / "sweep.csv", trials)
    assert read_sweep(tmp_path / "sweep.csv") == trials
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "| trial | status | epochs | val_loss | val_accuracy | model.cell | train.patience |"
    assert shown[2] == "| 4 | finished | 3 | 0.3 | 0.8 | gru | 2 |"
    assert shown[-1] == "4 trials: 2 finished, 1 stopped, 1 failed"


@pytest.mark.parametrize(("result", "why"), [(STOPPED, "all were stopped early"), (FAILED, "the loss became NaN")])
def test_without_a_finished_trial_there_is_no_best(tmp_path, result, why):
    with pytest.raises(UserError, match=rf"no trial was finished \({why}\); change experiments/sweep/sweep.yaml"):
        write_trials(tmp_path / "sweep.csv", collect([result], SPACE))
    assert not (tmp_path / "sweep.csv").exists()
