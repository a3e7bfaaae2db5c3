"""The simple recurrent network (Elman, Finding Structure in Time, 1990), as `keras.layers.SimpleRNN` has it."""

import numpy as np

from imdb_rnn.network.activations import Array, compiled, tanh
from imdb_rnn.network.cells.cell import Cell


@compiled
def step(table: Array, words: Array, bias: Array, gates: Array, h: Array, c: Array, aside: Array) -> None:
    for r in range(len(words)):
        word = table[words[r]]
        for j in range(h.shape[1]):
            h[r, j] = gates[r, j] = tanh(gates[r, j] + word[j])


@compiled
def step_back(gates: Array, before: Array, aside: Array, dh: Array, dc: Array, dproduct: Array, dword: Array) -> None:
    for r in range(len(gates)):
        for j in range(dh.shape[1]):
            dproduct[r, j] = dh[r, j] * (np.float32(1) - gates[r, j] * gates[r, j])


PAGE = """
function step(input, product, h) {
  for (let j = 0; j < units; j++) h[j] = Math.tanh(input[j] + product[j]);
}
"""

SIMPLE_RNN = Cell("SimpleRNN", step, step_back, gates=1, page=PAGE)
