"""The cells that `model.cell` can name. A new cell is a module here, like its neighbours, and an entry in `CELLS`.

A cell is a NamedTuple of constants with two functions for one step of several reviews at once, see `network.Step`:

    num_gates: columns of the kernels, in units
    num_reset_after_gates: how many gates, the last ones, keep h_prev U + b[1] separate from x_t W + b[0], as in
        `keras.layers.GRU(reset_after=True)`; the bias is then (2, gates * units)
    num_saved_blocks: further blocks that the backward pass needs
    has_cell_state: 1 if there is a cell state c, 0 if not; then c_prev, c and dc must not be touched
    forget_gates: the gates whose bias is initialized to 1

`step` gets x_t W + h_prev U + b in the blocks of the gates (of the reset-after gates h_prev U + b[1], and x_t W + b[0]
in the blocks of their inputs). It writes h and c, and may change the blocks; `step_backward` gets them as it left them.

`step_backward` gets dh and dc. It replaces the blocks of gates and inputs by the gradients with respect to what `step`
got in them, dc by the gradient with respect to c_prev, and dh by the part of the gradient with respect to h_prev that
does not flow through h_prev U, which the caller adds. Where dh and dc are 0, all results must be 0.

Many short loops over few arrays, instead of one loop over many, let LLVM vectorize them.
"""

from collections.abc import Callable
from typing import Any

from numba.extending import overload

from imdb_rnn.engine.kernels.cells.gru import GRU
from imdb_rnn.engine.kernels.cells.lstm import LSTM
from imdb_rnn.engine.kernels.cells.simple_rnn import SimpleRNN
from imdb_rnn.engine.kernels.compiled import INNER_OPTIONS
from imdb_rnn.engine.kernels.network import Step

CELLS: dict[str, SimpleRNN | LSTM | GRU] = {"simple_rnn": SimpleRNN(), "lstm": LSTM(), "gru": GRU()}


def step(cell: Any, s: Step) -> None:
    """The step of a cell. Numba chooses it by the type of `cell` when it compiles the caller."""
    cell.step(cell, s)


def step_backward(cell: Any, s: Step) -> None:
    """The backward pass of `step`."""
    cell.step_backward(cell, s)


@overload(step, jit_options=INNER_OPTIONS)
def _step_of(cell: Any, s: Step) -> Callable[..., None]:
    return cell.instance_class.step


@overload(step_backward, jit_options=INNER_OPTIONS)
def _step_backward_of(cell: Any, s: Step) -> Callable[..., None]:
    return cell.instance_class.step_backward
