import resource
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from networks import CELLS, changed
from tasks import VOCAB_SIZE, assert_same_networks, by_lot, fit, learnt, run, small, task

from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import TrainParams
from imdb_rnn.engine.kernels.arithmetic import cross_entropy
from imdb_rnn.text.encode import unpad
from imdb_rnn.training import checkpoint, compiled_learner, loop
from imdb_rnn.training.compiled_learner import CompiledLearner

pytestmark = pytest.mark.slow


def accuracy(network, x, y) -> float:
    return np.mean((network.probabilities(unpad(x)) > 0.5) == y)


@pytest.mark.parametrize("cell", CELLS)
def test_each_cell_learns(cell):
    network, history = run(small(cell=cell), epochs=10)
    assert accuracy(network, *task(200, 3)) > 0.95
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]


def test_one_seed_drives_everything():
    (first, history), (second, again) = run(seed=5), run(seed=5)
    assert_same_networks(first, second)
    assert history.equals(again)
    other, _ = run(seed=6)
    assert any((a != b).any() for a, b in zip(learnt(first), learnt(other), strict=True))


def test_training_runs_in_any_thread():
    """Python takes a handler of Ctrl-C from the main thread only; a worker trains in another."""
    networks = []
    thread = Thread(target=lambda: networks.append(run()[0]))
    thread.start()
    thread.join()
    (network,) = networks
    assert_same_networks(network, run()[0])


@pytest.mark.parametrize("validation", ["holdout", "test"])
def test_the_kept_weights_are_those_of_the_epoch_that_the_rule_names(validation):
    x, y = by_lot(400)
    params = TrainParams(epochs=6, batch_size=32, learning_rate=0.02, validation=validation, seed=3)
    network, history = fit((x[:300], y[:300]), (x[300:], y[300:]), small(), params)
    loss = cross_entropy(y[300:], network.logits(unpad(x[300:])))[0].mean()
    best, last = history["val_loss"].min(), history["val_loss"].iloc[-1]
    assert best < last, "choose another seed: this one shows nothing"
    assert loss == pytest.approx(best if validation == "holdout" else last, abs=1e-6)
    assert network.best_epoch == (history["val_loss"].argmin() + 1 if validation == "holdout" else 6)


def test_history_has_a_row_and_the_log_a_line_an_epoch(capsys):
    _, history = run()
    assert list(history.columns) == ["epoch", "loss", "accuracy", "val_loss", "val_accuracy"]
    assert history["epoch"].tolist() == [1, 2, 3]
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]


def test_a_loss_that_is_nan_stops_with_advice(monkeypatch):
    initial_weights = compiled_learner.initial_weights

    def broken(*arguments):
        return changed(initial_weights(*arguments), lambda array: np.full_like(array, np.nan))

    monkeypatch.setattr(compiled_learner, "initial_weights", broken)
    with pytest.raises(
        UserError, match=r"^the loss became NaN or infinite in epoch 1; try a smaller train\.learning_rate"
    ):
        run()


@pytest.mark.parametrize("which", ["training", "validation"])
def test_epochs_before_a_loss_that_is_not_finite_count(monkeypatch, capsys, which):
    expected, first_two = run(epochs=2)
    learn, logits_of, validated = CompiledLearner.learn, loop.compute_logits, []

    def breaks_in_the_third_epoch(self, epoch, batches, first):
        for number, (loss, right) in enumerate(learn(self, epoch, batches, first)):
            yield (loss * np.inf if epoch == 3 and number > 4 else loss), right

    def broken_at_the_third_validation(*arguments):
        validated.append(True)
        return logits_of(*arguments) * (np.nan if len(validated) == 3 else 1)

    if which == "training":
        monkeypatch.setattr(CompiledLearner, "learn", breaks_in_the_third_epoch)
    else:
        monkeypatch.setattr(loop, "compute_logits", broken_at_the_third_validation)
    network, history = run(epochs=5)
    assert history.equals(first_two)
    assert_same_networks(network, expected)
    assert capsys.readouterr().err == (
        "the loss became NaN or infinite in epoch 3; try a smaller train.learning_rate; training ends after epoch 2\n"
    )


def test_an_id_beyond_the_vocabulary_is_refused_before_training():
    x = np.full((10, 5), VOCAB_SIZE, np.int32)
    with pytest.raises(UserError, match=f"ids below {VOCAB_SIZE}, the reviews hold {VOCAB_SIZE}"):
        fit((x, np.arange(10) % 2), task(10, 1), small(), TrainParams())


def test_patience_ends_a_training_that_gets_no_better():
    x, y = by_lot(400)

    def history(patience):
        params = TrainParams(epochs=12, batch_size=32, learning_rate=0.02, patience=patience, seed=3)
        return fit((x[:300], y[:300]), (x[300:], y[300:]), small(), params)[1]

    whole, short = history(None), history(2)
    assert len(short) < len(whole) == 12
    assert short.equals(whole[: len(short)])
    assert len(short) - short["val_loss"].idxmin() - 1 == 2


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="memory and open files are counted in /proc")
def test_long_runs_take_no_more_memory_and_files(tmp_path, monkeypatch):
    """Over 30 epochs, with a checkpoint after each."""
    seen = []

    def count(*arguments):
        write(*arguments)
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        seen.append((pages * resource.getpagesize() / 2**20, len(list(Path("/proc/self/fd").iterdir()))))

    write = checkpoint.write
    monkeypatch.setattr(checkpoint, "write", count)
    params = TrainParams(epochs=30, batch_size=8)
    fit(task(400, 1), task(100, 2), small(cell="gru"), params, tmp_path / "c.npz")
    assert len(seen) == 30
    (after_ten, files_after_ten), (last, files_last) = seen[9], seen[-1]
    assert last - after_ten < 8  # MiB
    assert files_last == files_after_ten
