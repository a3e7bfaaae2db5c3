"""Long short-term memory (Hochreiter and Schmidhuber, 1997), as `keras.layers.LSTM` computes it."""

from typing import Any, NamedTuple

import numpy as np

from imdb_rnn.engine.kernels.arithmetic import fma, ptr, sigmoid, tanh
from imdb_rnn.engine.kernels.network import Step


class LSTM(NamedTuple):
    """Input gate i, forget gate f, candidate g, output gate o, of a = x_t W + h_prev U + b, which has four parts:

        i = sigmoid(a_i), f = sigmoid(a_f), g = tanh(a_g), o = sigmoid(a_o)
        c_t = f * c_prev + i * g
        h_t = o * tanh(c_t)

    The saved block is tanh(c_t). See `cells` for the fields and functions.
    """

    num_gates: int = 4
    num_reset_after_gates: int = 0
    num_saved_blocks: int = 1
    has_cell_state: int = 1
    forget_gates: tuple[int, ...] = (1,)

    @staticmethod
    def step(cell: Any, s: Step) -> None:
        i, f, g, o = s.blocks, ptr(s.blocks, s.size), ptr(s.blocks, 2 * s.size), ptr(s.blocks, 3 * s.size)
        tanh_c = ptr(s.blocks, 4 * s.size)
        for j in range(s.n):
            i[j] = sigmoid(i[j])
        for j in range(s.n):
            f[j] = sigmoid(f[j])
        for j in range(s.n):
            g[j] = tanh(g[j])
        for j in range(s.n):
            o[j] = sigmoid(o[j])
        for j in range(s.n):  # c_t = f * c_prev + i * g
            s.c[j] = fma(f[j], s.c_prev[j], i[j] * g[j])
        for j in range(s.n):
            tanh_c[j] = tanh(s.c[j])
        for j in range(s.n):  # h_t = o * tanh(c_t)
            s.h[j] = o[j] * tanh_c[j]

    @staticmethod
    def step_backward(cell: Any, s: Step) -> None:
        one = np.float32(1)
        i, f, g, o = s.blocks, ptr(s.blocks, s.size), ptr(s.blocks, 2 * s.size), ptr(s.blocks, 3 * s.size)
        tanh_c = ptr(s.blocks, 4 * s.size)
        for j in range(s.n):  # dc += dh * o * (1 - tanh(c_t)^2)
            s.dc[j] = fma(s.dh[j] * o[j], fma(-tanh_c[j], tanh_c[j], one), s.dc[j])
        for j in range(s.n):  # da_o = dh * tanh(c_t) * o (1 - o)
            o[j] = s.dh[j] * tanh_c[j] * (o[j] * (one - o[j]))
        for j in range(s.n):  # di = dc * g
            s.spare[j] = s.dc[j] * g[j]
        for j in range(s.n):  # da_g = dc * i * (1 - g^2)
            g[j] = s.dc[j] * i[j] * fma(-g[j], g[j], one)
        for j in range(s.n):  # da_i = di * i (1 - i)
            i[j] = s.spare[j] * (i[j] * (one - i[j]))
        for j in range(s.n):  # dc_prev = dc * f
            s.spare[j] = s.dc[j] * f[j]
        for j in range(s.n):  # da_f = dc * c_prev * f (1 - f)
            f[j] = s.dc[j] * s.c_prev[j] * (f[j] * (one - f[j]))
        for j in range(s.n):  # h_prev acts through h_prev U alone
            s.dc[j] = s.spare[j]
            s.dh[j] = np.float32(0)
