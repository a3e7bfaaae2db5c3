"""What a sweep has found is shown, and refused if there is nothing."""

import pytest
from material import write_params

from experiments.sweep import table
from experiments.sweep.search import TRIALS
from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError

HEAD = "trial,status,epochs,best_epoch,val_loss,val_accuracy,ended,seconds,error,model.cell,train.patience\n"
BEST = "4,finished,3,3,0.3,0.85,30,9.0,,gru,3\n"
OTHERS = "2,finished,3,2,0.4,0.8,20,9.0,,gru,2\n1,stopped,1,1,0.2,0.9,10,9.0,,lstm,\n"
FAILED = "3,failed,0,0,,,25,9.0,the loss became NaN,gru,\n"


@pytest.fixture
def root(tmp_path, params):
    (tmp_path / TRIALS).parent.mkdir(parents=True)
    write_params(tmp_path, params)
    return tmp_path


def test_the_trials_are_copied_drawn_and_shown(root, capsys):
    (root / TRIALS).write_text(HEAD + BEST + OTHERS + FAILED)
    table.main(root)
    assert (root / files.SWEEP).read_text() == HEAD + BEST + OTHERS + FAILED
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "| trial | status | epochs | val_loss | val_accuracy | model.cell | train.patience |"
    assert shown[2] == "| 4 | finished | 3 | 0.3 | 0.85 | gru | 3 |"
    assert (root / "results/sweep.png").read_bytes().startswith(b"\x89PNG")
    assert (root / "results/sweep.svg").stat().st_size > 5000


@pytest.mark.parametrize(
    ("rows", "why"), [("1,stopped,1,1,0.2,0.9,10,9.0,,lstm,\n", "all were stopped early"), (FAILED, "became NaN")]
)
def test_without_a_finished_trial_there_is_no_best(root, rows, why):
    (root / TRIALS).write_text(HEAD + rows)
    with pytest.raises(UserError, match=why):
        table.main(root)
    assert not (root / files.SWEEP).exists()
