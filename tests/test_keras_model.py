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

NO_CODES = np.empty(0, np.int64)


def test_the_original_tutorial_s_network_has_its_weights_and_layers():
    model = keras_model.build(ModelParams(), PadParams().vocab_size, NO_CODES)
    assert [weights.shape for weights in model.get_weights()] == [(10000, 32), (32, 32), (32, 32), (32,), (32, 1), (1,)]
    assert [type(layer).__name__ for layer in model.layers] == ["InputLayer", "Embedding", "SimpleRNN", "Dense"]


@pytest.mark.parametrize("cell", CELLS)
def test_each_cell_has_its_own_layer(cell):
    model = keras_model.build(model_params(cell=cell, layers=2), VOCAB_SIZE, NO_CODES)
    layer = {"simple_rnn": "SimpleRNN", "lstm": "LSTM", "gru": "GRU"}[cell]
    assert [type(layer).__name__ for layer in model.layers] == ["InputLayer", "Embedding", layer, layer, "Dense"]


@pytest.mark.parametrize("kind", NETWORKS)
def test_the_trained_variables_have_the_names_and_shapes_of_the_engine(kind):
    params = NETWORKS[kind]
    variables = keras_model.named_variables(keras_model.build(params, VOCAB_SIZE, np.arange(1, 5)), params)
    shapes = {name: matrix.shape for name, matrix in Layout(params, VOCAB_SIZE, 0).blocks.items()}
    assert {name: variable.shape for name, variable in variables.items()} | {"ngrams": (0,)} == shapes


def test_a_crash_while_tensorflow_is_loaded_is_not_silent(tmp_path):
    """TensorFlow's C++ writes to standard error and aborts, for want of a processor's instructions, say."""
    crash = "import os\nos.write(2, b'the instructions are missing\\n')\nos.abort()\n"
    (tmp_path / "tensorflow.py").write_text(crash)
    script = "from imdb_rnn import keras_model\nkeras_model.load_keras()"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    ran = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert ran.returncode < 0
    assert "the instructions are missing" in ran.stderr
