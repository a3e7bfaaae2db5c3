"""What a recurrent cell is: two functions of one step, which the loop over the steps, the same for all cells, calls."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Cell:
    """A recurrent cell.

    layer: name of the class in `keras.layers` that computes the same; its weights must be kernel, recurrent kernel and
        bias, in this order
    step, step_back: one step of some reviews, compiled by `compiled`; see below
    gates: columns of the kernels, in units
    apart: how many of the gates, the last ones, get the product of the recurrent kernel apart from the input; Keras'
        bias is then (2, columns), the input's first
    kept: further blocks that the way back needs
    has_c: whether there is a second state
    ones: the gates whose bias begins at 1
    layer_options: further arguments of the Keras layer
    onnx: the operator of ONNX that computes the same; empty if there is none, and the network cannot be exported
    onnx_gates: for each gate of that operator, in its order, which of the gates here it is
    onnx_options: further attributes of the operator
    page: the step in JavaScript, for the page: `function step(input, product, h, c)`, where `units` and `sigmoid` are
        known, `input` is the word's part, `product` that of the recurrent kernel, and h (and c) change in place; empty
        if the page cannot compute it

    A step works on blocks of `size` numbers, of which the first n count: so many units of so many reviews. One behind
    the other stand in `blocks` those of the gates, then the inputs of the gates that have them apart, then `kept` ones.
    All come as places of float32, see `arithmetic.at`; h0 and c0 are the states before the step, h1 and c1 those after
    it; c0, c1 and dc are not to be touched without a second state.

    `step(blocks, h0, h1, c0, c1, n, size)`: the gates come as the sum of bias, input and product of the state and the
    recurrent kernel, without the input where it is apart; h1 and c1 are written. What stays in `blocks`, states and
    second states is what the way back finds.

    `step_back(blocks, h0, h1, c0, c1, dh, dc, spare, n, size)`: dh and dc come as the gradient with respect to h1 and
    c1. They leave as those with respect to c0, and to h0 as far as it does not go through the product, for that part
    is added by the loop; the gates' blocks leave as the gradient with respect to the products, and the inputs' as that
    with respect to the inputs. `spare` is a block for any use. Where dh and dc are 0, all that leaves must be 0.

    An LLVM vector needs loops with few arrays, or parts of one, hence many short loops instead of a long one.
    """

    layer: str
    step: Callable[..., None]
    step_back: Callable[..., None]
    gates: int
    apart: int = 0
    kept: int = 0
    has_c: bool = False
    ones: tuple[int, ...] = ()
    layer_options: Mapping[str, Any] = field(default_factory=dict)
    onnx: str = ""
    onnx_gates: tuple[int, ...] = ()
    onnx_options: Mapping[str, Any] = field(default_factory=dict)
    page: str = ""

    @property
    def recurrent_bias(self) -> bool:
        """Whether the product with the recurrent kernel has a bias of its own."""
        return self.apart > 0
