import re

import numpy as np
import pytest
from material import ROOT, network_of
from networks import CELLS as NAMES
from networks import VOCAB_SIZE, assert_learns_as_reference, reviews_of
from steps import assert_step_is
from tasks import SHORT, fit, small, task

from imdb_rnn.core.params import TrainParams
from imdb_rnn.engine import reference
from imdb_rnn.engine.kernels.cells import CELLS, cell_named
from imdb_rnn.engine.kernels.cells.cell import Cell
from imdb_rnn.engine.kernels.compiled import inner


def test_an_unknown_cell_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"^there is no cell 'x'; use 'simple_rnn', 'lstm' or 'gru'$"):
        cell_named("x")


def test_each_table_of_the_cells_is_known():
    """A fourth cell is a file of its own and an entry in each of these: no other code asks for a cell by its name."""
    asking = re.compile(rf"""["']({"|".join(NAMES)})["']""")
    files = [path for part in ("imdb_rnn", "stages") for path in (ROOT / part).rglob("*.py")]
    files.append(ROOT / "imdb_rnn/reporting/page/network.js")
    assert len(files) > 50
    naming = {str(path.relative_to(ROOT)) for path in files if asking.search(path.read_text(encoding="utf-8"))}
    assert naming == {
        f"imdb_rnn/{name}.py"
        for name in (
            *("engine/kernels/cells/__init__", "engine/reference", "core/params"),
            *("keras_model", "export/onnx_file"),
        )
    }


@inner
def _step(blocks, h0, h1, c0, c1, n, size):
    for i in range(n):
        h1[i] = blocks[i] / (np.float32(1) + abs(blocks[i]))


@inner
def _step_back(blocks, h0, h1, c0, c1, dh, dc, spare, n, size):
    for i in range(n):
        off = np.float32(1) - abs(h1[i])
        blocks[i] = dh[i] * off * off
        dh[i] = np.float32(0)


def _reference_step(x_t, state, weights):
    (h_prev, c_prev), (kernel, recurrent_kernel, bias) = state, weights
    a = x_t @ kernel + h_prev @ recurrent_kernel + bias
    h_t = a / (1 + np.abs(a))
    return (h_t, c_prev), h_t


def _reference_step_back(dh, dc, h_t):
    da = dh * (1 - np.abs(h_t)) ** 2
    return da, da, np.zeros_like(dh), dc


@pytest.mark.slow
def test_a_fourth_cell_learns_as_its_reference(monkeypatch):
    """A SimpleRNN with another activation."""
    cell = Cell("SimpleRNN", _step, _step_back, gates=1)
    monkeypatch.setitem(CELLS, "simple_rnn", cell)
    monkeypatch.setitem(reference.CELLS, "simple_rnn", (_reference_step, _reference_step_back))
    assert_step_is(cell, "simple_rnn")
    model = small(cell="simple_rnn", bidirectional=True)
    assert_learns_as_reference(network_of(model), reviews_of(VOCAB_SIZE, 20, 8))

    _, history = fit(task(300, 1), task(100, 2), model, TrainParams(**SHORT))
    assert history["val_loss"].iloc[-1] < history["val_loss"].iloc[0]
