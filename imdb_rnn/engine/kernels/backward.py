"""The backward pass of the recurrent layers: backpropagation through time for a tile of reviews."""

from typing import Any

import numpy as np

from imdb_rnn.engine.kernels.arithmetic import Matrix, Pointer, add, add_matmul, copy, never_inline, ptr, set_zero
from imdb_rnn.engine.kernels.batch import BatchPointers, Tile
from imdb_rnn.engine.kernels.cells import step_backward
from imdb_rnn.engine.kernels.compiled import inlined, inner
from imdb_rnn.engine.kernels.forward import gather
from imdb_rnn.engine.kernels.network import (
    TILE,
    Dims,
    Rnn,
    Scratch,
    Step,
    activations_of,
    activations_offset,
    direction_of,
    input_block,
    workspace_size,
)
from imdb_rnn.engine.kernels.pooling import pool_backward

FLUSH_TO_ZERO_BELOW = np.float32(1e-30)  # smaller gradients count as 0: subnormal numbers are slow


@inlined
def backward(cell: Any, rnn: Rnn, batch: BatchPointers, tile: Tile, scratch: Scratch, gradient: Pointer) -> None:
    """Add the gradients of all layers and directions to `gradient`."""
    dims = rnn.dims
    states = tile.steps * TILE * dims.units
    dstates = ptr(tile.activations, activations_offset(dims, tile.steps, dims.num_layers, 0))
    set_zero(dstates, (dims.num_layers - 1) * dims.num_directions * states)
    for layer in range(dims.num_layers - 1, -1, -1):
        for direction in range(dims.num_directions - 1, -1, -1):
            backward_direction(cell, rnn, batch, tile, scratch, gradient, dstates, layer, direction)


@inlined
def backward_direction(
    cell: Any,
    rnn: Rnn,
    batch: BatchPointers,
    tile: Tile,
    scratch: Scratch,
    gradient: Pointer,
    dstates: Pointer,
    layer: int,
    direction: int,
) -> None:
    """Go back through time: from the gradient of h_t to those of x_t W + b, h_prev, W, U and b.

    Args:
        dstates: (num_layers - 1, num_directions, steps, TILE, units), gradients with respect to the states of a layer
            from the layer above
    """
    dims, transposed = rnn.dims, direction_of(rnn, rnn.transposed, layer, direction)
    d, own = (
        direction_of(rnn, gradient, layer, direction),
        activations_of(dims, tile.activations, tile.steps, layer, direction),
    )
    units, size, columns, width = (
        dims.units,
        TILE * dims.units,
        dims.num_gates * dims.units,
        dims.num_directions * dims.units,
    )
    x, dx, dh, dc = scratch.x, scratch.dx, scratch.dh, scratch.dc
    set_zero(dh, size)
    set_zero(dc, size)
    n = 0
    for t in range(tile.steps - 1, -1, -1):
        while n < tile.num_reviews and tile.lengths[n] > t:
            n += 1
        rows = (n + 7) // 8 * 8
        blocks = ptr(own.blocks, t * dims.num_blocks * size)
        h_prev, c_prev = ptr(own.h, t * size), ptr(own.c, dims.has_cell_state * t * size)
        if layer == dims.num_layers - 1:
            pool_backward(dims, scratch.dfeatures, scratch.argmax, direction, t, tile.lengths, n, dh)
        else:
            add(dh, ptr(dstates, ((layer * dims.num_directions + direction) * tile.steps + t) * size), n * units)
        if tile.is_padding:
            add_first_states(dims, batch, layer, t + 1, dh, dc)
        flush_to_zero(dh, n * units)
        flush_to_zero(dc, dims.has_cell_state * n * units)
        h, c = ptr(h_prev, size), ptr(c_prev, size)
        step_backward(cell, Step(blocks, h_prev, h, c_prev, c, dh, dc, scratch.spare, n * units, size))
        for gate in range(dims.num_gates):
            da, du = ptr(blocks, gate * size), ptr(d.recurrent_kernel, gate * units)  # da: of h_prev U + ...
            u = ptr(transposed.recurrent_kernel, gate * units * units)
            add_matmul(Matrix(da, units, 1), Matrix(u, units, 1), Matrix(dh, units, 1), rows, units, units)  # da U^T
            add_matmul(Matrix(h_prev, 1, units), Matrix(da, units, 1), Matrix(du, columns, 1), units, n, units)
            if gate >= dims.num_gates - dims.num_reset_after_gates:
                add_rows(da, n, units, ptr(d.bias, columns + gate * units))
        set_zero(ptr(dh, n * units), (rows - n) * units)  # of reviews that ended before this word
        if layer:
            gather(dims, tile, layer - 1, direction, t, n, x)
            set_zero(dx, TILE * width)
            for gate in range(dims.num_gates):
                da, dw = ptr(blocks, input_block(dims, gate) * size), ptr(d.kernel, gate * units)  # da: of x_t W + b
                w = ptr(transposed.kernel, gate * units * width)
                add_matmul(Matrix(x, 1, width), Matrix(da, units, 1), Matrix(dw, columns, 1), width, n, units)
                add_matmul(
                    Matrix(da, units, 1), Matrix(w, width, 1), Matrix(dx, width, 1), rows, units, width
                )  # da W^T
                add_rows(da, n, units, ptr(d.bias, gate * units))
            scatter(dims, tile, dstates, layer - 1, direction, t, n, dx)
    copy(own.h, dh, size)  # for `add_first_states`
    copy(own.c, dc, dims.has_cell_state * size)


@inner
def add_first_states(dims: Dims, batch: BatchPointers, layer: int, after: int, dh: Pointer, dc: Pointer) -> None:
    """Add the gradients with respect to their first states of all reviews that start after so much shared padding."""
    never_inline()
    units, has_c = dims.units, dims.has_cell_state
    for row in range(TILE, batch.num_rows):
        if batch.padding[row] == after:
            number, of_row = row // TILE, row % TILE * units
            first_step, next_step = batch.step_offsets[number], batch.step_offsets[number + 1]
            of_tile = ptr(batch.activations, workspace_size(dims, first_step, number))
            own = activations_of(dims, of_tile, next_step - first_step, layer, 0)
            add(dh, ptr(own.h, of_row), units)
            add(dc, ptr(own.c, has_c * of_row), has_c * units)


@inner
def flush_to_zero(gradient: Pointer, count: int) -> None:
    for i in range(count):
        gradient[i] = np.float32(0) if abs(gradient[i]) < FLUSH_TO_ZERO_BELOW else gradient[i]


@inner
def add_rows(rows: Pointer, n: int, units: int, total: Pointer) -> None:
    for r in range(n):
        add(total, ptr(rows, r * units), units)


@inner
def scatter(dims: Dims, tile: Tile, dstates: Pointer, layer: int, direction: int, t: int, n: int, dx: Pointer) -> None:
    """Add gradients to those of the states that `gather` took."""
    never_inline()
    units = dims.units
    for other in range(dims.num_directions):
        of_other = ptr(dstates, (layer * dims.num_directions + other) * tile.steps * TILE * units)
        for r in range(n):
            step = t if other == direction else tile.lengths[r] - 1 - t
            add(ptr(of_other, (step * TILE + r) * units), ptr(dx, (r * dims.num_directions + other) * units), units)
