"""The simple recurrent network (Elman, Finding Structure in Time, 1990), as `keras.layers.SimpleRNN` computes it."""

from typing import Any, NamedTuple

import numpy as np

from imdb_rnn.engine.kernels.arithmetic import fma, tanh
from imdb_rnn.engine.kernels.network import Step


class SimpleRNN(NamedTuple):
    """h_t = tanh(a) with a = x_t W + h_prev U + b. See `cells` for the fields and functions."""

    num_gates: int = 1
    num_reset_after_gates: int = 0
    num_saved_blocks: int = 0
    has_cell_state: int = 0
    forget_gates: tuple[int, ...] = ()

    @staticmethod
    def step(cell: Any, s: Step) -> None:
        for j in range(s.n):
            s.h[j] = tanh(s.blocks[j])

    @staticmethod
    def step_backward(cell: Any, s: Step) -> None:
        for j in range(s.n):  # da = dh (1 - h_t^2)
            s.blocks[j] = s.dh[j] * fma(-s.h[j], s.h[j], np.float32(1))
        for j in range(s.n):  # h_prev acts through h_prev U alone
            s.dh[j] = np.float32(0)
