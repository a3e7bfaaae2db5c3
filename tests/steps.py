"""One step of a cell, compared with the reference."""

from collections.abc import Callable

import numpy as np

from imdb_rnn.engine import reference
from imdb_rnn.engine.kernels.arithmetic import at
from imdb_rnn.engine.kernels.cells.cell import Cell
from imdb_rnn.engine.kernels.compiled import compiled
from imdb_rnn.engine.weights import DirectionWeights

COUNT, SIZE = 12, 16  # numbers of a block that count, and all of them
ASIDE = np.float32(7)  # stands where a step has nothing to do


def both_ways(cell: Cell) -> tuple[Callable[..., None], Callable[..., None]]:
    """The two functions of a cell for arrays; h and c are (2, SIZE), before and after the step."""
    step, step_back = cell.step, cell.step_back

    @compiled
    def forwards(blocks, h, c, n, size):
        step(at(blocks, 0), at(h, 0), at(h, size), at(c, 0), at(c, size), n, size)

    @compiled
    def backwards(blocks, h, c, dh, dc, spare, n, size):
        h0, h1, c0, c1 = at(h, 0), at(h, size), at(c, 0), at(c, size)
        step_back(at(blocks, 0), h0, h1, c0, c1, at(dh, 0), at(dc, 0), at(spare, 0), n, size)

    return forwards, backwards


def filled(*rows: np.ndarray | float) -> np.ndarray:
    """Blocks of `SIZE` numbers, float32, the first `COUNT` of each as given."""
    blocks = np.full((len(rows), SIZE), ASIDE)
    for block, row in zip(blocks, rows, strict=True):
        block[:COUNT] = row
    return blocks


def blocks_of(cell: Cell, word: np.ndarray, product: np.ndarray) -> np.ndarray:
    """The blocks as a step gets them, from inputs and products, both (gates, COUNT)."""
    together = cell.gates - cell.apart
    gates = *(word + product)[:together], *product[together:]
    return filled(*gates, *word[together:], *[0] * cell.kept)


def assert_step_is(cell: Cell, name: str) -> None:
    """Compare `step` and `step_back` with the reference's cell of this name, and check what `Cell` promises of them."""
    random = np.random.default_rng(1)
    forwards, backwards = both_ways(cell)
    inputs = slice(cell.gates, cell.gates + cell.apart)
    word, product = random.normal(size=(2, cell.gates, COUNT))
    h0, c0, dh, dc = random.normal(size=(4, COUNT))
    if not cell.has_c:  # a second state that nobody may touch, and that no formula has
        c0[:], dc[:] = ASIDE, 0

    blocks, h, c = blocks_of(cell, word, product), filled(h0, ASIDE), filled(c0, ASIDE)
    forwards(blocks, h, c, COUNT, SIZE)
    step, step_back = reference.CELLS[name]
    columns = cell.gates * COUNT  # the input as it is, and the bias in place of the product
    bias = np.stack([0 * product.ravel(), product.ravel()]) if cell.apart else product.ravel()
    weights = DirectionWeights(np.eye(columns), np.zeros((COUNT, columns)), bias)
    (expected_h, expected_c), cache = step(word.ravel(), (h0, c0), weights)
    np.testing.assert_allclose(h, filled(h0, expected_h), atol=2e-6)
    np.testing.assert_allclose(c, filled(c0, expected_c), atol=2e-6)
    after = blocks.copy()

    dh_here, dc_here = filled(dh), filled(dc if cell.has_c else ASIDE)
    backwards(blocks, h, c, dh_here, dc_here, filled(0), COUNT, SIZE)
    dword, dproduct, dh0, dc0 = step_back(dh, dc, cache)
    dword, dproduct = dword.reshape(word.shape), dproduct.reshape(word.shape)
    np.testing.assert_allclose(blocks[: cell.gates], filled(*dproduct), atol=5e-6)
    np.testing.assert_allclose(blocks[inputs], filled(*dword[cell.gates - cell.apart :]), atol=5e-6)
    np.testing.assert_allclose(dh_here, filled(dh0), atol=5e-6)
    np.testing.assert_allclose(dc_here, filled(dc0 if cell.has_c else ASIDE), atol=5e-6)
    assert (blocks[:, COUNT:] == ASIDE).all()

    dh_here, dc_here = filled(0), filled(0 if cell.has_c else ASIDE)
    backwards(after, h, c, dh_here, dc_here, filled(0), COUNT, SIZE)
    assert not after[: inputs.stop, :COUNT].any(), "no gradient comes, and some leaves"
    assert not dh_here[:, :COUNT].any()
    assert (dc_here[:, :COUNT] == (0 if cell.has_c else ASIDE)).all()

    nothing = np.zeros((cell.gates, COUNT))
    h, c = filled(0, ASIDE), filled(0 if cell.has_c else ASIDE, ASIDE)
    forwards(blocks_of(cell, nothing, nothing), h, c, COUNT, SIZE)
    assert not h[:, :COUNT].any(), "a unit whose weights are 0 has a state, and its weights would get gradients"
    assert not cell.has_c or not c[:, :COUNT].any()
