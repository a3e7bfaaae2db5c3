"""What a sweep has found: in order, read back, and refused if there is nothing."""

import pandas as pd
import pytest
from material import write_params

from experiments.sweep import table
from experiments.sweep.best import values_of
from experiments.sweep.search import TRIALS
from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError

COLUMNS = ["trial", "status", "epochs", "best_epoch", "val_loss", "val_accuracy", "ended", "seconds", "error"]
ROWS = [
    (1, "stopped", 1, 1, 0.2, 0.9, 10, 9.0, "", "lstm", "", 0.001),
    (2, "finished", 3, 2, 0.4, 0.8, 20, 9.0, "", "gru", "0.99", 0.0123456789),
    (3, "failed", 0, 0, None, None, 25, 9.0, "the loss became nan", "gru", "", 0.9),
    (4, "finished", 3, 3, 0.3, 0.85, 30, 9.0, "", "gru", "", 0.002),
]


def trials(rows=ROWS) -> pd.DataFrame:
    found = pd.DataFrame(rows, columns=[*COLUMNS, "model.cell", "train.weight_averaging", "train.learning_rate"])
    return found.assign(**{"train.patience": ["", "2", "", "3"][: len(rows)]})


@pytest.fixture
def root(tmp_path, params):
    (tmp_path / TRIALS).parent.mkdir(parents=True)
    (tmp_path / "results").mkdir()
    write_params(tmp_path, params)
    return tmp_path


def test_finished_trials_come_first_the_best_on_top(root, capsys):
    trials().to_csv(root / TRIALS, index=False)
    table.main(root)
    written = pd.read_csv(root / files.SWEEP)
    assert written["trial"].tolist() == [4, 2, 1, 3]
    assert list(written.columns) == list(trials().columns)
    shown = capsys.readouterr().out.splitlines()
    assert shown[2].startswith("| 4 | finished | 3 | 0.3 | 0.85 | gru |")
    assert values_of(root / files.SWEEP)["train.patience"] == 3
    assert (root / "results/sweep.png").read_bytes().startswith(b"\x89PNG")
    assert (root / "results/sweep.svg").stat().st_size > 5000


@pytest.mark.parametrize(("rows", "why"), [(ROWS[:1], "all were stopped early"), (ROWS[2:3], "the loss became nan")])
def test_without_a_finished_trial_there_is_no_best(root, rows, why):
    trials(rows).to_csv(root / TRIALS, index=False)
    with pytest.raises(UserError, match=why):
        table.main(root)
    assert not (root / files.SWEEP).exists()


@pytest.mark.parametrize("text", ["", "trial,status\n", "trial,status\n1,running\n", "a\n1\n"])
def test_what_is_no_table_of_trials_is_refused(tmp_path, text):
    (tmp_path / "trials.csv").write_text(text)
    with pytest.raises(UserError, match="run `make sweep`"):
        table.read_trials(tmp_path / "trials.csv")
