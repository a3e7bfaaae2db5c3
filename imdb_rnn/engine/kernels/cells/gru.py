"""The gated recurrent unit (Cho et al., 2014), as `keras.layers.GRU(reset_after=True)` has it: gates z, r, h."""

import numpy as np

from imdb_rnn.engine.kernels.arithmetic import Pointer, at, fma, sigmoid, tanh
from imdb_rnn.engine.kernels.cells.cell import Cell
from imdb_rnn.engine.kernels.compiled import inner


@inner
def step(blocks: Pointer, h0: Pointer, h1: Pointer, c0: Pointer, c1: Pointer, n: int, size: int) -> None:
    """The candidate's input becomes the candidate; its product stays."""
    z, r, product, candidate = blocks, at(blocks, size), at(blocks, 2 * size), at(blocks, 3 * size)
    for j in range(n):
        z[j] = sigmoid(z[j])
    for j in range(n):
        r[j] = sigmoid(r[j])
    for j in range(n):
        candidate[j] = tanh(fma(r[j], product[j], candidate[j]))
    for j in range(n):
        h1[j] = fma(z[j], h0[j] - candidate[j], candidate[j])


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
    z, r, product, candidate = blocks, at(blocks, size), at(blocks, 2 * size), at(blocks, 3 * size)
    for j in range(n):
        spare[j] = dh[j] * (h0[j] - candidate[j])
    for j in range(n):
        candidate[j] = dh[j] * (one - z[j]) * fma(-candidate[j], candidate[j], one)
    for j in range(n):
        dh[j] = dh[j] * z[j]
    for j in range(n):
        z[j] = spare[j] * (z[j] * (one - z[j]))
    for j in range(n):
        spare[j] = candidate[j] * r[j]
    for j in range(n):
        r[j] = candidate[j] * product[j] * (r[j] * (one - r[j]))
    for j in range(n):
        product[j] = spare[j]


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

GRU = Cell(
    "GRU",
    step,
    step_back,
    gates=3,
    apart=1,
    onnx="GRU",
    onnx_gates=(0, 1, 2),
    onnx_options={"linear_before_reset": 1},  # what Keras calls reset_after
    page=PAGE,
)
