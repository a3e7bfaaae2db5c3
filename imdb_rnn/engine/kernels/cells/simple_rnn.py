"""The simple recurrent network (Elman, Finding Structure in Time, 1990), as `keras.layers.SimpleRNN` has it."""

import numpy as np

from imdb_rnn.engine.kernels.arithmetic import Pointer, fma, tanh
from imdb_rnn.engine.kernels.cells.cell import Cell
from imdb_rnn.engine.kernels.compiled import inner


@inner
def step(blocks: Pointer, h0: Pointer, h1: Pointer, c0: Pointer, c1: Pointer, n: int, size: int) -> None:
    for i in range(n):
        h1[i] = tanh(blocks[i])


@inner
def step_back(
    blocks: Pointer,
    h0: Pointer,
    h1: Pointer,
    c0: Pointer,
    c1: Pointer,
    dh: Pointer,
    dc: Pointer,
    spare: Pointer,
    n: int,
    size: int,
) -> None:
    for i in range(n):
        blocks[i] = dh[i] * fma(-h1[i], h1[i], np.float32(1))
    for i in range(n):
        dh[i] = np.float32(0)


PAGE = """
function step(input, product, h) {
  for (let j = 0; j < units; j++) h[j] = Math.tanh(input[j] + product[j]);
}
"""

SIMPLE_RNN = Cell("SimpleRNN", step, step_back, gates=1, onnx="RNN", onnx_gates=(0,), page=PAGE)
