"""The forward pass of the recurrent layers: the states of a tile of reviews, step by step."""

from typing import Any

from imdb_rnn.engine.kernels.arithmetic import Matrix, Pointer, add, add_matmul, copy, never_inline, ptr, set_zero
from imdb_rnn.engine.kernels.batch import BatchPointers, Tile
from imdb_rnn.engine.kernels.cells import step
from imdb_rnn.engine.kernels.compiled import inlined, inner
from imdb_rnn.engine.kernels.network import (
    TILE,
    Activations,
    Dims,
    Rnn,
    Scratch,
    Step,
    activations_of,
    direction_of,
    input_block,
)


@inlined
def forward(cell: Any, rnn: Rnn, batch: BatchPointers, tile: Tile, scratch: Scratch) -> None:
    """Compute the states of all layers and directions."""
    dims = rnn.dims
    size = TILE * dims.units
    for layer in range(dims.num_layers):
        for direction in range(dims.num_directions):
            own = activations_of(dims, tile.activations, tile.steps, layer, direction)
            set_zero(own.h, size)
            set_zero(own.c, dims.has_cell_state * size)
            if batch.has_padding and not tile.is_padding:
                shared = activations_of(dims, batch.activations, batch.step_offsets[1], layer, direction)
                start_after_padding(dims, shared, tile, own)
            forward_direction(cell, rnn, batch, tile, own, layer, direction, scratch)


@inner
def start_after_padding(dims: Dims, shared: Activations, tile: Tile, own: Activations) -> None:
    """Start each review with the states after its share of the padding."""
    units, size, has_c = dims.units, TILE * dims.units, dims.has_cell_state
    for r in range(tile.num_reviews):
        copy(ptr(own.h, r * units), ptr(shared.h, tile.padding[r] * size), units)
        copy(ptr(own.c, has_c * r * units), ptr(shared.c, has_c * tile.padding[r] * size), has_c * units)


@inlined
def forward_direction(
    cell: Any,
    rnn: Rnn,
    batch: BatchPointers,
    tile: Tile,
    own: Activations,
    layer: int,
    direction: int,
    scratch: Scratch,
) -> None:
    """Compute the states of one direction of a layer, step by step: h_t from h_prev and x_t."""
    dims, weights = rnn.dims, direction_of(rnn, rnn.weights, layer, direction)
    units, size, columns = dims.units, TILE * dims.units, dims.num_gates * dims.units
    n, x = tile.num_reviews, scratch.x
    for t in range(tile.steps):
        while tile.lengths[n - 1] <= t:  # longest first: the last reviews end first
            n -= 1
        rows = (n + 7) // 8 * 8
        blocks = ptr(own.blocks, t * dims.num_blocks * size)  # (num_blocks, TILE, units)
        h_prev, c_prev = ptr(own.h, t * size), ptr(own.c, dims.has_cell_state * t * size)
        if layer == 0:  # x_t W + b
            words = ptr(batch.word_index, direction * batch.word_stride + (tile.first_step + t) * TILE)
            look_up(dims, ptr(batch.table, direction * batch.table_stride), words, rows, blocks)
        else:
            width = dims.num_directions * units
            gather(dims, tile, layer - 1, direction, t, n, x)
            add_bias(dims, weights.bias, rows, blocks)
            for gate in range(dims.num_gates):
                a, w = ptr(blocks, input_block(dims, gate) * size), ptr(weights.kernel, gate * units)
                add_matmul(Matrix(x, width, 1), Matrix(w, columns, 1), Matrix(a, units, 1), rows, width, units)
        for gate in range(dims.num_gates):  # + h_prev U
            a, u = ptr(blocks, gate * size), ptr(weights.recurrent_kernel, gate * units)
            if gate >= dims.num_gates - dims.num_reset_after_gates:  # these begin with their own bias
                for r in range(rows):
                    copy(ptr(a, r * units), ptr(weights.bias, columns + gate * units), units)
            add_matmul(Matrix(h_prev, units, 1), Matrix(u, columns, 1), Matrix(a, units, 1), rows, units, units)
        h, c, none = ptr(h_prev, size), ptr(c_prev, size), scratch.dh
        step(cell, Step(blocks, h_prev, h, c_prev, c, none, none, none, rows * units, size))
        for r in range(rows if dims.true_units < units else 0):  # units that only fill a vector stay 0
            set_zero(ptr(h, r * units + dims.true_units), units - dims.true_units)


@inner
def look_up(dims: Dims, table: Pointer, words: Pointer, rows: int, blocks: Pointer) -> None:
    """Copy rows of the table (words, gates * units) into the blocks of a step."""
    never_inline()
    units = dims.units
    for r in range(rows):
        row = ptr(table, words[r] * (dims.num_gates * units))
        for gate in range(dims.num_gates):
            block, of_gate = ptr(blocks, (input_block(dims, gate) * TILE + r) * units), ptr(row, gate * units)
            for j in range(units):
                block[j] = of_gate[j]


@inner
def add_bias(dims: Dims, bias: Pointer, rows: int, blocks: Pointer) -> None:
    """Begin the blocks of a step with the bias, and the recurrent bias of gates that are not reset-after."""
    never_inline()
    units = dims.units
    for gate in range(dims.num_gates):
        together = dims.num_reset_after_gates > 0 and gate < dims.num_gates - dims.num_reset_after_gates
        block, of_gate = ptr(blocks, input_block(dims, gate) * TILE * units), ptr(bias, gate * units)
        for r in range(rows):
            row = ptr(block, r * units)
            copy(row, of_gate, units)
            add(row, ptr(of_gate, dims.num_gates * units), units if together else 0)


@inner
def gather(dims: Dims, tile: Tile, layer: int, direction: int, t: int, n: int, x: Pointer) -> None:
    """Concatenate the states of a layer at the words that this direction reads at step t; zeros for ended reviews.

    Args:
        x: (TILE, num_directions * units), written
    """
    never_inline()
    units = dims.units
    for other in range(dims.num_directions):
        h = activations_of(dims, tile.activations, tile.steps, layer, other).h
        for r in range(TILE):
            after = t + 1 if other == direction else tile.lengths[min(r, n - 1)] - t
            out = ptr(x, (r * dims.num_directions + other) * units)
            if r < n:
                copy(out, ptr(h, (after * TILE + r) * units), units)
            else:
                set_zero(out, units)
