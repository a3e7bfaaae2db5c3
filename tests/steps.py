"""One step of a cell, held to its textbook formulas and to their derivatives."""

from collections.abc import Callable

import numpy as np

from imdb_rnn.network.cells.cell import Cell

REVIEWS, UNITS = 3, 4

# From word, product and carried state, float64, to the new state and the new carried one. Carried is what reaches the
# next step without the recurrent kernel: an LSTM's cell state, a GRU's state.
Textbook = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def assert_step_is(cell: Cell, textbook: Textbook, *, carries: str | None) -> None:
    """Hold `step` to the formulas, and `step_back` to their derivatives, taken by small differences.

    Args:
        carries: `h` or `c`, the state that is carried; None: neither.
    """
    random = np.random.default_rng(1)
    columns = cell.gates * UNITS
    table, bias = random.normal(size=(6, columns)), random.normal(size=columns)
    words, product = np.array([2, 0, 5]), random.normal(size=(REVIEWS, columns))
    carried = random.normal(size=(REVIEWS, UNITS))

    h, c, aside = np.zeros((3, REVIEWS, UNITS), np.float32)
    (h if carries == "h" else c)[:] = carried
    gates, before = product.astype(np.float32), h.copy()
    cell.step(table.astype(np.float32), words, bias.astype(np.float32), gates, h, c, aside)
    with_bias = product + bias if cell.recurrent_bias else product
    expected, expected_carried = textbook(table[words], with_bias, carried)
    np.testing.assert_allclose(h, expected, atol=2e-6)
    if carries == "c":
        np.testing.assert_allclose(c, expected_carried, atol=2e-6)

    dh, dc = random.normal(size=(2, REVIEWS, UNITS)).astype(np.float32)
    dc *= carries is not None
    inputs = [table[words], with_bias, carried]

    def loss() -> float:
        state, new_carried = textbook(*inputs)
        return float((dh * state).sum() + (dc * new_carried).sum())

    derivatives = []
    for array in inputs:
        derivative = np.empty_like(array)
        for place in np.ndindex(array.shape):
            here, values = array[place], []
            for side in (-1e-6, 1e-6):
                array[place] = here + side
                values.append(loss())
            array[place] = here
            derivative[place] = (values[1] - values[0]) / 2e-6
        derivatives.append(derivative)

    dproduct = np.empty((REVIEWS, columns), np.float32)
    dword = np.empty_like(dproduct) if cell.recurrent_bias else dproduct
    dcarried = dc.copy()
    cell.step_back(gates, before, aside, dh, dcarried, dproduct, dword)
    for gradient, derivative in zip((dword, dproduct, dcarried), derivatives, strict=True):
        np.testing.assert_allclose(gradient, derivative, atol=5e-6)
