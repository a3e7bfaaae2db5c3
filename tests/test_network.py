import os
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from material import ROOT, changed

from stages import network
from stages.errors import UserError
from stages.network import keras
from stages.params import ModelParams

CELLS = ("simple_rnn", "lstm", "gru")


@pytest.fixture(params=CELLS)
def model(request):
    keras.utils.set_random_seed(1)
    return network.build(ModelParams(cell=request.param, embedding_dim=4, units=5), vocab_size=20)


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
    model = network.build(ModelParams(cell="simple_rnn", embedding_dim=4, units=5), vocab_size=20)
    embedding, kernel, recurrent, bias, dense, dense_bias = model.get_weights()
    hidden = np.zeros((len(ids), 5))
    for word in ids.T:
        hidden = np.tanh(embedding[word] @ kernel + hidden @ recurrent + bias)
    expected = 1 / (1 + np.exp(-(hidden @ dense + dense_bias)))
    np.testing.assert_allclose(network.predict(model, ids), expected[:, 0], atol=1e-6)


def test_predictions_do_not_depend_on_the_batch(model, ids, monkeypatch):
    whole = network.predict(model, ids)
    assert whole.shape == (7,)
    assert whole.dtype == np.float64
    monkeypatch.setattr(network, "PREDICTION_BATCH", 3)
    np.testing.assert_allclose(network.predict(model, ids), whole, atol=1e-6)


def test_a_network_is_read_as_saved(model, ids, tmp_path):
    network.save(model, tmp_path / "model.keras")
    np.testing.assert_array_equal(
        network.predict(network.load(tmp_path / "model.keras"), ids), network.predict(model, ids)
    )
    # and by Keras alone, as a user would
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.predict(ids, verbose=0)[:, 0], network.predict(model, ids), atol=1e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_the_saved_bytes_depend_on_nothing_but_the_network(tmp_path, cell):
    """Two networks with the same weights, built and saved in two processes at different times."""
    script = f"""if True:
        from pathlib import Path
        from stages import network
        from stages.params import ModelParams
        network.keras.utils.set_random_seed(1)
        model = network.build(ModelParams(cell="{cell}", embedding_dim=4, units=5), vocab_size=20)
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


@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "flipped", "other archive"])
def test_a_damaged_network_is_refused(tmp_path, damage):
    path = tmp_path / "model.keras"
    network.save(network.build(ModelParams(cell="gru", embedding_dim=4, units=5), vocab_size=20), path)
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
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
