"""The gated recurrent unit (Cho et al., 2014), as `keras.layers.GRU(reset_after=True)` has it: gates z, r, h."""

import numpy as np

from imdb_rnn.network.activations import Array, compiled, sigmoid, tanh
from imdb_rnn.network.cells.cell import Cell


@compiled
def step(table: Array, words: Array, bias: Array, gates: Array, h: Array, c: Array, aside: Array) -> None:
    """`aside` is the recurrent part of the candidate, before the reset gate."""
    units = h.shape[1]
    for r in range(len(words)):  # short loops, because each is SIMD code and one long one is not
        word, a, candidate, state = table[words[r]], gates[r], aside[r], h[r]
        for j in range(2 * units):
            a[j] = sigmoid(a[j] + bias[j] + word[j])
        for j in range(units):
            candidate[j] = a[2 * units + j] + bias[2 * units + j]
        for j in range(units):
            a[2 * units + j] = tanh(word[2 * units + j] + a[units + j] * candidate[j])
        for j in range(units):
            state[j] = a[j] * state[j] + (np.float32(1) - a[j]) * a[2 * units + j]


@compiled
def step_back(gates: Array, before: Array, aside: Array, dh: Array, dc: Array, dproduct: Array, dword: Array) -> None:
    units = dh.shape[1]
    one = np.float32(1)
    for r in range(len(gates)):
        for j in range(units):
            z, reset, new = gates[r, j], gates[r, units + j], gates[r, 2 * units + j]
            d = dh[r, j] + dc[r, j]
            dnew = d * (one - z) * (one - new * new)
            dword[r, j] = d * (before[r, j] - new) * z * (one - z)
            dword[r, units + j] = dnew * aside[r, j] * reset * (one - reset)
            dword[r, 2 * units + j] = dnew
            dproduct[r, j] = dword[r, j]
            dproduct[r, units + j] = dword[r, units + j]
            dproduct[r, 2 * units + j] = dnew * reset
            dc[r, j] = d * z


PAGE = """
function step(input, product, h) {
  for (let j = 0; j < units; j++) {
    const z = sigmoid(input[j] + product[j]);
    const reset = sigmoid(input[units + j] + product[units + j]);
    const candidate = Math.tanh(input[2 * units + j] + reset * product[2 * units + j]);
    h[j] = z * h[j] + (1 - z) * candidate;
  }
}
"""

GRU = Cell("GRU", step, step_back, gates=3, recurrent_bias=True, page=PAGE)
