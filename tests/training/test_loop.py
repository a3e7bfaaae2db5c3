import resource
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from material import changed, run_stage, write_params

from stages import checkpoint, network
from stages.batches import unpad
from imdb_rnn.base.errors import UserError
from stages.network import keras, tf
from stages.recurrence import cell, compiled, sigmoid
from stages.train import NGRAM_SMOOTHING, train

VOCAB_SIZE, WORDS = 12, 8


def task(count: int, seed: int):
    """Reviews that anybody can learn: positive if and only if word 4 is among the last three."""
    random = np.random.default_rng(seed)
    x = random.integers(5, VOCAB_SIZE, (count, WORDS), dtype=np.int32)
    y = random.integers(0, 2, count).astype(np.uint8)
    x[y == 1, WORDS - 2] = 4
    return x, y


def predict(model, x, params):
    return network.predict(model, params.model, unpad(x, params.model.mask_padding))


def fit(x, y, x_validation, y_validation, params):
    words, held_out = (unpad(ids, params.model.mask_padding) for ids in (x, x_validation))
    return train(words, y, held_out, y_validation, VOCAB_SIZE, params.model, params.train)


def run(params, *, cell="simple_rnn", ngrams=0, **train_params):
    defaults = {"epochs": 3, "batch_size": 32, "learning_rate": 0.01}
    model = {"cell": cell, "ngrams": ngrams, "embedding_dim": 8, "units": 8}
    changes = changed(params, model=model, train=defaults | train_params)
    return fit(*task(300, 1), *task(100, 2), changes)


@pytest.mark.parametrize("cell", ["simple_rnn", "lstm", "gru"])
def test_each_cell_learns(params, cell):
    model, history = run(params, cell=cell, epochs=10)
    x, y = task(200, 3)
    values = changed(params, model={"cell": cell})
    assert np.mean((predict(model, x, values) > 0.5) == y) > 0.95
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]


def test_one_seed_drives_everything(params):
    (first, history), (second, again) = run(params, seed=5), run(params, seed=5)
    for one, other in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert history.equals(again)
    other, _ = run(params, seed=6)
    assert any((a != b).any() for a, b in zip(first.get_weights(), other.get_weights(), strict=True))


@pytest.mark.parametrize("validation", ["holdout", "test"])
def test_the_kept_weights_are_those_of_the_epoch_that_the_rule_names(params, validation):
    # Labels drawn by lot cannot be learnt, so that the best epoch is hardly ever the last one.
    x = np.random.default_rng(1).integers(4, VOCAB_SIZE, (400, WORDS), dtype=np.int32)
    y = np.random.default_rng(2).integers(0, 2, 400)
    values = changed(
        params,
        model={"embedding_dim": 8, "units": 8},
        train={"epochs": 6, "batch_size": 32, "learning_rate": 0.02, "validation": validation, "seed": 3},
    )
    model, history = fit(x[:300], y[:300], x[300:], y[300:], values)
    probability = predict(model, x[300:], values)
    loss = -np.mean(np.log(np.where(y[300:] == 1, probability, 1 - probability)))
    best, last = history["val_loss"].min(), history["val_loss"].iloc[-1]
    assert best < last, "choose another seed: this one shows nothing"
    assert loss == pytest.approx(best if validation == "holdout" else last, abs=1e-6)


def test_history_has_a_row_and_the_log_a_line_an_epoch(params, capsys):
    _, history = run(params)
    assert list(history.columns) == ["epoch", "loss", "accuracy", "val_loss", "val_accuracy"]
    assert history["epoch"].tolist() == [1, 2, 3]
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]


def test_a_loss_that_is_no_number_stops_with_advice(params, monkeypatch):
    build = network.build

    def broken(*arguments):
        model = build(*arguments)
        model.set_weights([np.full_like(weights, np.nan) for weights in model.get_weights()])
        return model

    monkeypatch.setattr(network, "build", broken)
    with pytest.raises(UserError, match=r"loss became nan in epoch 1.*lower train\.learning_rate"):
        run(params)


def test_epochs_before_a_loss_that_is_no_number_count(params, monkeypatch, capsys):
    expected, course = run(params, epochs=2)
    training_step = network.training_step

    def breaking_step(*arguments):
        step, variables = training_step(*arguments)
        batches = []

        def breaks_in_the_third_epoch(*batch):
            batches.append(batch)
            loss, right = step(*batch)
            return (np.inf if len(batches) > 25 else loss), right

        return breaks_in_the_third_epoch, variables

    monkeypatch.setattr(network, "training_step", breaking_step)
    model, history = run(params, epochs=5)
    assert history.equals(course)
    for one, other in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    told = capsys.readouterr().err
    assert (
        told
        == "the loss became inf in epoch 3; lower train.learning_rate; training ends here, and epochs 1 to 2 count\n"
    )


def test_ids_beyond_the_vocabulary_stop_the_stage_before_training(params, tmp_path):
    write_params(tmp_path, params)
    padded = tmp_path / "data/padded"
    padded.mkdir(parents=True)
    np.save(padded / "x_train.npy", np.full((10, 5), params.pad.vocab_size, np.int32))
    np.save(padded / "y_train.npy", np.arange(10, dtype=np.uint8) % 2)
    result = run_stage("train", tmp_path)
    assert result.returncode == 1
    assert result.stderr == (
        "error: data/padded/x_train.npy is damaged (its ids go from 10000 to 10000, pad.vocab_size is 10000); "
        "run `dvc repro pad` to make it anew\n"
    )
    assert not (tmp_path / "results").exists()


def of_sums(optimizer: type) -> type:
    """Keras squares the gradient of each occurrence of a word by itself; the methods are defined by their sum."""

    class OfSums(optimizer):
        def apply(self, gradients, variables=None):
            super().apply([tf.convert_to_tensor(gradient) for gradient in gradients], variables)

    return OfSums


def assert_keras_takes_the_same_course(monkeypatch, values, model, optimizer):
    """Train with `values` and, from the same first weights over the same batches, `model` with Keras' own `fit`."""
    x, y = task(300, 1)
    x[::3, :3] = 0
    x_validation, y_validation = task(100, 2)
    in_order = [np.arange(len(x))[i : i + 32] for i in range(0, len(x), 32)]
    monkeypatch.setattr("stages.train.shuffled", lambda *_: in_order)
    _, history = fit(x, y, x_validation, y_validation, values)

    keras.utils.set_random_seed(values.train.seed)
    model = model()
    model.compile(optimizer=optimizer, loss="binary_crossentropy", metrics=["accuracy"])
    plain = model.fit(
        x, y, batch_size=32, epochs=3, shuffle=False, validation_data=(x_validation, y_validation), verbose=0
    ).history
    for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
        np.testing.assert_allclose(history[name], plain[name], atol=1e-4)
    assert history["loss"].iloc[-1] < history["loss"].iloc[0] - 1e-3, "nothing was learnt, so nothing is shown"


SHORT = {"epochs": 3, "batch_size": 32, "learning_rate": 0.01, "clipnorm": 0.1}


@pytest.mark.parametrize("mask_padding", [True, False])
@pytest.mark.parametrize("cell", ["simple_rnn", "lstm", "gru"])
def test_training_is_keras_own_fit(params, monkeypatch, cell, mask_padding):
    """The article's network and its `fit`, with nothing of ours around them."""
    values = changed(
        params, model={"cell": cell, "embedding_dim": 8, "units": 8, "mask_padding": mask_padding}, train=SHORT
    )

    def model():
        return keras.Sequential(
            [
                keras.Input((None,), dtype="int32"),
                keras.layers.Embedding(VOCAB_SIZE, 8, mask_zero=mask_padding),
                {"simple_rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[cell](8),
                keras.layers.Dense(1, activation="sigmoid"),
            ]
        )

    optimizer = of_sums(keras.optimizers.Adam)(0.01, global_clipnorm=0.1)
    assert_keras_takes_the_same_course(monkeypatch, values, model, optimizer)


@pytest.mark.parametrize(
    "changes",
    [
        {"cell": "gru", "layers": 2, "bidirectional": True, "pooling": "max+mean"},
        {"cell": "lstm", "bidirectional": True},
        {"cell": "simple_rnn", "layers": 3, "pooling": "mean"},
    ],
)
def test_training_of_larger_networks_is_keras_own_fit(params, monkeypatch, changes):
    values = changed(params, model={"embedding_dim": 8, "units": 8, **changes}, train=SHORT)
    optimizer = of_sums(keras.optimizers.Adam)(0.01, global_clipnorm=0.1)
    assert_keras_takes_the_same_course(monkeypatch, values, lambda: network.build(values.model, VOCAB_SIZE), optimizer)


@compiled
def _sigmoid_rnn(table, words, bias, gates, h, c, aside):
    for r in range(len(words)):
        for j in range(h.shape[1]):
            h[r, j] = gates[r, j] = sigmoid(gates[r, j] + table[words[r], j])


@compiled
def _sigmoid_rnn_back(gates, before, aside, dh, dc, dproduct, dword):
    for r in range(len(gates)):
        for j in range(dh.shape[1]):
            dproduct[r, j] = dh[r, j] * gates[r, j] * (np.float32(1) - gates[r, j])


def test_a_fourth_cell_is_one_entry(params, monkeypatch, tmp_path):
    """A SimpleRNN with another activation: named in the parameters, trained as by Keras, saved, read and used."""
    layer = partial(keras.layers.SimpleRNN, activation="sigmoid")
    monkeypatch.setitem(network.CELLS, "sigmoid_rnn", network.Cell(layer, cell(_sigmoid_rnn, _sigmoid_rnn_back)))

    values = changed(
        params, model={"cell": "sigmoid_rnn", "embedding_dim": 8, "units": 8, "bidirectional": True}, train=SHORT
    )
    optimizer = of_sums(keras.optimizers.Adam)(0.01, global_clipnorm=0.1)
    assert_keras_takes_the_same_course(monkeypatch, values, lambda: network.build(values.model, VOCAB_SIZE), optimizer)
    x, y = task(300, 1)
    model, _ = fit(x, y, *task(100, 2), values)
    network.save(model, values.model, tmp_path / "model.keras")
    again, _ = network.load(tmp_path / "model.keras")
    np.testing.assert_allclose(predict(again, x, values), model(x).numpy()[:, 0], atol=1e-6)


STEPS = 3 * 10  # of three epochs of 300 reviews in batches of 32


@pytest.mark.parametrize(
    ("name", "schedule", "optimizer", "rate"),
    [
        ("rmsprop", "constant", keras.optimizers.RMSprop, 0.01),
        ("sgd", "constant", keras.optimizers.SGD, 0.01),
        ("adam", "linear", keras.optimizers.Adam, lambda step: 0.01 * (1 - step / STEPS)),
        ("adam", "cosine", keras.optimizers.Adam, lambda step: 0.005 * (1 + np.cos(np.pi * step / STEPS))),
    ],
)
def test_optimizers_and_schedules_are_what_their_names_say(params, monkeypatch, name, schedule, optimizer, rate):
    values = changed(
        params,
        model={"embedding_dim": 8, "units": 8},
        train={**SHORT, "optimizer": name, "schedule": schedule, "clipnorm": None},
    )
    options = {"momentum": 0.9} if name == "sgd" else {}
    if callable(rate):
        table = tf.constant([rate(step) for step in range(STEPS)], tf.float32)

        class Schedule(keras.optimizers.schedules.LearningRateSchedule):
            def __call__(self, step):
                return tf.gather(table, tf.cast(step, tf.int32))

        rate = Schedule()
    assert_keras_takes_the_same_course(
        monkeypatch, values, lambda: network.build(values.model, VOCAB_SIZE), of_sums(optimizer)(rate, **options)
    )


def test_without_clipping_the_weights_go_elsewhere(params):
    (clipped, _), (free, _) = run(params, clipnorm=0.01), run(params, clipnorm=None)
    assert any((a != b).any() for a, b in zip(clipped.get_weights(), free.get_weights(), strict=True))


@pytest.mark.parametrize("ngrams", [0, 1])
def test_averaged_weights_are_the_moving_average_over_the_steps(params, ngrams):
    """A step an epoch, the last epoch kept, so that the weights after each step are there to be averaged."""
    options = {"batch_size": 300, "validation": "test", "ngrams": ngrams}
    average = run(params, epochs=1, learning_rate=1e-20, **options)[0].get_weights()
    for steps in (1, 2, 3):
        decay = min(0.2, (1 + steps) / (10 + steps))
        weights = run(params, epochs=steps, **options)[0].get_weights()
        average = [decay * a + (1 - decay) * weight for a, weight in zip(average, weights, strict=True)]
    averaged = run(params, epochs=3, weight_averaging=0.2, **options)[0].get_weights()
    for one, other in zip(averaged, average, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_scores_of_ngrams_begin_as_naive_bayes(params):
    model, _ = run(params, ngrams=1, epochs=1, learning_rate=1e-20)
    x, y = task(300, 1)
    counts = np.array(
        [[np.sum((x[y == label] == word).any(axis=1)) for word in range(4, VOCAB_SIZE)] for label in (0, 1)]
    )
    assert network.ngram_codes(model).tolist() == list(range(4, VOCAB_SIZE))
    negative, positive = (counts + NGRAM_SMOOTHING) / (counts + NGRAM_SMOOTHING).sum(axis=1, keepdims=True)
    scores = model.get_layer("ngram_scores").get_weights()[0][1:, 0]
    np.testing.assert_allclose(scores, network.NGRAM_WEIGHT * np.log(positive / negative), rtol=1e-5)
    assert np.abs(scores).max() > 0


def test_patience_ends_a_training_that_gets_no_better(params):
    x = np.random.default_rng(1).integers(4, VOCAB_SIZE, (400, WORDS), dtype=np.int32)
    y = np.random.default_rng(2).integers(0, 2, 400)

    def course(patience):
        values = changed(
            params,
            model={"embedding_dim": 8, "units": 8},
            train={"epochs": 12, "batch_size": 32, "learning_rate": 0.02, "patience": patience, "seed": 3},
        )
        return fit(x[:300], y[:300], x[300:], y[300:], values)[1]

    whole, short = course(None), course(2)
    assert len(short) < len(whole) == 12
    assert short.equals(whole[: len(short)])
    assert len(short) - short["val_loss"].idxmin() - 1 == 2


def after_one_step(params, x, y, **model):
    """The change of every weight in one step of plain gradient descent (momentum has no past yet)."""
    values = changed(
        params,
        model={"embedding_dim": 8, "units": 64, **model},
        train={"epochs": 1, "batch_size": len(x), "optimizer": "sgd", "learning_rate": 1.0, "clipnorm": None},
    )
    keras.utils.set_random_seed(values.train.seed)
    before = network.build(values.model, VOCAB_SIZE).get_weights()
    after = fit(x, y, *task(10, 2), values)[0].get_weights()
    return [b - a for a, b in zip(before, after, strict=True)]


def test_dropout_hides_its_share_of_the_features(params):
    x, y = task(1, 1)
    changes = [after_one_step(params, x, y, dropout=rate)[-2] for rate in (0.0, 0.75)]
    assert np.mean(changes[0] == 0) == 0
    assert 0.6 < np.mean(changes[1] == 0) < 0.9  # 64 features


def test_embedding_dropout_hides_its_share_of_the_words(params, monkeypatch):
    monkeypatch.setattr(f"{__name__}.VOCAB_SIZE", 200)
    x, y = np.arange(4, 196, dtype=np.int32).reshape(24, 8), np.arange(24) % 2
    changes = [after_one_step(params, x, y, embedding_dropout=rate)[0][4:196] for rate in (0.0, 0.75)]
    assert (changes[0] != 0).all(axis=1).all()
    hidden = (changes[1] == 0).all(axis=1)
    assert 0.65 < hidden.mean() < 0.85  # 192 words
    assert (changes[1][~hidden] != 0).all()


@pytest.mark.parametrize("rate", [0.0, 0.3, 0.9])
def test_the_dropout_mask_hides_its_share_and_keeps_the_mean(rate):
    mask = np.broadcast_to(network.dropout_mask(np.random.default_rng(1), (500, 200), rate), (500, 200))
    assert np.mean(mask == 0) == pytest.approx(rate, abs=0.01)
    assert mask.mean() == pytest.approx(1, abs=0.03)
    assert len(np.unique(mask)) == (2 if rate else 1)


def test_what_is_hidden_is_hidden_on_the_way_back_too(params, monkeypatch):
    """One step with masks that are known, beside TensorFlow's derivatives of a network with the same masks."""
    random = np.random.default_rng(1)
    masks = {shape: random.integers(0, 2, shape).astype(np.float32) * 2 for shape in ((VOCAB_SIZE, 1), (20, 64))}
    monkeypatch.setattr(network, "dropout_mask", lambda _, shape, rate: masks[shape])
    x, y = task(20, 1)
    values = changed(params, model={"embedding_dim": 8, "units": 64})
    keras.utils.set_random_seed(values.train.seed)
    model = network.build(values.model, VOCAB_SIZE)
    _, embedding, recurrent, head = model.layers
    with tf.GradientTape() as tape:
        states = recurrent(tf.gather(embedding.embeddings * masks[VOCAB_SIZE, 1], x))
        loss = keras.ops.mean(keras.losses.binary_crossentropy(y[:, None].astype(float), head(states * masks[20, 64])))
    expected = tape.gradient(loss, [variable.value for variable in model.trainable_variables])

    monkeypatch.setattr("stages.train.shuffled", lambda *_: [np.arange(20)])
    for change, gradient in zip(after_one_step(params, x, y), expected, strict=True):
        np.testing.assert_allclose(-change, tf.convert_to_tensor(gradient).numpy(), atol=1e-6)


def test_what_dropout_draws_comes_from_the_seed(params):
    def weights(seed):
        values = changed(
            params,
            model={"embedding_dim": 8, "units": 8, "dropout": 0.5, "embedding_dropout": 0.5},
            train={"epochs": 2, "batch_size": 32, "seed": seed},
        )
        return fit(*task(300, 1), *task(100, 2), values)[0].get_weights()

    once, again, other = weights(1), weights(1), weights(2)
    assert all((a == b).all() for a, b in zip(once, again, strict=True))
    assert any((a != b).any() for a, b in zip(once, other, strict=True))


def test_ngrams_see_what_single_words_do_not(params):
    """Positive if words 4 and 5 stand in this order; a network of one number is too small to tell."""

    def pairs(count, seed):
        random = np.random.default_rng(seed)
        y = random.integers(0, 2, count).astype(np.uint8)
        x = random.permuted(np.tile(np.arange(6, VOCAB_SIZE, dtype=np.int32), (count, 1)), axis=1)
        place = random.integers(0, x.shape[1], count)
        rows = zip(x.tolist(), place, y, strict=True)
        return np.array([row[:i] + ([4, 5] if label else [5, 4]) + row[i:] for row, i, label in rows], np.int32), y

    def accuracy(ngrams):
        values = changed(
            params,
            model={"embedding_dim": 1, "units": 1, "ngrams": ngrams},
            train={"epochs": 5, "batch_size": 32, "learning_rate": 0.01},
        )
        model, _ = fit(*pairs(600, 1), *pairs(200, 2), values)
        x, y = pairs(400, 3)
        return np.mean((predict(model, x, values) > 0.5) == y)

    assert accuracy(2) > 0.95
    assert accuracy(1) < 0.8


def test_ngrams_without_enough_reviews_are_an_error(params):
    values = changed(params, model={"embedding_dim": 8, "units": 8, "ngrams": 2})
    with pytest.raises(UserError, match=r"no n-gram is in 10 training reviews; set model\.ngrams to 0"):
        fit(*task(6, 1), *task(6, 2), values)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="memory and open files are counted in /proc")
def test_long_runs_take_no_more_memory_and_files(params, tmp_path, monkeypatch):
    """Over 30 epochs, with a checkpoint after each."""
    seen = []

    def count(*arguments):
        write(*arguments)
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        seen.append((pages * resource.getpagesize() / 2**20, len(list(Path("/proc/self/fd").iterdir()))))

    write = checkpoint.write
    monkeypatch.setattr(checkpoint, "write", count)
    values = changed(params, model={"cell": "gru"}, train={"epochs": 30, "batch_size": 8})
    (x, y), (held_out, y_held_out) = task(400, 1), task(100, 2)
    train(
        unpad(x, True), y, unpad(held_out, True), y_held_out, VOCAB_SIZE, values.model, values.train, tmp_path / "c.npz"
    )
    assert len(seen) == 30
    (after_ten, files_after_ten), (last, files_last) = seen[9], seen[-1]
    assert last - after_ten < 8  # MiB
    assert files_last == files_after_ten
