"""Pooling of the last layer's states to features, the units on top of them, and the backward pass of both."""

import numpy as np

from imdb_rnn.engine.kernels.arithmetic import Pointer, add, copy, fma, never_inline, ptr, set_zero
from imdb_rnn.engine.kernels.batch import Tile
from imdb_rnn.engine.kernels.compiled import inlined, inner
from imdb_rnn.engine.kernels.network import TILE, Dims, Rnn, Scratch, activations_of


@inner
def pool(dims: Dims, h: Pointer, lengths: Pointer, n: int, direction: int, features: Pointer, argmax: Pointer) -> None:
    """Pool the states of a direction over the words of n reviews; zeros for a review without words.

    Args:
        h: (steps + 1, TILE, units)
        features: (TILE, num_poolings, num_directions, units), of which this direction is written
        argmax: (directions, TILE, units), written: the first step with the highest state
    """
    never_inline()
    units, step, of_pooling = dims.units, TILE * dims.units, dims.num_directions * dims.units
    for r in range(n):
        length, state = lengths[r], ptr(h, r * units)
        out = ptr(features, (r * dims.num_poolings * dims.num_directions + direction) * units)
        if dims.last >= 0:
            copy(ptr(out, dims.last * of_pooling), ptr(state, length * step), units)
        if dims.mean >= 0:
            mean = ptr(out, dims.mean * of_pooling)
            set_zero(mean, units)
            for t in range(length):
                add(mean, ptr(state, (t + 1) * step), units)
            for j in range(units if length else 0):
                mean[j] /= np.float32(length)
        if dims.max >= 0:
            highest, where = ptr(out, dims.max * of_pooling), ptr(argmax, direction * step + r * units)
            copy(highest, ptr(state, step) if length else state, units)  # before its first word the state is zero
            set_zero(where, units)
            for t in range(1, length):
                h_t = ptr(state, (t + 1) * step)
                for j in range(units):
                    if not h_t[j] <= highest[j]:  # so that a NaN is kept
                        highest[j], where[j] = h_t[j], np.float32(t)


@inner
def pool_backward(
    dims: Dims, dfeatures: Pointer, argmax: Pointer, direction: int, t: int, lengths: Pointer, n: int, dh: Pointer
) -> None:
    """Add the gradients with respect to the states of a direction after step t to dh (TILE, units)."""
    never_inline()
    units, of_pooling = dims.units, dims.num_directions * dims.units
    for r in range(n):
        d = ptr(dfeatures, (r * dims.num_poolings * dims.num_directions + direction) * units)
        row = ptr(dh, r * units)
        if dims.last >= 0 and lengths[r] == t + 1:
            add(row, ptr(d, dims.last * of_pooling), units)
        if dims.mean >= 0:
            dmean = ptr(d, dims.mean * of_pooling)
            for j in range(units):
                row[j] += dmean[j] / np.float32(lengths[r])
        if dims.max >= 0:
            dmax, where = ptr(d, dims.max * of_pooling), ptr(argmax, (direction * TILE + r) * units)
            for j in range(units):
                row[j] += dmax[j] if where[j] == np.float32(t) else np.float32(0)


@inlined
def pool_tile(dims: Dims, tile: Tile, answers: int, scratch: Scratch) -> None:
    for direction in range(dims.num_directions):
        h = activations_of(dims, tile.activations, tile.steps, dims.num_layers - 1, direction).h
        pool(dims, h, tile.lengths, answers, direction, scratch.features, scratch.argmax)


@inlined
def head(rnn: Rnn, features: Pointer, has_mask: bool, mask: Pointer, n: int, logits: Pointer) -> None:
    """logits += features * mask @ kernel + bias for n reviews.

    Args:
        features, mask: (n, features)
        logits: (n, num_logits)
    """
    size, count = rnn.dims.num_poolings * rnn.dims.num_directions * rnn.dims.units, rnn.dims.num_logits
    for r in range(n):
        row = ptr(features, r * size)
        for j in range(size if has_mask else 0):
            row[j] *= mask[r * size + j]
        for k in range(count):
            kernel, logit = ptr(rnn.weights, rnn.offsets.head_kernel + k), rnn.weights[rnn.offsets.head_bias + k]
            for j in range(size):
                logit = fma(row[j], kernel[j * count], logit)
            logits[r * count + k] += logit


@inlined
def head_backward(
    rnn: Rnn,
    features: Pointer,
    has_mask: bool,
    mask: Pointer,
    n: int,
    dlogits: Pointer,
    dfeatures: Pointer,
    gradient: Pointer,
) -> None:
    """Write the gradients with respect to the features, and add those of kernel and bias to `gradient`.

    Args:
        dlogits: float64 (n, num_logits)
    """
    size, count = rnn.dims.num_poolings * rnn.dims.num_directions * rnn.dims.units, rnn.dims.num_logits
    kernel = ptr(rnn.weights, rnn.offsets.head_kernel)
    dkernel, dbias = ptr(gradient, rnn.offsets.head_kernel), ptr(gradient, rnn.offsets.head_bias)
    set_zero(dfeatures, TILE * size)
    for r in range(n):
        row, drow = ptr(features, r * size), ptr(dfeatures, r * size)
        for k in range(count):
            dlogit = np.float32(dlogits[r * count + k])
            for j in range(size):
                dkernel[j * count + k] = fma(row[j], dlogit, dkernel[j * count + k])
                drow[j] = fma(kernel[j * count + k], dlogit, drow[j]) if k else kernel[j * count] * dlogit
            dbias[k] += dlogit
        for j in range(size if has_mask else 0):
            drow[j] *= mask[r * size + j]
