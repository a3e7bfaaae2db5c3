"""What a word adds to a step of the first layer: laid out for the recurrence, looked up, and added up on the way back.

It depends on nothing but the word, so it is computed once a batch for the words that occur in it, as a row of a table:
vector @ kernel + bias, for each direction.
"""

from typing import NamedTuple

import numpy as np

from imdb_rnn.engine.kernels.arithmetic import LANES, Array, add, add_product, at, claim, copy, zero
from imdb_rnn.engine.kernels.compiled import compiled, inner
from imdb_rnn.engine.ragged import PADDING, Ragged

TILE = 16  # reviews that are read together, a multiple of `arithmetic.ROWS`
CHUNK = 512  # words that a thread takes at once
GROUP = 32  # words of a chunk whose gradients are multiplied at once


class Shape(NamedTuple):
    """What compiled functions know of a network; last, max and mean are places among the pooled kinds, or -1.

    dim, units: as they are filled to whole vectors
    width: units without what fills
    blocks: of a step, see `cells.cell.Cell`
    has_c: 1 or 0
    """

    dim: int
    units: int
    width: int
    gates: int
    apart: int
    blocks: int
    has_c: int
    ways: int
    layers: int
    kinds: int
    last: int
    max: int
    mean: int


class Laid(NamedTuple):
    """A batch of reviews, longest first, laid out in tiles: step by step, in each step review by review.

    lengths: int64 (rows,), of the reviews; where they share padding, a tile of it comes before them, however short
    shared: int64 (rows,), after how many words of the first tile's first row each review begins; or (0,)
    bases: int64 (tiles + 1,), steps of the tiles before each one
    numbers: int32 (ways, steps * TILE), which of the distinct words stands there; the second way from the end
    distinct: int32 (distinct words,), ids, ascending
    firsts: int64 (distinct words + 1,), where in `places` those of each word begin
    places: int64 (ways, words), where in the memory of the tiles the first block of each occurrence is
    """

    lengths: Array
    shared: Array
    bases: Array
    numbers: Array
    distinct: Array
    firsts: Array
    places: Array


def share_padding(batch: Ragged) -> tuple[Ragged, np.ndarray]:
    """Take the padding that reviews begin with, which is the same for all of them, as a row of its own.

    Args:
        batch: sorted by length without this padding, longest first.

    Returns:
        The rows for `lay_out`, and what `Laid.shared` says. Before the reviews stands a tile: the longest padding, and
        empty rows. A review that is nothing but padding keeps the last of it. Where no review begins with padding, or
        they are in another order, the batch itself and nothing.
    """
    begins = np.zeros(len(batch), np.int64)
    _count_padding(batch.values, batch.starts, batch.lengths, begins)
    lengths = batch.lengths - begins
    if not begins.any() or np.any(np.diff(lengths) > 0):
        return batch, np.empty(0, np.int64)
    longest, none = int(begins.argmax()), np.zeros(TILE, np.int64)
    starts, lengths = np.concatenate([none, batch.starts + begins]), np.concatenate([none, lengths])
    starts[0], lengths[0] = batch.starts[longest], begins[longest]
    return Ragged(batch.values, starts, lengths), np.concatenate([none, begins])


@compiled
def _count_padding(values: Array, starts: Array, lengths: Array, begins: Array) -> None:
    for r in range(len(lengths)):
        while begins[r] < lengths[r] - 1 and values[starts[r] + begins[r]] == PADDING:
            begins[r] += 1


def lay_out(batch: Ragged, shared: np.ndarray, shape: Shape, vocab_size: int) -> Laid:
    """Lay a batch out, longest review first; `shared` as `Laid` has it."""
    tallest = batch.lengths[::TILE]
    bases = np.zeros(len(tallest) + 1, np.int64)
    np.cumsum(tallest, out=bases[1:])
    numbers = np.zeros((shape.ways, max(1, bases[-1]) * TILE), np.int32)
    counts, number_of = np.zeros(vocab_size, np.int64), np.empty(vocab_size, np.int32)
    distinct, firsts = np.zeros(vocab_size, np.int32), np.zeros(vocab_size + 1, np.int64)
    places = np.empty((shape.ways, batch.lengths.sum()), np.int64)
    values, starts, lengths = batch.values, batch.starts, batch.lengths
    count = _lay_out(shape, values, starts, lengths, bases, counts, number_of, numbers, distinct, firsts, places)
    return Laid(batch.lengths, shared, bases, numbers, distinct[: max(1, count)], firsts[: max(1, count) + 1], places)


@compiled
def memory_of(shape: Shape, steps: int, tiles: int) -> int:
    """How many numbers so many tiles with so many steps in all need; also where the next tile's memory begins.

    For each direction of each layer: the states before the first step and after each, the second states, and the blocks
    of each step; then for each direction of each layer but the last the gradients with respect to its states.
    """
    states = (steps + tiles) * (1 + shape.has_c) + steps * shape.blocks
    return TILE * shape.units * shape.ways * (shape.layers * states + (shape.layers - 1) * steps)


@inner
def direction_at(shape: Shape, steps: int, layer: int, way: int) -> int:
    """Where the states of a direction begin in a tile's memory; layer `layers` has the gradients."""
    states = (steps + 1) * (1 + shape.has_c) + steps * shape.blocks
    return TILE * shape.units * (layer * shape.ways + way) * states


@inner
def input_block(shape: Shape, gate: int) -> int:
    """Which block of a step holds the input of a gate."""
    return gate + shape.apart if gate >= shape.gates - shape.apart else gate


@compiled
def _lay_out(
    shape: Shape,
    values: Array,
    starts: Array,
    lengths: Array,
    bases: Array,
    counts: Array,
    number_of: Array,
    numbers: Array,
    distinct: Array,
    firsts: Array,
    places: Array,
) -> int:
    """Write `numbers`, `distinct`, `firsts` and `places`; `counts`, zeros, and `number_of` are by word."""
    for r in range(len(lengths)):
        for t in range(starts[r], starts[r] + lengths[r]):
            counts[values[t]] += 1
    count = 0
    for word in range(len(counts)):
        occurrences = counts[word]
        if occurrences:
            distinct[count], number_of[word] = word, count
            firsts[count + 1] = firsts[count] + occurrences
            counts[word] = firsts[count]  # from now on the place of the next occurrence
            count += 1
    size = TILE * shape.units
    for r in range(len(lengths)):
        tile = r // TILE
        row, base, length = r - tile * TILE, bases[tile], lengths[r]
        steps = bases[tile + 1] - base
        memory = memory_of(shape, base, tile) + row * shape.units + size * (steps + 1) * (1 + shape.has_c)
        backwards = direction_at(shape, steps, 0, 1)
        for t in range(length):
            word = values[starts[r] + t]
            place = counts[word]
            counts[word] = place + 1
            numbers[0, (base + t) * TILE + row] = number_of[word]
            places[0, place] = memory + t * shape.blocks * size
            if shape.ways == 2:
                back = length - 1 - t
                numbers[1, (base + back) * TILE + row] = number_of[word]
                places[1, place] = memory + backwards + back * shape.blocks * size
    return count


@compiled
def fill_table(
    queue: Array,
    shape: Shape,
    flat: Array,
    starts: Array,
    seen: Array,
    distinct: Array,
    vectors: Array,
    table: Array,
    scratch: Array,
) -> None:
    """Take chunks of the distinct words, and put their vectors and rows where they belong.

    Args:
        seen: float32 (vocabulary,), what dropout multiplies the vectors by; empty: nothing.
        vectors, table: float32, written, (distinct words, dim) and (ways, distinct words, columns); as many numbers as
            `table_sizes` says.
        scratch: float32 (threads, as many as `scratch_size` says).
    """
    dim, columns = shape.dim, shape.gates * shape.units
    rows = at(scratch, claim(queue, 1) * scratch.shape[1])
    while True:
        first = claim(queue, 0) * CHUNK
        if first >= len(distinct):
            return
        stop = min(len(distinct), first + CHUNK)
        for k in range(first, stop):
            factor = seen[distinct[k]] if len(seen) else np.float32(1)
            vector, source = at(vectors, k * dim), at(flat, distinct[k] * dim)
            for j in range(dim):
                vector[j] = source[j] * factor
        for k in range(first, stop, GROUP):
            count = min(GROUP, stop - k)
            for way in range(shape.ways):
                bias = at(flat, starts[3 + 3 * way])
                added = at(bias, columns)  # the recurrent bias, where it is not apart
                together = (shape.gates - shape.apart) * shape.units if shape.apart else 0
                for i in range(count):
                    row = at(rows, i * columns)
                    copy(row, bias, columns)
                    add(row, added, together)
                add_product(
                    at(vectors, k * dim), dim, 1, at(flat, starts[1 + 3 * way]), columns, rows, columns,
                    (count + 7) // 8 * 8, dim, columns,
                )  # fmt: skip
                copy(at(table, (way * len(distinct) + k) * columns), rows, count * columns)


def table_sizes(shape: Shape, distinct: int) -> tuple[int, int, int]:
    """Numbers of the vectors and of the table of so many words, and of the gradients of the first layer's chunks."""
    columns, chunks = shape.gates * shape.units, -(-distinct // CHUNK)
    return (distinct + GROUP) * shape.dim, shape.ways * distinct * columns, chunks * kernels_size(shape)


def scratch_size(shape: Shape) -> int:
    """Numbers that a thread needs for itself, here and in `recurrence`."""
    size, inputs = TILE * shape.units, shape.ways * shape.units
    of_words = GROUP * (shape.gates * shape.units + shape.dim) + LANES
    return max(of_words, 2 * TILE * (inputs + shape.kinds * inputs) + (3 + shape.ways) * size)


@compiled
def kernels_size(shape: Shape) -> int:
    """Numbers of the kernel and one row of the bias of each direction of the first layer."""
    return shape.ways * (shape.dim + 1) * shape.gates * shape.units


@compiled
def add_up_words(
    queue: Array,
    shape: Shape,
    transposed: Array,
    starts: Array,
    seen: Array,
    distinct: Array,
    firsts: Array,
    places: Array,
    vectors: Array,
    memory: Array,
    gradient: Array,
    kernels: Array,
    squares: Array,
    scratch: Array,
) -> None:
    """Take chunks of the distinct words, add up the gradients of their occurrences, and go back through the table.

    Args:
        transposed: the weights behind the vectors, kernels transposed.
        memory: of the tiles, after the way back.
        gradient: float32, of all weights, flat; rows of the vectors of these words are written.
        kernels: float32 (chunks * kernels_size,), written: the gradients of kernels and biases, of each chunk alone.
        squares: float64 (chunks,), written: the sum of the squares of the vectors' gradients.
        scratch: as `fill_table` has it.
    """
    dim, units, columns = shape.dim, shape.units, shape.gates * shape.units
    size, part = TILE * units, kernels_size(shape)
    rows = at(scratch, claim(queue, 1) * scratch.shape[1])
    dvectors, lanes = at(rows, GROUP * columns), at(rows, GROUP * (columns + dim))
    while True:
        chunk = claim(queue, 0)
        first = chunk * CHUNK
        if first >= len(distinct):
            return
        stop = min(len(distinct), first + CHUNK)
        of_chunk = at(kernels, chunk * part)
        zero(of_chunk, part)
        zero(lanes, LANES)
        for k in range(first, stop, GROUP):
            count = min(GROUP, stop - k)
            zero(dvectors, GROUP * dim)
            for way in range(shape.ways):
                zero(rows, GROUP * columns)
                for i in range(count):
                    for o in range(firsts[k + i], firsts[k + i + 1]):
                        place = places[way, o]
                        for gate in range(shape.gates):
                            here = at(memory, place + input_block(shape, gate) * size)
                            there = at(rows, i * columns + gate * units)
                            for j in range(units):
                                there[j] += here[j]
                dkernel = at(of_chunk, way * (dim + 1) * columns)
                kernel = at(transposed, starts[1 + 3 * way] - starts[1])
                add_product(rows, columns, 1, kernel, dim, dvectors, dim, GROUP, columns, dim)
                add_product(at(vectors, k * dim), 1, dim, rows, columns, dkernel, columns, dim, count, columns)
                dbias = at(dkernel, dim * columns)
                for i in range(count):
                    add(dbias, at(rows, i * columns), columns)
            for i in range(count):
                word = distinct[k + i]
                factor = seen[word] if len(seen) else np.float32(1)
                there, dvector = at(gradient, word * dim), at(dvectors, i * dim)
                for j in range(dim):
                    there[j] = dvector[j] * factor
                for j in range(0, dim, LANES):
                    some = at(there, j)
                    for lane in range(LANES):
                        lanes[lane] += some[lane] * some[lane]
        total = 0.0
        for lane in range(LANES):
            total += lanes[lane]
        squares[chunk] = total
