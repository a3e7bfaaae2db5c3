"""Long short-term memory (Hochreiter and Schmidhuber, 1997), as `keras.layers.LSTM` has it: gates i, f, c, o."""

import numpy as np

from imdb_rnn.engine.kernels.arithmetic import Pointer, at, fma, sigmoid, tanh
from imdb_rnn.engine.kernels.cells.cell import Cell
from imdb_rnn.engine.kernels.compiled import inner


@inner
def step(blocks: Pointer, h0: Pointer, h1: Pointer, c0: Pointer, c1: Pointer, n: int, size: int) -> None:
    """The block that is kept is tanh of the new cell state."""
    i, f, g, o, tanh_c = blocks, at(blocks, size), at(blocks, 2 * size), at(blocks, 3 * size), at(blocks, 4 * size)
    for j in range(n):
        i[j] = sigmoid(i[j])
    for j in range(n):
        f[j] = sigmoid(f[j])
    for j in range(n):
        g[j] = tanh(g[j])
    for j in range(n):
        o[j] = sigmoid(o[j])
    for j in range(n):
        c1[j] = fma(f[j], c0[j], i[j] * g[j])
    for j in range(n):
        tanh_c[j] = tanh(c1[j])
    for j in range(n):
        h1[j] = o[j] * tanh_c[j]


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
    one = np.float32(1)
    i, f, g, o, tanh_c = blocks, at(blocks, size), at(blocks, 2 * size), at(blocks, 3 * size), at(blocks, 4 * size)
    for j in range(n):
        dc[j] = fma(dh[j] * o[j], fma(-tanh_c[j], tanh_c[j], one), dc[j])
    for j in range(n):
        o[j] = dh[j] * tanh_c[j] * (o[j] * (one - o[j]))
    for j in range(n):
        spare[j] = dc[j] * g[j]
    for j in range(n):
        g[j] = dc[j] * i[j] * fma(-g[j], g[j], one)
    for j in range(n):
        i[j] = spare[j] * (i[j] * (one - i[j]))
    for j in range(n):
        spare[j] = dc[j] * f[j]
    for j in range(n):
        f[j] = dc[j] * c0[j] * (f[j] * (one - f[j]))
    for j in range(n):
        dc[j] = spare[j]
        dh[j] = np.float32(0)


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

LSTM = Cell(
    "LSTM",
    step,
    step_back,
    gates=4,
    kept=1,
    has_c=True,
    ones=(1,),
    onnx="LSTM",
    onnx_gates=(0, 3, 1, 2),  # i, o, f, c
    page=PAGE,
)
