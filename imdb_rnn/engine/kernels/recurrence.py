"""The recurrence over tiles of reviews: directions, layers, pooling, the logit and its loss, forwards and backwards.

Keras runs a recurrent layer step by step over whole batches, padding included. Here `TILE` reviews of like length are
read together, from the first word to the gradient of the last weight, so that what they need stays in the processor's
cache; a step has only the reviews that still have a word. Padding that is skipped is never computed. Padding that is
read, and that reviews begin with, is computed once for a whole batch, where there is one direction and the last state
is the answer: whatever comes behind it, the states are the same, and the gradients with respect to them can be added
up before they go back. A tile's sums are its own: threads take tiles as they come, and whoever adds the sums up does so
in the tiles' order.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from imdb_rnn.engine.kernels.arithmetic import Array, Pointer, add, add_product, at, claim, copy, fma, log_loss, zero
from imdb_rnn.engine.kernels.compiled import compiled, inner
from imdb_rnn.engine.kernels.words import TILE, Shape, direction_at, input_block, memory_of

READ, LEARN, EXPLAIN = 0, 1, 2  # the logit alone; its loss and gradients; gradients of the logit
READ_SHARED, GO_BACK_SHARED = 3, 4  # the padding that the reviews share, before them, and on the way back after them
VANISHED = np.float32(1e-30)  # a gradient below counts as 0; subnormal numbers would make every operation slow


@cache
def tile_reader(step: Callable[..., None], step_back: Callable[..., None]) -> Any:
    """The function that reads tiles with a cell of these steps.

    It takes tiles from `queue` until there are no more:

        queue: int64 (2,), 0 at first
        task: READ, LEARN or EXPLAIN for the reviews; READ_SHARED before and, but after READ, GO_BACK_SHARED behind it,
            each by one thread, for the tile that the reviews share: these leave logits, dlogits and losses alone
        shape, flat, starts: the network, its weights, and where each array begins
        transposed: as `words.add_up_words` has it; not looked at for READ
        table, numbers, bases, lengths, shared: of `words.fill_table` and `words.Laid`
        memory: float32, at least `words.memory_of`; keeps the gradients with respect to the inputs, and those with
            respect to the states before the first step where these were
        mask: float32 (reviews, features), what dropout multiplies the features by; (0, 0): nothing
        y: float32 (reviews,), 0 or 1
        weights: float64 (reviews,), what each loss is multiplied by; not looked at but for LEARN
        logits: float32 (reviews,), comes as what is added to the logits, leaves as these
        dlogits: float32 (reviews,), written: the gradient of the mean loss, or of the logit, with respect to it
        losses: float64 (reviews,), written for LEARN
        gradients: float32 (tiles, weights behind the vectors), written: each tile's
        scratch: as `words.fill_table` has it
    """

    @compiled
    def read_tiles(
        queue: Array,
        task: int,
        shape: Shape,
        flat: Array,
        starts: Array,
        transposed: Array,
        table: Array,
        numbers: Array,
        bases: Array,
        lengths: Array,
        shared: Array,
        memory: Array,
        mask: Array,
        y: Array,
        weights: Array,
        logits: Array,
        dlogits: Array,
        losses: Array,
        gradients: Array,
        scratch: Array,
    ) -> None:
        units, ways, tiles = shape.units, shape.ways, len(bases) - 1
        is_shared = task >= READ_SHARED
        size, columns, inputs = TILE * units, shape.gates * units, ways * units
        features = shape.kinds * inputs
        behind = starts[1]
        head = starts[1 + 3 * shape.layers * ways]
        of_thread = at(scratch, claim(queue, 1) * scratch.shape[1])
        pooled, dpooled = of_thread, at(of_thread, TILE * features)
        below = at(dpooled, TILE * features)
        dbelow = at(below, TILE * inputs)
        dh = at(dbelow, TILE * inputs)
        dc, spare, highest = at(dh, size), at(dh, 2 * size), at(dh, 3 * size)
        while True:
            tile = claim(queue, 0)
            if tile >= tiles:
                return
            if is_shared != (tile == 0 and len(shared) > 0):
                continue
            steps, base = bases[tile + 1] - bases[tile], bases[tile]
            here = at(memory, memory_of(shape, base, tile))
            reviews = min(TILE, len(lengths) - tile * TILE)
            of_tile, begins = at(lengths, tile * TILE), at(shared, tile * TILE)
            first = (tile - 1 if len(shared) else tile) * TILE

            for direction in range(0 if task == GO_BACK_SHARED else shape.layers * ways):
                layer = direction // ways
                way = direction - layer * ways
                h = at(here, direction_at(shape, steps, layer, way))
                c = at(h, (steps + 1) * size)
                blocks = at(c, shape.has_c * (steps + 1) * size)
                zero(h, size)
                zero(c, shape.has_c * size)
                if len(shared) and not is_shared:
                    states = at(memory, direction_at(shape, bases[1], layer, way))
                    begin(shape, states, bases[1], begins, reviews, h, c)
                kernel, recurrent = at(flat, starts[1 + 3 * direction]), at(flat, starts[2 + 3 * direction])
                bias = at(flat, starts[3 + 3 * direction])
                n = reviews
                for t in range(steps):
                    while of_tile[n - 1] <= t:
                        n -= 1
                    rows = (n + 7) // 8 * 8
                    h0, c0 = at(h, t * size), at(c, shape.has_c * t * size)
                    of_step = at(blocks, t * shape.blocks * size)
                    if layer == 0:
                        words = at(numbers, way * numbers.shape[1] + (base + t) * TILE)
                        of_way = at(table, way * (len(table) // ways))
                        look_up(shape, of_way, words, rows, of_step)
                    else:
                        gather(shape, here, steps, layer - 1, way, t, of_tile, n, below)
                        add_bias(shape, bias, rows, of_step)
                        for gate in range(shape.gates):
                            block = at(of_step, input_block(shape, gate) * size)
                            of_gate = at(kernel, gate * units)
                            add_product(below, inputs, 1, of_gate, columns, block, units, rows, inputs, units)
                    for gate in range(shape.gates):
                        block = at(of_step, gate * size)
                        if gate >= shape.gates - shape.apart:
                            added = at(bias, columns + gate * units)
                            for r in range(rows):
                                copy(at(block, r * units), added, units)
                        of_gate = at(recurrent, gate * units)
                        add_product(h0, units, 1, of_gate, columns, block, units, rows, units, units)
                    step(of_step, h0, at(h0, size), c0, at(c0, size), rows * units, size)
                    for r in range(rows if shape.width < units else 0):  # what fills has no state, whatever the cell
                        zero(at(h0, size + r * units + shape.width), units - shape.width)

            if task == READ_SHARED:
                continue
            answers = 0 if is_shared else reviews
            pool(shape, here, steps, of_tile, answers, pooled, highest)
            for r in range(answers):
                row, z = at(pooled, r * features), flat[head + features]
                if len(mask):
                    for j in range(features):
                        row[j] *= mask[first + r, j]
                for j in range(features):
                    z = fma(row[j], flat[head + j], z)
                logits[first + r] += z
            if task == READ:
                continue

            gradient = at(gradients, tile * gradients.shape[1])
            zero(gradient, gradients.shape[1])
            dhead = at(gradient, head - behind)
            zero(dpooled, TILE * features)
            for r in range(answers):
                dlogit = np.float32(1)
                if task == LEARN:
                    loss, off = log_loss(np.float64(y[first + r]), np.float64(logits[first + r]))
                    losses[first + r] = loss * weights[first + r]
                    dlogit = np.float32(off * weights[first + r] / len(y))
                dlogits[first + r] = dlogit
                row, drow = at(pooled, r * features), at(dpooled, r * features)
                for j in range(features):
                    dhead[j] = fma(row[j], dlogit, dhead[j])
                    drow[j] = flat[head + j] * dlogit
                if len(mask):
                    for j in range(features):
                        drow[j] *= mask[first + r, j]
                dhead[features] += dlogit

            arriving = at(here, direction_at(shape, steps, shape.layers, 0))
            zero(arriving, (shape.layers - 1) * ways * steps * size)
            for direction in range(shape.layers * ways - 1, -1, -1):
                layer = direction // ways
                way = direction - layer * ways
                h = at(here, direction_at(shape, steps, layer, way))
                c = at(h, (steps + 1) * size)
                blocks = at(c, shape.has_c * (steps + 1) * size)
                kernel = at(transposed, starts[1 + 3 * direction] - behind)
                recurrent = at(transposed, starts[2 + 3 * direction] - behind)
                dkernel = at(gradient, starts[1 + 3 * direction] - behind)
                drecurrent = at(gradient, starts[2 + 3 * direction] - behind)
                dbias = at(gradient, starts[3 + 3 * direction] - behind)
                zero(dh, 2 * size)  # and dc behind it
                n = 0
                for t in range(steps - 1, -1, -1):
                    while n < reviews and of_tile[n] > t:
                        n += 1
                    rows = (n + 7) // 8 * 8
                    h0, c0 = at(h, t * size), at(c, shape.has_c * t * size)
                    of_step = at(blocks, t * shape.blocks * size)
                    if layer == shape.layers - 1:
                        pool_back(shape, dpooled, highest, way, t, of_tile, n, dh)
                    else:
                        add(dh, at(arriving, (direction * steps + t) * size), n * units)
                    if is_shared:
                        arrive(shape, memory, bases, lengths, shared, layer, t + 1, dh, dc)
                    forget_vanished(dh, n * units)
                    forget_vanished(dc, shape.has_c * n * units)
                    step_back(of_step, h0, at(h0, size), c0, at(c0, size), dh, dc, spare, n * units, size)
                    for gate in range(shape.gates):
                        d = at(of_step, gate * size)
                        of_gate = at(recurrent, gate * units * units)
                        add_product(d, units, 1, of_gate, units, dh, units, rows, units, units)
                        of_gate = at(drecurrent, gate * units)
                        add_product(h0, 1, units, d, units, of_gate, columns, units, n, units)
                        if gate >= shape.gates - shape.apart:
                            add_rows(d, n, units, at(dbias, columns + gate * units))
                    zero(at(dh, n * units), (rows - n) * units)  # of reviews that have ended before this word
                    if layer:
                        gather(shape, here, steps, layer - 1, way, t, of_tile, n, below)
                        zero(dbelow, TILE * inputs)
                        for gate in range(shape.gates):
                            d = at(of_step, input_block(shape, gate) * size)
                            of_gate = at(dkernel, gate * units)
                            add_product(below, 1, inputs, d, units, of_gate, columns, inputs, n, units)
                            of_gate = at(kernel, gate * units * inputs)
                            add_product(d, units, 1, of_gate, inputs, dbelow, inputs, rows, units, inputs)
                            add_rows(d, n, units, at(dbias, gate * units))
                        scatter(shape, arriving, steps, layer - 1, way, t, of_tile, n, dbelow)
                copy(h, dh, size)  # where `arrive` finds it
                copy(c, dc, shape.has_c * size)

    return read_tiles


@inner
def begin(shape: Shape, states: Pointer, steps: int, begins: Pointer, reviews: int, h: Pointer, c: Pointer) -> None:
    """Begin with the states after as many words of what is shared as each review says."""
    units, size = shape.units, TILE * shape.units
    for r in range(reviews):
        after = at(states, begins[r] * size)
        copy(at(h, r * units), after, units)
        copy(at(c, r * shape.has_c * units), at(after, shape.has_c * (steps + 1) * size), shape.has_c * units)


@inner
def arrive(
    shape: Shape,
    memory: Array,
    bases: Array,
    lengths: Array,
    shared: Array,
    layer: int,
    after: int,
    dh: Pointer,
    dc: Pointer,
) -> None:
    """Add the gradients with respect to their first states that the reviews which begin after so many words left."""
    units, size = shape.units, TILE * shape.units
    for row in range(TILE, len(lengths)):
        if shared[row] == after:
            tile = row // TILE
            steps = bases[tile + 1] - bases[tile]
            of_tile = memory_of(shape, bases[tile], tile) + direction_at(shape, steps, layer, 0)
            d = at(memory, of_tile + (row - tile * TILE) * units)
            add(dh, d, units)
            add(dc, at(d, shape.has_c * (steps + 1) * size), shape.has_c * units)


@inner
def look_up(shape: Shape, table: Pointer, words: Pointer, rows: int, of_step: Pointer) -> None:
    """Begin the blocks of a step with the rows of the table."""
    units = shape.units
    for r in range(rows):
        row = at(table, words[r] * (shape.gates * units))
        for gate in range(shape.gates):
            block, of_gate = at(of_step, (input_block(shape, gate) * TILE + r) * units), at(row, gate * units)
            for j in range(units):
                block[j] = of_gate[j]


@inner
def add_bias(shape: Shape, bias: Pointer, rows: int, of_step: Pointer) -> None:
    """Begin the blocks of a step with the biases, both where the recurrent one is not apart."""
    units = shape.units
    for gate in range(shape.gates):
        together = shape.apart > 0 and gate < shape.gates - shape.apart
        block, of_gate = at(of_step, input_block(shape, gate) * TILE * units), at(bias, gate * units)
        added = at(of_gate, shape.gates * units)
        for r in range(rows):
            row = at(block, r * units)
            copy(row, of_gate, units)
            add(row, added, units if together else 0)


@inner
def add_rows(rows: Pointer, n: int, units: int, total: Pointer) -> None:
    for r in range(n):
        add(total, at(rows, r * units), units)


@inner
def forget_vanished(gradient: Pointer, count: int) -> None:
    for i in range(count):
        gradient[i] = np.float32(0) if abs(gradient[i]) < VANISHED else gradient[i]


@inner
def gather(
    shape: Shape, here: Pointer, steps: int, layer: int, way: int, t: int, lengths: Pointer, n: int, out: Pointer
) -> None:
    """Put a layer's states at the words that this direction reads at step t side by side; zeros for further reviews."""
    units = shape.units
    for other in range(shape.ways):
        states = at(here, direction_at(shape, steps, layer, other))
        for r in range(TILE):
            after = t + 1 if other == way else lengths[min(r, n - 1)] - t
            row, of_row = at(states, (after * TILE + r) * units), at(out, (r * shape.ways + other) * units)
            if r < n:
                copy(of_row, row, units)
            else:
                zero(of_row, units)


@inner
def scatter(
    shape: Shape, arriving: Pointer, steps: int, layer: int, way: int, t: int, lengths: Pointer, n: int, d: Pointer
) -> None:
    """Add gradients to those with respect to the states that `gather` took."""
    units = shape.units
    for other in range(shape.ways):
        of_other = at(arriving, (layer * shape.ways + other) * steps * TILE * units)
        for r in range(n):
            step = t if other == way else lengths[r] - 1 - t
            row, of_row = at(of_other, (step * TILE + r) * units), at(d, (r * shape.ways + other) * units)
            add(row, of_row, units)


@inner
def pool(
    shape: Shape, here: Pointer, steps: int, lengths: Pointer, reviews: int, pooled: Pointer, highest: Pointer
) -> None:
    """Pool the last layer's states: for each kind the directions side by side; zeros for a review without words.

    highest: (ways, TILE, units), written: the step of the highest state
    """
    units, inputs = shape.units, shape.ways * shape.units
    for way in range(shape.ways):
        h = at(here, direction_at(shape, steps, shape.layers - 1, way))
        for r in range(reviews):
            length, out = lengths[r], at(pooled, (r * shape.kinds * shape.ways + way) * units)
            state, step = at(h, r * units), TILE * units
            if shape.last >= 0:
                copy(at(out, shape.last * inputs), at(state, length * step), units)
            if shape.mean >= 0:
                of_kind = at(out, shape.mean * inputs)
                zero(of_kind, units)
                for t in range(length):
                    add(of_kind, at(state, (t + 1) * step), units)
                for j in range(units if length else 0):
                    of_kind[j] /= np.float32(length)
            if shape.max >= 0:
                of_kind, where, after = (
                    at(out, shape.max * inputs),
                    at(highest, way * step + r * units),
                    at(state, step),
                )
                copy(of_kind, after if length else state, units)  # before its first word the state is zero
                zero(where, units)
                for t in range(1, length):
                    after = at(state, (t + 1) * step)
                    for j in range(units):
                        if not after[j] <= of_kind[j]:
                            of_kind[j], where[j] = after[j], np.float32(t)


@inner
def pool_back(
    shape: Shape,
    dpooled: Pointer,
    highest: Pointer,
    way: int,
    t: int,
    lengths: Pointer,
    n: int,
    dh: Pointer,
) -> None:
    """Add the gradients with respect to the states after step t."""
    units, inputs = shape.units, shape.ways * shape.units
    for r in range(n):
        d, row = at(dpooled, (r * shape.kinds * shape.ways + way) * units), at(dh, r * units)
        if shape.last >= 0 and lengths[r] == t + 1:
            add(row, at(d, shape.last * inputs), units)
        if shape.mean >= 0:
            of_kind = at(d, shape.mean * inputs)
            for j in range(units):
                row[j] += of_kind[j] / np.float32(lengths[r])
        if shape.max >= 0:
            of_kind, where = at(d, shape.max * inputs), at(highest, (way * TILE + r) * units)
            for j in range(units):
                row[j] += of_kind[j] if where[j] == np.float32(t) else np.float32(0)
