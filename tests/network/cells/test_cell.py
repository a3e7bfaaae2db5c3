import re

import numpy as np
import pytest
from material import ROOT, model_params
from networks import CELLS as NAMES
from tasks import SHORT, assert_keras_trains_the_same, fit, small, task

from imdb_rnn.base.errors import UserError
from imdb_rnn.base.params import TrainParams
from imdb_rnn.network.activations import compiled, sigmoid
from imdb_rnn.network.cells import CELLS, cell_named
from imdb_rnn.network.cells.cell import Cell
from imdb_rnn.network.keras_model import as_keras, build, save
from imdb_rnn.network.model_file import load
from imdb_rnn.reviews.encode import unpad


def test_an_unknown_cell_is_refused_with_those_there_are():
    with pytest.raises(
        UserError, match=r"^params\.yaml: model\.cell is 'x', it should be 'simple_rnn', 'lstm' or 'gru'$"
    ):
        cell_named("x")


@pytest.mark.parametrize("name", NAMES)
def test_a_cell_says_of_itself_what_its_keras_layer_has(name):
    cell = cell_named(name)
    model = build(model_params(cell=name), 20, np.empty(0, np.int64))
    kernel, recurrent, bias = model.layers[2].get_weights()
    assert type(model.layers[2]).__name__ == cell.layer
    assert kernel.shape[1] == recurrent.shape[1] == 5 * cell.gates
    assert (bias.ndim == 2) == cell.recurrent_bias


def test_no_other_file_knows_which_cells_there_are():
    """A fourth is a file of its own and an entry in `CELLS`: nothing that computes asks for one by its name."""
    asking = re.compile(rf"""["']({"|".join(NAMES)})["']""")
    files = [path for part in ("imdb_rnn", "stages") for path in (ROOT / part).rglob("*.py")]
    files.append(ROOT / "imdb_rnn/pages/page/network.js")
    assert len(files) > 50
    naming = {str(path.relative_to(ROOT)) for path in files if asking.search(path.read_text(encoding="utf-8"))}
    assert naming == {"imdb_rnn/network/cells/__init__.py", "imdb_rnn/base/params.py"}  # the latter as a default


@compiled
def _step(table, words, bias, gates, h, c, aside):
    for r in range(len(words)):
        for j in range(h.shape[1]):
            h[r, j] = gates[r, j] = sigmoid(gates[r, j] + table[words[r], j])


@compiled
def _step_back(gates, before, aside, dh, dc, dproduct, dword):
    for r in range(len(gates)):
        for j in range(dh.shape[1]):
            dproduct[r, j] = dh[r, j] * gates[r, j] * (np.float32(1) - gates[r, j])


@pytest.mark.slow
def test_a_fourth_cell_is_one_entry(monkeypatch, tmp_path):
    """A SimpleRNN with another activation: named in the parameters, trained as by Keras, saved, read and used."""
    cell = Cell("SimpleRNN", _step, _step_back, gates=1, layer_options={"activation": "sigmoid"})
    monkeypatch.setitem(CELLS, "sigmoid_rnn", cell)
    model, params = small(cell="sigmoid_rnn", bidirectional=True), TrainParams(**SHORT)
    assert_keras_trains_the_same(monkeypatch, model, params)

    network, _ = fit(task(300, 1), task(100, 2), model, params)
    network.vocabulary.append("word")
    save(network, tmp_path / "model.keras")
    again, x = load(tmp_path / "model.keras"), task(50, 3)[0]
    expected = as_keras(network)(x).numpy()[:, 0]
    np.testing.assert_allclose(again.predict_proba(unpad(x)), expected, atol=1e-6)
    assert again.trace(x[0], 0)[-1] == pytest.approx(expected[0], abs=1e-6)
    assert again.gradient_norms(unpad(x)).values.max() > 0
