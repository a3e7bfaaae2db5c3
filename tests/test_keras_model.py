import os
import subprocess
import sys

import numpy as np
import pytest
from material import ROOT, model_params
from networks import CELLS, NETWORKS, VOCAB_SIZE

from imdb_rnn import keras_model
from imdb_rnn.core.params import ModelParams, PadParams
from imdb_rnn.engine.layout import Layout

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("keras")]


def test_the_original_tutorial_s_network_has_its_weights_and_layers():
    model = keras_model.build(ModelParams(), PadParams().vocab_size)
    assert [weights.shape for weights in model.get_weights()] == [(10000, 32), (32, 32), (32, 32), (32,), (32, 1), (1,)]
    assert [type(layer).__name__ for layer in model.layers] == ["InputLayer", "Embedding", "SimpleRNN", "Dense"]


@pytest.mark.parametrize("cell", CELLS)
def test_each_cell_has_its_own_layer(cell):
    model = keras_model.build(model_params(cell=cell, layers=2), VOCAB_SIZE)
    layer = {"simple_rnn": "SimpleRNN", "lstm": "LSTM", "gru": "GRU"}[cell]
    assert [type(layer).__name__ for layer in model.layers] == ["InputLayer", "Embedding", layer, layer, "Dense"]


@pytest.mark.parametrize("kind", NETWORKS)
def test_the_trained_variables_have_the_names_and_shapes_of_the_engine(kind):
    params = NETWORKS[kind]
    trie = keras_model.trie_of(np.arange(1, 5), VOCAB_SIZE)
    variables = keras_model.named_variables(keras_model.build(params, VOCAB_SIZE, trie), params)
    shapes = {name: matrix.shape for name, matrix in Layout(params, VOCAB_SIZE, 0).blocks.items()}
    assert {name: variable.shape for name, variable in variables.items()} | {"ngrams": (0,)} == shapes


def followed(trie: keras_model.Trie, words: list[int]) -> int:
    place = words[0]
    for word in words[1:]:
        before, place = place, trie.base[place] + word
        place = place if trie.parent[place] == before else 0
    return place


def test_a_trie_has_a_place_for_each_n_gram_and_for_no_other():
    """Also below places that are searched in part only, and where the n-gram without its last word is not known."""
    vocab_size = 100
    random = np.random.default_rng(0)
    triples = np.minimum(random.geometric(0.05, (5000, 3)), vocab_size - 1)
    triples[:1000, 0] = triples[1000:2000, :2] = 0
    codes = np.unique(triples @ vocab_size ** np.arange(3)[::-1])
    for window in (64, keras_model.WINDOW):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(keras_model, "WINDOW", window)
            trie = keras_model.trie_of(codes, vocab_size)
        words = [[word for word in row if word] for row in np.unique(triples, axis=0).tolist()]
        assert [followed(trie, row) for row in words] == trie.places.tolist()
        assert len(set(trie.places)) == len(codes)
        others = random.integers(1, vocab_size, (2000, 3))
        others = others[~np.isin(others @ vocab_size ** np.arange(3)[::-1], codes)]
        assert not {followed(trie, row) for row in others.tolist()} & set(trie.places.tolist())
    assert keras_model.trie_of(np.empty(0, np.int64), vocab_size).places.size == 0


def test_a_crash_while_tensorflow_is_loaded_is_not_silent(tmp_path):
    """TensorFlow's C++ writes to standard error and aborts, where the processor lacks instructions, for example."""
    crash = "import os\nos.write(2, b'the instructions are missing\\n')\nos.abort()\n"
    (tmp_path / "tensorflow.py").write_text(crash)
    script = "from imdb_rnn import keras_model\nkeras_model.load_keras()"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    ran = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert ran.returncode < 0
    assert "the instructions are missing" in ran.stderr
