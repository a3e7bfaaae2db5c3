"""What compiled functions know of a network: its dimensions, its weights by name, and where its activations are."""

from typing import NamedTuple

from imdb_rnn.engine.kernels.arithmetic import Array, Pointer, ptr
from imdb_rnn.engine.kernels.compiled import compiled, inner

TILE = 16  # reviews that are read together, a multiple of `arithmetic.ROWS`


class Dims(NamedTuple):
    """The dimensions of a network.

    embedding_dim, units: rounded up to whole vectors, see `weights`
    true_units: units as the parameters say
    num_gates, num_reset_after_gates, has_cell_state: see `cells`
    num_blocks: of a step, see `cells`
    num_logits: 1 for two classes, otherwise one for each class
    last, max, mean: positions of the poolings among the `num_poolings`; -1 for a pooling that is not used
    """

    embedding_dim: int
    units: int
    true_units: int
    num_gates: int
    num_reset_after_gates: int
    has_cell_state: int
    num_blocks: int
    num_directions: int
    num_layers: int
    num_poolings: int
    num_logits: int
    last: int
    max: int
    mean: int


class Offsets(NamedTuple):
    """Where the arrays begin in the weights of the recurrent network, which are all but embeddings and n-grams.

    kernel, recurrent_kernel, bias: int64 (layers, directions), flat
    """

    kernel: Array
    recurrent_kernel: Array
    bias: Array
    head_kernel: int
    head_bias: int


class Rnn(NamedTuple):
    """A recurrent network, without its cell, so that functions that do not call it are compiled once for all cells.

    weights: float32, flat, as `offsets` says
    transposed: the same with each kernel and recurrent kernel transposed, for the backward pass
    """

    dims: Dims
    offsets: Offsets
    weights: Array
    transposed: Array


class Direction(NamedTuple):
    """The weights, or their gradients, of a direction of a layer; see `weights.DirectionWeights`."""

    kernel: Pointer
    recurrent_kernel: Pointer
    bias: Pointer


class Activations(NamedTuple):
    """What one direction of a layer computes for a tile, and keeps for the backward pass.

    h, c: (steps + 1, TILE, units), hidden states and cell states, the first before step 0; a cell may have no c
    blocks: (steps, num_blocks, TILE, units), see `cells`
    """

    h: Pointer
    c: Pointer
    blocks: Pointer


class Step(NamedTuple):
    """Float32 arrays for several reviews at once: one number for each unit of each review.

    blocks: arrays of `size` numbers, concatenated, of which the first n are used: one for each gate, then one for the
        input of each reset-after gate, then the saved blocks
    h_prev, h, c_prev, c: hidden states and cell states before and after the step
    dh, dc: gradients with respect to h and c; only in the backward pass
    spare: an array for intermediate results of the backward pass
    """

    blocks: Pointer
    h_prev: Pointer
    h: Pointer
    c_prev: Pointer
    c: Pointer
    dh: Pointer
    dc: Pointer
    spare: Pointer
    n: int
    size: int


@inner
def as_pointers(rnn: Rnn) -> Rnn:
    """The same with pointers in place of arrays, whose references Numba would count wherever they are passed on."""
    kernel, recurrent_kernel = ptr(rnn.offsets.kernel, 0), ptr(rnn.offsets.recurrent_kernel, 0)
    bias, head_kernel, head_bias = ptr(rnn.offsets.bias, 0), rnn.offsets.head_kernel, rnn.offsets.head_bias
    offsets = Offsets(kernel, recurrent_kernel, bias, head_kernel, head_bias)
    return Rnn(rnn.dims, offsets, ptr(rnn.weights, 0), ptr(rnn.transposed, 0))


@inner
def direction_of(rnn: Rnn, weights: Pointer, layer: int, direction: int) -> Direction:
    """The arrays of a direction of a layer in the weights, the transposed weights or gradients."""
    number = layer * rnn.dims.num_directions + direction
    return Direction(
        ptr(weights, rnn.offsets.kernel[number]),
        ptr(weights, rnn.offsets.recurrent_kernel[number]),
        ptr(weights, rnn.offsets.bias[number]),
    )


@compiled
def workspace_size(dims: Dims, steps: int, tiles: int) -> int:
    """Numbers that the activations of `tiles` tiles with `steps` steps in total take; the next tile begins behind them.

    A tile has `Activations` for each direction of each layer, then the gradients with respect to the states of each
    direction of each layer but the last, (layers - 1, directions, steps, TILE, units).
    """
    states = (steps + tiles) * (1 + dims.has_cell_state) + steps * dims.num_blocks
    numbers = dims.num_layers * states + (dims.num_layers - 1) * steps
    return TILE * dims.units * dims.num_directions * numbers


@inner
def activations_offset(dims: Dims, steps: int, layer: int, direction: int) -> int:
    """Where the activations of a direction begin in the tile's; for layer `num_layers`, the gradients of states."""
    states = (steps + 1) * (1 + dims.has_cell_state) + steps * dims.num_blocks
    return TILE * dims.units * (layer * dims.num_directions + direction) * states


@inner
def activations_of(dims: Dims, of_tile: Pointer, steps: int, layer: int, direction: int) -> Activations:
    states = (steps + 1) * TILE * dims.units
    h = ptr(of_tile, activations_offset(dims, steps, layer, direction))
    return Activations(h, ptr(h, states), ptr(h, states + dims.has_cell_state * states))


@inner
def input_block(dims: Dims, gate: int) -> int:
    """Which block of a step holds the input of a gate."""
    return gate + dims.num_reset_after_gates if gate >= dims.num_gates - dims.num_reset_after_gates else gate


class Scratch(NamedTuple):
    """A thread's memory for one tile.

    features, dfeatures: (TILE, num_poolings * num_directions * units)
    x, dx: (TILE, num_directions * units), a step's input of a layer above the first
    dh, dc, spare: (TILE, units)
    argmax: (num_directions, TILE, units)
    """

    features: Pointer
    dfeatures: Pointer
    x: Pointer
    dx: Pointer
    dh: Pointer
    dc: Pointer
    spare: Pointer
    argmax: Pointer


def scratch_size(dims: Dims) -> int:
    """How many numbers a thread needs for itself."""
    size = TILE * dims.units
    return 2 * size * dims.num_directions * (1 + dims.num_poolings) + (3 + dims.num_directions) * size


@inner
def scratch_of(dims: Dims, memory: Pointer) -> Scratch:
    size, inputs = TILE * dims.units, TILE * dims.num_directions * dims.units
    features = dims.num_poolings * inputs
    x = ptr(memory, 2 * features)
    dh = ptr(x, 2 * inputs)
    dfeatures, dx, dc, spare, argmax = (
        ptr(memory, features),
        ptr(x, inputs),
        ptr(dh, size),
        ptr(dh, 2 * size),
        ptr(dh, 3 * size),
    )
    return Scratch(memory, dfeatures, x, dx, dh, dc, spare, argmax)
