import numpy as np
import pytest
from material import changed, run_stage, write_params

from stages import network
from stages.batches import unpad
from stages.errors import UserError
from stages.network import keras, tf
from stages.train import train

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


def run(params, *, cell="simple_rnn", **train_params):
    defaults = {"epochs": 3, "batch_size": 32, "learning_rate": 0.01}
    changes = changed(params, model={"cell": cell, "embedding_dim": 8, "units": 8}, train=defaults | train_params)
    return fit(*task(300, 1), *task(100, 2), changes)


@pytest.mark.parametrize("cell", ["simple_rnn", "lstm", "gru"])
def test_each_cell_learns(params, cell):
    model, history = run(params, cell=cell, epochs=10)
    x, y = task(200, 3)
    assert np.mean((predict(model, x) > 0.5) == y) > 0.95
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
    accuracy = np.mean((predict(model, x[300:]) > 0.5) == y[300:])
    best, last = history["val_accuracy"].max(), history["val_accuracy"].iloc[-1]
    assert best > last, "choose another seed: this one shows nothing"
    assert accuracy == pytest.approx(best if validation == "holdout" else last, abs=1e-6)


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


class AdamOfSums(keras.optimizers.Adam):
    """Keras squares the gradient of each occurrence of a word by itself; Adam is defined by the square of their sum."""

    def apply(self, gradients, variables=None):
        super().apply([tf.convert_to_tensor(gradient) for gradient in gradients], variables)


@pytest.mark.parametrize("mask_padding", [True, False])
@pytest.mark.parametrize("cell", ["simple_rnn", "lstm", "gru"])
def test_training_is_keras_own_fit(params, monkeypatch, cell, mask_padding):
    """The article's `fit`, with nothing of ours around it, takes the same course over the same batches."""
    x, y = task(300, 1)
    x[::3, :3] = 0
    x_validation, y_validation = task(100, 2)
    values = changed(
        params,
        model={"cell": cell, "embedding_dim": 8, "units": 8, "mask_padding": mask_padding},
        train={"epochs": 3, "batch_size": 32, "learning_rate": 0.01, "clipnorm": 0.1},
    )
    in_order = [np.arange(len(x))[i : i + 32] for i in range(0, len(x), 32)]
    monkeypatch.setattr("stages.train.shuffled", lambda *_: in_order)
    _, history = fit(x, y, x_validation, y_validation, values)

    keras.utils.set_random_seed(values.train.seed)
    model = keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            keras.layers.Embedding(VOCAB_SIZE, 8, mask_zero=mask_padding),
            {"simple_rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[cell](8),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    optimizer = AdamOfSums(0.01, global_clipnorm=0.1)
    model.compile(optimizer=optimizer, loss="binary_crossentropy", metrics=["accuracy"])
    plain = model.fit(
        x, y, batch_size=32, epochs=3, shuffle=False, validation_data=(x_validation, y_validation), verbose=0
    ).history
    for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
        np.testing.assert_allclose(history[name], plain[name], atol=1e-4)


def test_without_clipping_the_weights_go_elsewhere(params):
    (clipped, _), (free, _) = run(params, clipnorm=0.01), run(params, clipnorm=None)
    assert any((a != b).any() for a, b in zip(clipped.get_weights(), free.get_weights(), strict=True))
