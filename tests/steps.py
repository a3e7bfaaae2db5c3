"""One step of a cell, compared with the reference."""

from typing import Any

import numpy as np

from imdb_rnn.engine import reference
from imdb_rnn.engine.kernels.arithmetic import ptr
from imdb_rnn.engine.kernels.cells import CELLS, step, step_backward
from imdb_rnn.engine.kernels.compiled import compiled
from imdb_rnn.engine.kernels.network import Step
from imdb_rnn.engine.weights import DirectionWeights

COUNT, SIZE = 12, 16  # numbers of a block that count, and all of them
ASIDE = np.float32(7)  # stands where a step has nothing to do


@compiled
def _forward(cell, blocks, h, c, n, size):
    h_prev, c_prev = ptr(h, 0), ptr(c, 0)
    step(cell, Step(ptr(blocks, 0), h_prev, ptr(h, size), c_prev, ptr(c, size), h_prev, h_prev, h_prev, n, size))


@compiled
def _backward(cell, blocks, h, c, dh, dc, spare, n, size):
    states = ptr(h, 0), ptr(h, size), ptr(c, 0), ptr(c, size)
    step_backward(cell, Step(ptr(blocks, 0), *states, ptr(dh, 0), ptr(dc, 0), ptr(spare, 0), n, size))


def filled(*rows: np.ndarray | float) -> np.ndarray:
    """Blocks of `SIZE` numbers, float32, the first `COUNT` of each as given."""
    blocks = np.full((len(rows), SIZE), ASIDE)
    for block, row in zip(blocks, rows, strict=True):
        block[:COUNT] = row
    return blocks


def blocks_of(cell: Any, word: np.ndarray, product: np.ndarray) -> np.ndarray:
    """The blocks as a step gets them, from inputs and products, both (gates, COUNT)."""
    together = cell.num_gates - cell.num_reset_after_gates
    gates = *(word + product)[:together], *product[together:]
    return filled(*gates, *word[together:], *[0] * cell.num_saved_blocks)


def assert_step_is_that_of_the_reference(name: str) -> None:
    """Compare `step` and `step_backward` with the cell of the reference, and check what `cells` promises."""
    cell, random = CELLS[name], np.random.default_rng(1)
    inputs = slice(cell.num_gates, cell.num_gates + cell.num_reset_after_gates)
    word, product = random.normal(size=(2, cell.num_gates, COUNT))
    h0, c0, dh, dc = random.normal(size=(4, COUNT))
    if not cell.has_cell_state:  # a cell state that must not be touched
        c0[:], dc[:] = ASIDE, 0

    blocks, h, c = blocks_of(cell, word, product), filled(h0, ASIDE), filled(c0, ASIDE)
    _forward(cell, blocks, h, c, COUNT, SIZE)
    reference_step, reference_step_back = reference.CELLS[name]
    columns = cell.num_gates * COUNT  # the input as it is, and the bias in place of the product
    bias = np.stack([0 * product.ravel(), product.ravel()]) if cell.num_reset_after_gates else product.ravel()
    weights = DirectionWeights(np.eye(columns), np.zeros((COUNT, columns)), bias)
    (expected_h, expected_c), cache = reference_step(word.ravel(), (h0, c0), weights)
    np.testing.assert_allclose(h, filled(h0, expected_h), atol=2e-6)
    np.testing.assert_allclose(c, filled(c0, expected_c), atol=2e-6)
    after = blocks.copy()

    dh_here, dc_here = filled(dh), filled(dc if cell.has_cell_state else ASIDE)
    _backward(cell, blocks, h, c, dh_here, dc_here, filled(0), COUNT, SIZE)
    dword, dproduct, dh0, dc0 = reference_step_back(dh, dc, cache)
    dword, dproduct = dword.reshape(word.shape), dproduct.reshape(word.shape)
    np.testing.assert_allclose(blocks[: cell.num_gates], filled(*dproduct), atol=5e-6)
    np.testing.assert_allclose(blocks[inputs], filled(*dword[cell.num_gates - cell.num_reset_after_gates :]), atol=5e-6)
    np.testing.assert_allclose(dh_here, filled(dh0), atol=5e-6)
    np.testing.assert_allclose(dc_here, filled(dc0 if cell.has_cell_state else ASIDE), atol=5e-6)
    assert (blocks[:, COUNT:] == ASIDE).all()

    dh_here, dc_here = filled(0), filled(0 if cell.has_cell_state else ASIDE)
    _backward(cell, after, h, c, dh_here, dc_here, filled(0), COUNT, SIZE)
    assert not after[: inputs.stop, :COUNT].any(), "no gradient comes, and some leaves"
    assert not dh_here[:, :COUNT].any()
    assert (dc_here[:, :COUNT] == (0 if cell.has_cell_state else ASIDE)).all()

    nothing = np.zeros((cell.num_gates, COUNT))
    h, c = filled(0, ASIDE), filled(0 if cell.has_cell_state else ASIDE, ASIDE)
    _forward(cell, blocks_of(cell, nothing, nothing), h, c, COUNT, SIZE)
    assert not h[:, :COUNT].any(), "a unit whose weights are 0 has a state, and its weights would get gradients"
    assert not cell.has_cell_state or not c[:, :COUNT].any()
