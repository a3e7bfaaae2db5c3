"""The gated recurrent unit (Cho et al., 2014), as `keras.layers.GRU(reset_after=True)` computes it."""

from typing import Any, NamedTuple

import numpy as np

from imdb_rnn.engine.kernels.arithmetic import fma, ptr, sigmoid, tanh
from imdb_rnn.engine.kernels.network import Step


class GRU(NamedTuple):
    """Update gate z, reset gate r, candidate g, of x = x_t W + b[0] and p = h_prev U + b[1], which have three parts:

        z = sigmoid(x_z + p_z), r = sigmoid(x_r + p_r)
        g = tanh(x_g + r * p_g)
        h_t = z * h_prev + (1 - z) * g

    See `cells` for the fields and functions.
    """

    num_gates: int = 3
    num_reset_after_gates: int = 1
    num_saved_blocks: int = 0
    has_cell_state: int = 0
    forget_gates: tuple[int, ...] = ()

    @staticmethod
    def step(cell: Any, s: Step) -> None:
        z, r, p_g, g = s.blocks, ptr(s.blocks, s.size), ptr(s.blocks, 2 * s.size), ptr(s.blocks, 3 * s.size)
        for j in range(s.n):
            z[j] = sigmoid(z[j])
        for j in range(s.n):
            r[j] = sigmoid(r[j])
        for j in range(s.n):  # g = tanh(x_g + r * p_g), in place of x_g
            g[j] = tanh(fma(r[j], p_g[j], g[j]))
        for j in range(s.n):  # h_t = z * (h_prev - g) + g
            s.h[j] = fma(z[j], s.h_prev[j] - g[j], g[j])

    @staticmethod
    def step_backward(cell: Any, s: Step) -> None:
        one = np.float32(1)
        z, r, p_g, g = s.blocks, ptr(s.blocks, s.size), ptr(s.blocks, 2 * s.size), ptr(s.blocks, 3 * s.size)
        for j in range(s.n):  # dz = dh * (h_prev - g)
            s.spare[j] = s.dh[j] * (s.h_prev[j] - g[j])
        for j in range(s.n):  # dx_g = dh * (1 - z) * (1 - g^2)
            g[j] = s.dh[j] * (one - z[j]) * fma(-g[j], g[j], one)
        for j in range(s.n):  # dh_prev = dh * z, without the part through p
            s.dh[j] = s.dh[j] * z[j]
        for j in range(s.n):  # dx_z = dp_z = dz * z (1 - z)
            z[j] = s.spare[j] * (z[j] * (one - z[j]))
        for j in range(s.n):  # dp_g = dx_g * r
            s.spare[j] = g[j] * r[j]
        for j in range(s.n):  # dx_r = dp_r = dx_g * p_g * r (1 - r)
            r[j] = g[j] * p_g[j] * (r[j] * (one - r[j]))
        for j in range(s.n):
            p_g[j] = s.spare[j]
