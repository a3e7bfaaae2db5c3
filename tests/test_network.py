import os
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from material import ROOT, changed

from stages import network
from stages.batches import unpad
from stages.errors import UserError
from stages.network import keras
from stages.params import ModelParams

CELLS = ("simple_rnn", "lstm", "gru")


def small(cell: str, mask_padding: bool = True) -> keras.Model:
    return network.build(ModelParams(cell=cell, embedding_dim=4, units=5, mask_padding=mask_padding), vocab_size=20)


def predict(model: keras.Model, x: np.ndarray) -> np.ndarray:
    return network.predict(model, unpad(x, network.masks_padding(model)))


@pytest.fixture(params=CELLS)
def model(request):
    keras.utils.set_random_seed(1)
    return small(request.param)


@pytest.fixture
def ids():
    return np.random.default_rng(0).integers(0, 20, (7, 12), dtype=np.int32)


def test_the_article_s_network_has_the_article_s_weights(params):
    model = network.build(params.model, params.pad.vocab_size)
    assert [weights.shape for weights in model.get_weights()] == [(10000, 32), (32, 32), (32, 32), (32,), (32, 1), (1,)]
    assert [type(layer).__name__ for layer in model.layers] == ["Embedding", "SimpleRNN", "Dense"]


def test_each_cell_has_its_own_layer(params):
    layers = [network.build(changed(params, model={"cell": cell}).model, 10).layers[1] for cell in CELLS]
    assert [type(layer) for layer in layers] == [keras.layers.SimpleRNN, keras.layers.LSTM, keras.layers.GRU]


def test_simple_rnn_computes_the_textbook_recurrence(ids):
    model = small("simple_rnn", mask_padding=False)
    embedding, kernel, recurrent, bias, dense, dense_bias = model.get_weights()
    hidden = np.zeros((len(ids), 5))
    for word in ids.T:
        hidden = np.tanh(embedding[word] @ kernel + hidden @ recurrent + bias)
    expected = 1 / (1 + np.exp(-(hidden @ dense + dense_bias)))
    np.testing.assert_allclose(predict(model, ids), expected[:, 0], atol=1e-6)


def test_predictions_do_not_depend_on_the_batch(model, ids, monkeypatch):
    whole = predict(model, ids)
    assert whole.shape == (7,)
    assert whole.dtype == np.float64
    monkeypatch.setattr(network, "PREDICTION_BATCH", 3)
    np.testing.assert_allclose(predict(model, ids), whole, atol=1e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_padding_does_not_change_a_prediction(cell):
    """Whatever a review's padding, its batch and its neighbours: to us and to Keras, which reads the padded rows."""
    random = np.random.default_rng(5)
    keras.utils.set_random_seed(5)
    model = small(cell)
    model.set_weights([random.normal(0, 0.5, weights.shape) for weights in model.get_weights()])
    texts = [random.integers(1, 20, length) for length in (1, 2, 30, 11)]
    alone = np.concatenate([predict(model, text[None].astype(np.int32)) for text in texts])
    for before, maxlen in ((True, 30), (False, 30), (True, 60), (False, 60)):
        x = np.zeros((len(texts), maxlen), np.int32)
        for row, text in zip(x, texts, strict=True):
            row[maxlen - len(text) if before else 0 :][: len(text)] = text
        np.testing.assert_allclose(predict(model, x), alone, atol=1e-6, rtol=0)
        np.testing.assert_allclose(predict(model, x[::-1])[::-1], alone, atol=1e-6, rtol=0)
        np.testing.assert_allclose(model.predict(x, verbose=0)[:, 0], alone, atol=1e-6, rtol=0)


def test_an_id_beyond_the_vocabulary_is_refused(ids):
    with pytest.raises(UserError, match="ids below 20, the reviews hold 20"):
        predict(small("gru"), ids + 1)


@pytest.mark.parametrize("cell", CELLS)
def test_in_the_article_s_network_padding_counts(cell):
    random = np.random.default_rng(5)
    model = small(cell, mask_padding=False)
    model.set_weights([random.normal(0, 0.5, weights.shape) for weights in model.get_weights()])
    x = np.array([[0, 0, 0, 5, 6, 7], [5, 6, 7, 0, 0, 0]], np.int32)
    probability = predict(model, x)
    assert abs(probability[0] - probability[1]) > 1e-3
    np.testing.assert_allclose(probability, model.predict(x, verbose=0)[:, 0], atol=1e-6)


def test_a_network_is_read_as_saved(model, ids, tmp_path):
    network.save(model, tmp_path / "model.keras")
    np.testing.assert_array_equal(predict(network.load(tmp_path / "model.keras"), ids), predict(model, ids))
    # and by Keras alone, as a user would
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.predict(ids, verbose=0)[:, 0], predict(model, ids), atol=1e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_the_saved_bytes_depend_on_nothing_but_the_network(tmp_path, cell):
    """Two networks with the same weights, built and saved in two processes at different times."""
    script = f"""if True:
        from pathlib import Path
        from stages import network
        from stages.params import ModelParams
        network.keras.utils.set_random_seed(1)
        params = ModelParams(cell="{cell}", embedding_dim=4, units=5, mask_padding=True)
        model = network.build(params, vocab_size=20)
        network.save(model, Path("model.keras"))
    """
    saved = []
    for _ in range(2):
        # The processes take longer than two seconds, the grain of the time stamps in an archive.
        subprocess.run(
            [sys.executable, "-c", script], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True
        )
        saved.append((tmp_path / "model.keras").read_bytes())
    assert saved[0] == saved[1]


@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "flipped", "other archive", "other network"])
def test_a_damaged_network_is_refused(tmp_path, damage):
    path = tmp_path / "model.keras"
    network.save(small("gru"), path)
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage == "other network":
        keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]).save(path)
    elif damage == "other archive":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("x", "y")
    else:
        middle = len(content) // 2
        path.write_bytes(
            {
                "empty": b"",
                "cut": content[:middle],
                "flipped": content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :],
            }[damage]
        )
    with pytest.raises(UserError, match=r"model\.keras is .*run `dvc repro train`"):
        network.load(path)
