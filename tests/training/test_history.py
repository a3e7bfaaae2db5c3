import pandas as pd
import pytest

from imdb_rnn.core import frames
from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import TrainParams
from imdb_rnn.training import history


def test_holdout_keeps_the_first_epoch_with_the_lowest_loss_and_test_keeps_the_last():
    rows = [[1, 0.5, 0.7, val_loss, 0.7] for val_loss in (0.5, 0.3, 0.4, 0.3)]
    assert history.best_epoch(rows, TrainParams()) == 2
    assert history.best_epoch(rows, TrainParams(validation="test")) == 4


def test_training_is_over_after_the_last_epoch_or_when_patience_is_at_an_end():
    rows = [[1, 0.5, 0.7, val_loss, 0.7] for val_loss in (0.5, 0.3, 0.4, 0.6)]
    over = [history.is_over(rows[:epochs], TrainParams(epochs=4)) for epochs in range(5)]
    assert over == [False, False, False, False, True]
    over = [history.is_over(rows[:epochs], TrainParams(epochs=9, patience=2)) for epochs in range(5)]
    assert over == [False, False, False, False, True]


def test_history_is_read_as_written(tmp_path):
    rows = [(1, 0.5, 0.7, 0.7, 0.6), (2, 0.5, 0.7, 0.123456, 0.6)]
    written = pd.DataFrame(rows, columns=history.COLUMNS)
    frames.write_csv(tmp_path / "history.csv", written)
    pd.testing.assert_frame_equal(history.read_history(tmp_path / "history.csv"), written)
    frames.write_csv(tmp_path / "history.csv", written.drop(columns="val_loss"))
    with pytest.raises(UserError, match=r"history\.csv is damaged .*run `dvc repro train`"):
        history.read_history(tmp_path / "history.csv")
