import os
import signal
import time

import numpy as np
import pytest
from material import model_params
from networks import arrays_of
from tasks import assert_same_networks, run, small, stop_again_and_again

from imdb_rnn.core.params import ModelParams
from imdb_rnn.engine.initializers import initial_weights
from imdb_rnn.training import checkpoint, loop
from imdb_rnn.training.checkpoint import TrainingState
from imdb_rnn.training.compiled_learner import CompiledLearner

pytestmark = pytest.mark.slow

LEARNER = [np.array(5, np.int64), np.arange(3, dtype=np.float32), np.zeros(2), np.empty(0, np.float32)]
BEST = initial_weights(model_params(bidirectional=True), 6, 1)
ROW = [1, 0.5, 0.75, 0.6, 0.7]
STATE = TrainingState(LEARNER, 2, 7, 0.1, 40, [ROW], BEST, np.array([3, 5]))


def assert_equal(one: TrainingState, other: TrainingState) -> None:
    facts = ("epoch", "batches", "loss", "correct", "history")
    assert [getattr(one, name) for name in facts] == [getattr(other, name) for name in facts]
    arrays, expected = ([*s.learner, s.ngram_codes, *(arrays_of(s.best) if s.best else ())] for s in (one, other))
    for array, same in zip(arrays, expected, strict=True):
        assert array.dtype == same.dtype
        np.testing.assert_array_equal(array, same)


@pytest.mark.parametrize("state", [STATE, TrainingState(LEARNER)], ids=["in the second epoch", "at first"])
def test_a_checkpoint_is_read_as_written(tmp_path, state):
    path = tmp_path / "new/checkpoint.npz"
    assert checkpoint.read(path) is None
    checkpoint.write(path, state)
    assert_equal(checkpoint.read(path), state)
    assert [file.name for file in path.parent.iterdir()] == ["checkpoint.npz"]


def test_the_next_epoch_begins_with_nothing_but_what_was_learnt():
    state = TrainingState(LEARNER, 2, 7, 0.1, 40, [ROW], BEST)
    state.next_epoch()
    assert_equal(state, TrainingState(LEARNER, 3, history=[ROW], best=BEST))


def test_a_damaged_checkpoint_is_named_and_not_used(tmp_path, capsys):
    """Bits of every byte of the first header, of the directory and of the end; and cut off every so many bytes."""
    path = tmp_path / "checkpoint.npz"
    checkpoint.write(path, STATE)
    whole = path.read_bytes()
    directory = whole.index(b"PK\x01\x02")
    damaged = [whole[:length] for length in range(0, len(whole), 97)]
    for place in [*range(200), *range(directory, len(whole))]:
        for bit in (place % 8, (place + 3) % 8):
            content = bytearray(whole)
            content[place] ^= 1 << bit
            damaged.append(bytes(content))
    found = 0
    for content in damaged:
        path.write_bytes(content)
        state = checkpoint.read(path)
        if state is None:
            assert capsys.readouterr().err.startswith(f"{path} cannot be read (")
            found += 1
        else:  # a bit that nothing depends on, of a time stamp, say
            assert_equal(state, STATE)
    assert found > len(damaged) / 2


def written(folder, name: str, days_ago: float) -> None:
    path = folder / name
    path.touch()
    os.utime(path, (time.time() - days_ago * 24 * 3600,) * 2)


def test_the_newest_five_checkpoints_stay_and_the_one_in_use_however_old_it_is(tmp_path):
    """And four more for each fold."""
    for age in range(12):
        written(tmp_path, f"{age}.npz", age)
    written(tmp_path, "notes.txt", 9)
    written(tmp_path, "used.npz", 100)
    checkpoint.prune(tmp_path, tmp_path / "used.npz", folds=1)
    assert {path.stem for path in tmp_path.iterdir()} == {*map(str, range(9)), "used", "notes"}
    checkpoint.prune(tmp_path, tmp_path / "used.npz")
    stay = {"0.npz", "1.npz", "2.npz", "3.npz", "4.npz", "used.npz", "notes.txt"}
    assert {path.name for path in tmp_path.iterdir()} == stay


def test_there_may_be_no_checkpoints_yet_and_another_process_may_remove_one(tmp_path):
    checkpoint.prune(tmp_path / "checkpoints", tmp_path / "checkpoints/used.npz")
    (tmp_path / "gone.npz").symlink_to("absent")  # is listed, and has no time of its own
    checkpoint.prune(tmp_path, tmp_path / "used.npz")


def test_the_fingerprint_tells_runs_apart():
    x = np.arange(6, dtype=np.int32)
    same = checkpoint.fingerprint(5, ModelParams(), x)
    assert checkpoint.fingerprint(5, ModelParams(), x.copy()) == same
    others = [
        checkpoint.fingerprint(6, ModelParams(), x),
        checkpoint.fingerprint(5, model_params(), x),
        checkpoint.fingerprint(5, ModelParams(), x[::-1]),
        checkpoint.fingerprint(5, ModelParams(), x.astype(np.int64)),
        checkpoint.fingerprint(5, ModelParams(), x.reshape(2, 3)),
    ]
    assert len({same, *others}) == 6


def test_the_fingerprint_is_of_the_code_and_the_packages_too(tmp_path, monkeypatch):
    """Of code that training runs, without its comments."""
    (tmp_path / "imdb_rnn/training").mkdir(parents=True)
    monkeypatch.setattr(checkpoint, "ROOT", tmp_path)
    fingerprints = []
    for code in ("import imdb_rnn.engine", "import imdb_rnn.engine  # the engine"):
        (tmp_path / checkpoint.CODE).write_text(code)
        fingerprints.append(checkpoint.fingerprint())
    (tmp_path / "imdb_rnn/engine.py").write_text("a = 1")
    fingerprints.append(checkpoint.fingerprint())
    monkeypatch.setattr(checkpoint, "distributions", lambda name: [])  # as where TensorFlow is missing
    fingerprints.append(checkpoint.fingerprint())
    assert fingerprints[0] == fingerprints[1]
    assert len(set(fingerprints)) == 3


# Of twelve epochs the eighth is the first that is no better than the one before.
STOPS_EARLY = {"optimizer": "sgd", "learning_rate": 0.5, "seed": 1, "epochs": 12, "patience": 1}
KINDS = {
    "simple_rnn": {},
    "dropout": {"model": small(cell="gru", dropout=0.3, word_dropout=0.3)},
    "averaged n-grams": {"model": small(cell="lstm", ngrams=2), "weight_averaging": 0.9, "schedule": "cosine"},
    "classes": {"model": small(cell="gru", ngrams=2), "classes": 5, "class_weight": "balanced"},
    "counted vectors": {"model": small(cell="gru", ngrams=2, embeddings="ppmi_svd"), "weight_averaging": 0.9},
    "momentum": STOPS_EARLY,
    "mean square": {"optimizer": "rmsprop", "schedule": "linear", "validation": "test"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_training_that_was_stopped_ends_as_if_it_was_not(kind, tmp_path, monkeypatch):
    """Stopped again and again, with a checkpoint after every batch, each time in the middle of one."""
    network, history = run(**KINDS[kind])
    path = tmp_path / "checkpoint.npz"
    (again, history_again), stops = stop_again_and_again(monkeypatch, 7, lambda: run(**KINDS[kind], checkpoint=path))
    assert stops >= 3
    assert history_again.equals(history)
    assert again.best_epoch == network.best_epoch
    assert_same_networks(again, network)


def test_ctrl_c_loses_no_batch(tmp_path, monkeypatch):
    network, history = run(epochs=2)
    learn, batches = CompiledLearner.learn, []

    def press_at_the_ninth(self, epoch, rows, first):
        for number, result in enumerate(learn(self, epoch, rows, first), first):
            batches.append((epoch, number))
            if len(batches) == 9:
                signal.raise_signal(signal.SIGINT)
            yield result

    monkeypatch.setattr(CompiledLearner, "learn", press_at_the_ninth)
    with pytest.raises(KeyboardInterrupt):
        run(checkpoint=tmp_path / "checkpoint.npz", epochs=2)
    again, history_again = run(checkpoint=tmp_path / "checkpoint.npz", epochs=2)
    assert batches == [(epoch, number) for epoch in (1, 2) for number in range(10)]  # 300 reviews, 32 a batch
    assert history_again.equals(history)
    assert_same_networks(again, network)


@pytest.mark.parametrize("patience", [None, 1])
def test_a_finished_checkpoint_stays_trains_no_more_and_gives_the_same_network(tmp_path, monkeypatch, capsys, patience):
    """DVC takes the results over only after the stage has ended; killed in between, it starts the stage again."""
    path = tmp_path / "checkpoint.npz"
    options = STOPS_EARLY | {"patience": patience}
    network, history = run(checkpoint=path, **options)
    content = path.read_bytes()
    capsys.readouterr()

    monkeypatch.delattr(loop, "learner")  # so that there is nothing to learn with
    again, history_again = run(checkpoint=path, **options)
    assert history_again.equals(history)
    assert (again.best_epoch, again.params, again.encoding) == (network.best_epoch, network.params, network.encoding)
    assert_same_networks(again, network)
    assert path.read_bytes() == content
    assert capsys.readouterr().out == f"training already finished; delete {path} to retrain\n"
    assert (len(history) < 12) == bool(patience)
