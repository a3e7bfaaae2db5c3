import resource
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from material import network_of
from networks import CELLS, ragged
from tasks import (
    SHORT,
    VOCAB_SIZE,
    assert_keras_trains_the_same,
    assert_same_networks,
    by_lot,
    fit,
    learnt,
    run,
    small,
    task,
)

from imdb_rnn.base.errors import UserError
from imdb_rnn.base.params import TrainParams
from imdb_rnn.network import keras_model
from imdb_rnn.network.keras_model import load_keras
from imdb_rnn.reviews.encode import unpad
from imdb_rnn.training import checkpoint, loop
from imdb_rnn.training.losses import log_loss
from imdb_rnn.training.optimizer import Optimizer

pytestmark = pytest.mark.slow


def accuracy(network, x, y) -> float:
    return np.mean((network.predict_proba(unpad(x)) > 0.5) == y)


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
    loss = log_loss(y[300:], network.logits(unpad(x[300:]))).mean()
    best, last = history["val_loss"].min(), history["val_loss"].iloc[-1]
    assert best < last, "choose another seed: this one shows nothing"
    assert loss == pytest.approx(best if validation == "holdout" else last, abs=1e-6)
    assert network.kept_epoch == (history["val_loss"].argmin() + 1 if validation == "holdout" else 6)


def test_history_has_a_row_and_the_log_a_line_an_epoch(capsys):
    _, history = run()
    assert list(history.columns) == ["epoch", "loss", "accuracy", "val_loss", "val_accuracy"]
    assert history["epoch"].tolist() == [1, 2, 3]
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]


def test_a_loss_that_is_no_number_stops_with_advice(monkeypatch):
    first_weights = keras_model.first_weights

    def broken(*arguments):
        return [np.full_like(array, np.nan) for array in first_weights(*arguments)]

    monkeypatch.setattr(keras_model, "first_weights", broken)
    with pytest.raises(UserError, match=r"loss became nan in epoch 1.*lower train\.learning_rate"):
        run()


def test_epochs_before_a_loss_that_is_no_number_count(monkeypatch, capsys):
    expected, first_two = run(epochs=2)
    step, batches = loop.step, []

    def breaks_in_the_third_epoch(*arguments):
        batches.append(arguments)
        losses, right = step(*arguments)
        return (losses * np.inf if len(batches) > 25 else losses), right

    monkeypatch.setattr(loop, "step", breaks_in_the_third_epoch)
    network, history = run(epochs=5)
    assert history.equals(first_two)
    assert_same_networks(network, expected)
    assert capsys.readouterr().err == (
        "the loss became inf in epoch 3; lower train.learning_rate; training ends here, and epochs 1 to 2 count\n"
    )


def test_an_id_beyond_the_vocabulary_is_refused_before_training():
    x = np.full((10, 5), VOCAB_SIZE, np.int32)
    with pytest.raises(UserError, match=f"ids below {VOCAB_SIZE}, the reviews hold {VOCAB_SIZE}"):
        fit((x, np.arange(10) % 2), task(10, 1), small(), TrainParams())


def test_a_sure_and_wrong_answer_is_corrected_as_fast_as_the_logit_says():
    """Beyond a logit of 16 a probability rounds to what clipping makes of it, which has no gradient."""
    for bias in (-30.0, 30.0):
        *others, _ = network_of(small(), VOCAB_SIZE).weights
        network = network_of(small(), VOCAB_SIZE)
        weights = [*others, np.array([bias], np.float32)]
        params = TrainParams(optimizer="sgd", learning_rate=1.0, clipnorm=None)
        optimizer = Optimizer(weights, params, 1)
        y = np.array([bias < 0, bias < 0], np.float32)
        learning = [(network.branches()[0][0], weights)]
        losses, right = loop.step(learning, optimizer, ragged([5, 6, 7], [8]), y, np.random.default_rng(1))
        assert losses == pytest.approx(30, abs=8)
        assert not right.any()
        assert optimizer.weights()[-1] == pytest.approx([bias - np.sign(bias)], abs=1e-5)


@pytest.mark.parametrize("mask_padding", [True, False])
@pytest.mark.parametrize("cell", CELLS)
def test_training_is_keras_own_fit(monkeypatch, cell, mask_padding):
    """The article's network and its `fit`, with nothing of ours around them."""
    keras, _ = load_keras()

    def plain():
        return keras.Sequential(
            [
                keras.Input((None,), dtype="int32"),
                keras.layers.Embedding(VOCAB_SIZE, 8, mask_zero=mask_padding),
                {"simple_rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[cell](8),
                keras.layers.Dense(1, activation="sigmoid"),
            ]
        )

    model = small(cell=cell, mask_padding=mask_padding)
    assert_keras_trains_the_same(monkeypatch, model, TrainParams(**SHORT), keras_model=plain)


@pytest.mark.parametrize(
    "changes",
    [
        {"cell": "gru", "layers": 2, "bidirectional": True, "pooling": "max+mean"},
        {"cell": "lstm", "bidirectional": True},
        {"cell": "simple_rnn", "layers": 3, "pooling": "mean"},
    ],
)
def test_training_of_larger_networks_is_keras_own_fit(monkeypatch, changes):
    assert_keras_trains_the_same(monkeypatch, small(**changes), TrainParams(**SHORT))


@pytest.mark.parametrize(("smoothing", "weight"), [(5.0, 0.02), (20.0, 0.1)])
def test_scores_of_ngrams_begin_as_naive_bayes(smoothing, weight):
    model = small(ngrams=1, ngram_smoothing=smoothing, ngram_weight=weight)
    network, _ = run(model, epochs=1, learning_rate=1e-20)
    x, y = task(300, 1)
    counts = np.array(
        [[np.sum((x[y == label] == word).any(axis=1)) for word in range(4, VOCAB_SIZE)] for label in (0, 1)]
    )
    assert network.ngram_codes.tolist() == list(range(4, VOCAB_SIZE))
    negative, positive = (counts + smoothing) / (counts + smoothing).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(network.ngram_scores, weight * np.log(positive / negative), rtol=1e-5)
    assert np.abs(network.ngram_scores).max() > 0


def test_patience_ends_a_training_that_gets_no_better():
    x, y = by_lot(400)

    def history(patience):
        params = TrainParams(epochs=12, batch_size=32, learning_rate=0.02, patience=patience, seed=3)
        return fit((x[:300], y[:300]), (x[300:], y[300:]), small(), params)[1]

    whole, short = history(None), history(2)
    assert len(short) < len(whole) == 12
    assert short.equals(whole[: len(short)])
    assert len(short) - short["val_loss"].idxmin() - 1 == 2


def after_one_step(x, y, vocab_size=VOCAB_SIZE, **model):
    """The change of every weight in one step of plain gradient descent (momentum has no past yet)."""
    params = TrainParams(epochs=1, batch_size=len(x), optimizer="sgd", learning_rate=1.0, clipnorm=None)
    kind = small(units=64, **model)
    before = keras_model.first_weights(kind, vocab_size, params.seed)
    after = fit((x, y), task(10, 2), kind, params, vocab_size=vocab_size)[0].weights
    return [b - a for a, b in zip(before, after, strict=True)]


def test_dropout_hides_its_share_of_the_features():
    x, y = task(1, 1)
    changes = [after_one_step(x, y, dropout=rate)[-2] for rate in (0.0, 0.75)]
    assert np.mean(changes[0] == 0) == 0
    assert 0.6 < np.mean(changes[1] == 0) < 0.9  # 64 features


def test_embedding_dropout_hides_its_share_of_the_words():
    x, y = np.arange(4, 196, dtype=np.int32).reshape(24, 8), np.arange(24) % 2
    changes = [after_one_step(x, y, 200, embedding_dropout=rate)[0][4:196] for rate in (0.0, 0.75)]
    assert (changes[0] != 0).all(axis=1).all()
    hidden = (changes[1] == 0).all(axis=1)
    assert 0.65 < hidden.mean() < 0.85  # 192 words
    assert (changes[1][~hidden] != 0).all()


def test_what_dropout_draws_comes_from_the_seed():
    model = small(dropout=0.5, embedding_dropout=0.5)
    once, again, other = (run(model, epochs=2, seed=seed)[0] for seed in (1, 1, 2))
    assert_same_networks(once, again)
    assert any((a != b).any() for a, b in zip(learnt(once), learnt(other), strict=True))


def test_ngrams_see_what_single_words_do_not():
    """Positive if words 4 and 5 stand in this order; a network of one number is too small to tell."""

    def pairs(count, seed):
        random = np.random.default_rng(seed)
        y = random.integers(0, 2, count).astype(np.uint8)
        x = random.permuted(np.tile(np.arange(6, VOCAB_SIZE, dtype=np.int32), (count, 1)), axis=1)
        place = random.integers(0, x.shape[1], count)
        rows = zip(x.tolist(), place, y, strict=True)
        return np.array([row[:i] + ([4, 5] if label else [5, 4]) + row[i:] for row, i, label in rows], np.int32), y

    def right(ngrams):
        params = TrainParams(epochs=5, batch_size=32, learning_rate=0.01)
        model = small(embedding_dim=1, units=1, ngrams=ngrams)
        return accuracy(fit(pairs(600, 1), pairs(200, 2), model, params)[0], *pairs(400, 3))

    assert right(2) > 0.95
    assert right(1) < 0.8


def test_ngrams_without_enough_reviews_are_an_error():
    with pytest.raises(UserError, match=r"no n-gram is in 10 training reviews; set model\.ngrams to 0"):
        fit(task(6, 1), task(6, 2), small(ngrams=2), TrainParams())


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
