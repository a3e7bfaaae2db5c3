import pandas as pd
import pytest

from stages import files, history
from imdb_rnn.base.errors import UserError


def course(*val_loss: float) -> pd.DataFrame:
    count = len(val_loss)
    return pd.DataFrame(
        {
            "epoch": range(1, count + 1),
            "loss": [0.5] * count,
            "accuracy": [0.7] * count,
            "val_loss": val_loss,
            "val_accuracy": [0.6] * count,
        }
    )


def test_holdout_keeps_the_first_epoch_with_the_lowest_loss_and_test_keeps_the_last():
    assert history.kept_epoch(course(0.5, 0.3, 0.4, 0.3), "holdout") == 2
    assert history.kept_epoch(course(0.5, 0.3, 0.4, 0.6), "test") == 4


def test_history_is_read_as_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    written = course(0.7, 0.123456789)
    history.write_history(written)
    pd.testing.assert_frame_equal(history.read_history(), written.round(6))


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
def test_a_history_that_is_not_one_is_refused(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    if text is not None:
        files.write_text(files.HISTORY, text)
    with pytest.raises(UserError, match=r"results/history\.csv is .*run `dvc repro train`"):
        history.read_history()
