"""A network that knows two words' worth of sentiment, and its file, made without TensorFlow."""

import io
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from material import model_params

from imdb_rnn import model_file
from imdb_rnn.core.params import PadParams
from imdb_rnn.engine.weights import DirectionWeights, Weights, named
from imdb_rnn.model import Network

KEYS = ("embedding/vars/0", "simple_rnn/cell/vars/0", "simple_rnn/cell/vars/1", "simple_rnn/cell/vars/2")
KEYS += ("dense/vars/0", "dense/vars/1")  # where Keras puts the weights of such a network


@pytest.fixture(scope="session")
def network() -> Network:
    """It is for what is wonderful, against what is terrible, and remembers which it read last."""
    vectors = np.zeros((8, 1), np.float32)
    vectors[6:] = [[3], [-3]]
    kernel, recurrent_kernel, head_kernel = np.float32([[[1]], [[2]], [[3]]])
    layer, bias = DirectionWeights(kernel, recurrent_kernel, np.zeros(1, np.float32)), np.zeros(1, np.float32)
    params, encoding = model_params(embedding_dim=1, units=1), PadParams(vocab_size=8, maxlen=6)
    words, weights = ["a", "film", "wonderful", "terrible"], Weights(vectors, ((layer,),), head_kernel, bias)
    return Network(params, encoding, weights, np.empty(0, np.int64), words, 3, {"source": "bundled"})


@pytest.fixture(scope="session")
def model_bytes(network) -> bytes:
    weights, archive = io.BytesIO(), io.BytesIO()
    with h5py.File(weights, "w") as store:
        for key, array in zip(KEYS, named(network.weights).values(), strict=False):
            store[f"layers/{key}"] = array
    with zipfile.ZipFile(archive, "w") as members:
        for name, content in (model_file.members(network) | {model_file.WEIGHTS: weights.getvalue()}).items():
            members.writestr(name, content)
    return archive.getvalue()


@pytest.fixture
def folder(model_bytes, tmp_path, monkeypatch) -> Path:
    """The current folder, a project with a trained network."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data/model.keras").write_bytes(model_bytes)
    monkeypatch.chdir(tmp_path)
    return tmp_path
