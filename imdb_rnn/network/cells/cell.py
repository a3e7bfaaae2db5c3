"""What a recurrent cell is: two functions of one step, and the loop over the steps, which is the same for all cells."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from imdb_rnn.network.activations import Array, compiled


@dataclass(frozen=True)
class Cell:
    """A recurrent cell.

    layer: name of the class in `keras.layers` that computes the same; its weights must be kernel, recurrent kernel and
        bias, in this order
    step, step_back: one step over the n reviews that have a word at it, compiled by `compiled`; see below
    gates: columns of the kernels, in units
    recurrent_bias: the product with the recurrent kernel has a bias of its own, so that Keras' bias is (2, columns),
        the input's first, and `dword` differs from `dproduct`
    layer_options: further arguments of the Keras layer
    page: the step in JavaScript, for the page: `function step(input, product, h, c)`, where `units` and `sigmoid` are
        known, `input` is the word's part, `product` that of the recurrent kernel, and h (and c) change in place; empty
        if the page cannot compute it

    `step(table, words, bias, gates, h, c, aside)`: `gates` comes as the product of state and recurrent kernel, and
    leaves as the activated gates; `words` are the rows of `table` to add; `h` (and `c`, where a cell has a second
    state) change in place; `aside` keeps what else the way back needs.

    `step_back(gates, before, aside, dh, dc, dproduct, dword)`: `dh` comes as the gradient with respect to the state
    after the step; `dproduct` leaves as the gradient with respect to the product, of which the loop makes the next
    `dh`, and `dword` as that with respect to the table's row, the same array but for a cell with recurrent bias. What
    goes back past the product stays in `dc`, zero at first.
    """

    layer: str
    step: Callable[..., None]
    step_back: Callable[..., None]
    gates: int
    recurrent_bias: bool = False
    layer_options: Mapping[str, Any] = field(default_factory=dict)
    page: str = ""

    @cached_property
    def forward(self) -> Callable[..., None]:
        """All steps of a part of a batch, forwards."""
        step = self.step

        # Rows are copied and added number by number: whole arrays would take the compiler seconds.
        @compiled
        def forward(
            table: Array,
            words: Array,
            recurrent: Array,
            bias: Array,
            sizes: Array,
            h: Array,
            c: Array,
            before: Array,
            gates: Array,
            aside: Array,
            keep: bool,
        ) -> None:
            here = there = 0
            for t in range(len(sizes)):
                n = sizes[t]
                a = gates[there : there + n]
                np.dot(h[:n], recurrent, a)
                for r in range(n):
                    for j in range(h.shape[1]):
                        before[here + r, j] = h[r, j]
                step(table, words[here : here + n], bias, a, h, c, aside[there : there + n])
                here += n
                if keep:
                    there += n

        return forward

    @cached_property
    def backward(self) -> Callable[..., None]:
        """All steps of a part of a batch, backwards."""
        step_back = self.step_back

        @compiled
        def backward(
            recurrent_t: Array,
            sizes: Array,
            before: Array,
            gates: Array,
            aside: Array,
            dstates: Array,
            dh: Array,
            dc: Array,
            dproduct: Array,
            dword: Array,
        ) -> None:
            here = len(gates)
            for t in range(len(sizes) - 1, -1, -1):
                n = sizes[t]
                here -= n
                if len(dstates) > 0:
                    for r in range(n):
                        for j in range(dh.shape[1]):
                            dh[r, j] += dstates[here + r, j]
                rows = slice(here, here + n)
                step_back(gates[rows], before[rows], aside[rows], dh, dc, dproduct[rows], dword[rows])
                np.dot(dproduct[rows], recurrent_t, dh[:n])

        return backward
