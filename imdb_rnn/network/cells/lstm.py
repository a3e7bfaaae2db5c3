"""Long short-term memory (Hochreiter and Schmidhuber, 1997), as `keras.layers.LSTM` has it: gates i, f, c, o."""

import numpy as np

from imdb_rnn.network.activations import Array, compiled, sigmoid, tanh
from imdb_rnn.network.cells.cell import Cell


@compiled
def step(table: Array, words: Array, bias: Array, gates: Array, h: Array, c: Array, aside: Array) -> None:
    """`aside` is the cell state before the step."""
    units = h.shape[1]
    for r in range(len(words)):
        word = table[words[r]]
        for j in range(2 * units):
            gates[r, j] = sigmoid(gates[r, j] + word[j])
        for j in range(2 * units, 3 * units):
            gates[r, j] = tanh(gates[r, j] + word[j])
        for j in range(3 * units, 4 * units):
            gates[r, j] = sigmoid(gates[r, j] + word[j])
        for j in range(units):
            aside[r, j] = c[r, j]
            c[r, j] = gates[r, units + j] * c[r, j] + gates[r, j] * gates[r, 2 * units + j]
            h[r, j] = gates[r, 3 * units + j] * tanh(c[r, j])


@compiled
def step_back(gates: Array, before: Array, aside: Array, dh: Array, dc: Array, dproduct: Array, dword: Array) -> None:
    units = dh.shape[1]
    one = np.float32(1)
    for r in range(len(gates)):  # many short loops, because each is SIMD code and one long one is not
        a, cell, dhr, dcr, d = gates[r], aside[r], dh[r], dc[r], dproduct[r]
        for j in range(units):
            d[j] = tanh(a[units + j] * cell[j] + a[j] * a[2 * units + j])
        for j in range(units):
            dcr[j] += dhr[j] * a[3 * units + j] * (one - d[j] * d[j])
        for j in range(units):
            d[3 * units + j] = dhr[j] * d[j] * a[3 * units + j] * (one - a[3 * units + j])
        for j in range(units):
            d[j] = dcr[j] * a[2 * units + j] * a[j] * (one - a[j])
        for j in range(units):
            d[units + j] = dcr[j] * cell[j] * a[units + j] * (one - a[units + j])
        for j in range(units):
            d[2 * units + j] = dcr[j] * a[j] * (one - a[2 * units + j] * a[2 * units + j])
        for j in range(units):
            dcr[j] *= a[units + j]


PAGE = """
function step(input, product, h, c) {
  for (let j = 0; j < units; j++) {
    const i = sigmoid(input[j] + product[j]);
    const f = sigmoid(input[units + j] + product[units + j]);
    const candidate = Math.tanh(input[2 * units + j] + product[2 * units + j]);
    const o = sigmoid(input[3 * units + j] + product[3 * units + j]);
    c[j] = f * c[j] + i * candidate;
    h[j] = o * Math.tanh(c[j]);
  }
}
"""

LSTM = Cell("LSTM", step, step_back, gates=4, page=PAGE)
