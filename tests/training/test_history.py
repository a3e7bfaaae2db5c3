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


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "epoch,loss\n1,0.5\n",
        "epoch,loss,accuracy,val_loss,val_accuracy\n",
        "epoch,loss,accuracy,val_loss,val_accuracy\n1,0.5,0.7,nan,0.7\n",
        "epoch,loss,accuracy,val_loss,val_accuracy\n1,0.5,0.7,low,0.7\n",
    ],
)
def test_a_history_that_is_not_one_is_refused(tmp_path, text):
    path = tmp_path / "history.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UserError, match=r"history\.csv is .*run `dvc repro train`"):
        history.read_history(path)
