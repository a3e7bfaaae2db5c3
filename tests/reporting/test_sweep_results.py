import json

import pytest
from material import HOSTILE, ROOT

from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError
from imdb_rnn.reporting.sweep_results import N_BEST, read_sweep, summarize

HEAD = "trial,status,epochs,best_epoch,val_loss,val_accuracy,ended,seconds,error"
ROWS = [
    "4,finished,3,2,0.3,0.85,90.0,9.5,,gru,0.0026658900235428168,",
    "2,finished,3,3,0.4,0.8,60.0,9.0,,lstm,0.01,0.99",
    "1,stopped,1,1,0.2,0.9,30.0,9.0,,gru,0.001,",
    "5,stopped,0,0,,,,0.0,,gru,0.002,",
    "3,failed,0,0,,,61.0,9.0,the loss became nan,gru,0.9,0.99",
]


def read(folder, *rows, head=HEAD, keys=",model.cell,train.learning_rate,train.weight_averaging"):
    path = folder / "sweep.csv"
    path.write_text("\n".join([head + keys, *rows]) + "\n", encoding="utf-8")
    return read_sweep(path)


def test_the_committed_sweep_is_read():
    trials = read_sweep(ROOT / files.SWEEP)
    best = summarize(trials)["best"][0]
    assert best["status"] == "finished"
    assert best["val_loss"] == min(trial.val_loss for trial in trials if trial.status == "finished")


def test_a_sweep_is_counted_and_its_best_trials_come_first(tmp_path):
    shown = summarize(read(tmp_path, *ROWS))
    assert shown["counts"] == {"finished": 2, "stopped": 2, "failed": 1}
    assert [trial["trial"] for trial in shown["best"]] == [4, 2, 1]
    settings = shown["best"][0]["settings"]
    assert settings == {
        "model.cell": "gru",
        "train.learning_rate": pytest.approx(0.00266589),
        "train.weight_averaging": None,
    }
    assert json.loads(json.dumps(shown, allow_nan=False)) == shown


def test_the_best_so_far_is_of_finished_trials_in_the_order_in_which_they_ended(tmp_path):
    assert summarize(read(tmp_path, *ROWS))["progress"] == {
        "minutes": [0.5, 1.0, 1.5],
        "best": [None, 0.4, 0.3],
        "finished": [None, 0.4, 0.3],
        "stopped": [0.2, None, None],
    }


def test_only_the_best_are_shown(tmp_path):
    rows = [f"{trial},finished,3,2,0.{trial + 100},0.85,{trial},9,,{trial}" for trial in range(1, 31)]
    shown = summarize(read(tmp_path, *rows, keys=",model.units"))
    assert [trial["settings"]["model.units"] for trial in shown["best"]] == list(range(1, N_BEST + 1))
    assert len(shown["progress"]["best"]) == 30


@pytest.mark.parametrize("rows", [[], ROWS[2:], ROWS[4:]], ids=["no trial", "none finished", "failed"])
def test_without_a_finished_trial_there_is_nothing_to_show(tmp_path, rows):
    assert summarize(read(tmp_path, *rows)) is None


def test_what_a_sweep_holds_stays_text(tmp_path):
    quoted = '"' + HOSTILE.replace('"', '""') + '"'
    row = f"1,finished,3,2,0.3,0.85,30,9,,{quoted},True,null"
    trials = read(tmp_path, row, keys=f",model.{HOSTILE},model.a,model.b")
    assert list(trials[0].settings.items()) == [(f"model.{HOSTILE}", HOSTILE), ("model.a", True), ("model.b", "null")]


@pytest.mark.parametrize(
    ("rows", "changes"),
    [
        ([], {"head": "", "keys": ""}),
        ([], {"head": HEAD.replace("status", "state")}),
        (["1,finished,3,2,0.3,0.85,30,9,,8"], {"keys": ",units"}),
        (["1,running,3,2,0.3,0.85,30,9,"], {"keys": ""}),
        (["1,finished,3,2,low,0.85,30,9,"], {"keys": ""}),
        (["1,finished,3,2,0.3,0.85,30,9,,inf"], {"keys": ",train.learning_rate"}),
        (ROWS[1::-1], {}),
    ],
    ids=["empty", "other column", "key without section", "status", "not a number", "infinite", "worse first"],
)
def test_a_damaged_sweep_is_named(tmp_path, rows, changes):
    with pytest.raises(UserError, match=r"sweep\.csv cannot be read .* or run `make sweep`") as raised:
        read(tmp_path, *rows, **changes)
    assert "\n" not in str(raised.value)
