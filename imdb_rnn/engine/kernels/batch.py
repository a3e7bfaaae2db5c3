"""A batch of reviews, packed in tiles for the recurrence."""

from typing import NamedTuple

import numpy as np

from imdb_rnn.engine.kernels.arithmetic import Array, Pointer, ptr
from imdb_rnn.engine.kernels.compiled import compiled, inner
from imdb_rnn.engine.kernels.network import TILE, Dims, activations_offset, workspace_size
from imdb_rnn.engine.ragged import PADDING, Ragged


class PackedBatch(NamedTuple):
    """Reviews, longest first, in tiles of `TILE`: step by step, in each step review by review.

    lengths: int64 (rows,), of the reviews; where they share padding, a tile with this padding comes before them
    padding: int64 (rows,), how many steps of the shared padding come before each review; (0,) if none is shared
    step_offsets: int64 (tiles + 1,), how many steps the tiles before each one have in total
    word_index: int32 (directions, steps * TILE), which of `words` is read there; the second direction reads backwards
    words: int32 (words,), the distinct ids of the batch, ascending
    occurrence_offsets: int64 (words + 1,), where the occurrences of each word begin in `activation_offsets`
    activation_offsets: int64 (directions, occurrences), where the first block of each occurrence is in the activations
    """

    lengths: Array
    padding: Array
    step_offsets: Array
    word_index: Array
    words: Array
    occurrence_offsets: Array
    activation_offsets: Array


def share_padding(batch: Ragged) -> tuple[Ragged, np.ndarray]:
    """Strip leading padding, and put the longest of it into a row of its own, from which all reviews start.

    Args:
        batch: sorted by length without leading padding, longest first.

    Returns:
        The rows for `pack`, and `PackedBatch.padding`. Before the reviews comes a tile: the longest padding, and empty
        rows. A review of padding alone keeps the last of it. If no review starts with padding, or the order is another
        one, the batch itself and an empty array.
    """
    counts = np.zeros(len(batch), np.int64)
    _count_padding(batch.values, batch.starts, batch.lengths, counts)
    lengths = batch.lengths - counts
    if not counts.any() or np.any(np.diff(lengths) > 0):
        return batch, np.empty(0, np.int64)
    longest, tile = int(counts.argmax()), np.zeros(TILE, np.int64)
    starts, lengths = np.concatenate([tile, batch.starts + counts]), np.concatenate([tile, lengths])
    starts[0], lengths[0] = batch.starts[longest], counts[longest]
    return Ragged(batch.values, starts, lengths), np.concatenate([tile, counts])


@compiled
def _count_padding(values: Array, starts: Array, lengths: Array, counts: Array) -> None:
    for r in range(len(lengths)):
        while counts[r] < lengths[r] - 1 and values[starts[r] + counts[r]] == PADDING:
            counts[r] += 1


def pack(batch: Ragged, padding: np.ndarray, dims: Dims, vocab_size: int) -> PackedBatch:
    """Pack a batch, longest review first; for `padding` see `PackedBatch`."""
    step_offsets = np.concatenate([[0], np.cumsum(batch.lengths[::TILE])])
    packed = PackedBatch(
        batch.lengths,
        padding,
        step_offsets,
        np.zeros((dims.num_directions, max(1, step_offsets[-1]) * TILE), np.int32),
        np.zeros(vocab_size, np.int32),
        np.zeros(vocab_size + 1, np.int64),
        np.empty((dims.num_directions, batch.lengths.sum()), np.int64),
    )
    counts, index_of = np.zeros(vocab_size, np.int64), np.empty(vocab_size, np.int32)
    count = max(1, _pack(dims, batch.values, batch.starts, packed, counts, index_of))
    return packed._replace(words=packed.words[:count], occurrence_offsets=packed.occurrence_offsets[: count + 1])


@compiled
def _pack(
    dims: Dims, values: Array, starts: Array, packed: PackedBatch, next_occurrence: Array, index_of: Array
) -> int:
    """Fill in the arrays, and return the number of distinct words.

    Args:
        next_occurrence, index_of: int64 and int32 (vocab_size,), zeros and anything, for intermediate results
    """
    for r in range(len(starts)):
        for t in range(starts[r], starts[r] + packed.lengths[r]):
            next_occurrence[values[t]] += 1  # at first a count
    count = 0
    for word in range(len(next_occurrence)):
        occurrences = next_occurrence[word]
        if occurrences:
            packed.words[count], index_of[word] = word, count
            packed.occurrence_offsets[count + 1] = packed.occurrence_offsets[count] + occurrences
            next_occurrence[word] = packed.occurrence_offsets[count]
            count += 1
    size = TILE * dims.units
    for r in range(len(starts)):
        tile = r // TILE
        row, first_step, length = r - tile * TILE, packed.step_offsets[tile], packed.lengths[r]
        steps = packed.step_offsets[tile + 1] - first_step
        states = size * (steps + 1) * (1 + dims.has_cell_state)  # before the blocks
        forward = workspace_size(dims, first_step, tile) + states + row * dims.units
        backward = forward + activations_offset(dims, steps, 0, 1)
        for t in range(length):
            word = values[starts[r] + t]
            occurrence = next_occurrence[word]
            next_occurrence[word] = occurrence + 1
            packed.word_index[0, (first_step + t) * TILE + row] = index_of[word]
            packed.activation_offsets[0, occurrence] = forward + t * dims.num_blocks * size
            if dims.num_directions == 2:
                back = length - 1 - t
                packed.word_index[1, (first_step + back) * TILE + row] = index_of[word]
                packed.activation_offsets[1, occurrence] = backward + back * dims.num_blocks * size
    return count


class BatchPointers(NamedTuple):
    """A `PackedBatch` in compiled code, with the table of `Projections` and the memory for all activations.

    The strides are the distances from the first direction to the second.
    """

    num_rows: int
    has_padding: bool
    lengths: Pointer
    padding: Pointer
    step_offsets: Pointer
    word_index: Pointer
    word_stride: int
    table: Pointer
    table_stride: int
    activations: Pointer


class Tile(NamedTuple):
    """Reviews that are read together.

    steps: words of the longest review
    first_step: steps of the tiles before it
    first: number of its first review in `Examples`
    num_reviews: TILE, or fewer in the last tile; of shared padding one of TILE rows has words
    lengths, padding: int64 (num_reviews,), see `PackedBatch`
    activations: see `workspace_size`
    """

    steps: int
    first_step: int
    first: int
    num_reviews: int
    is_padding: bool
    lengths: Pointer
    padding: Pointer
    activations: Pointer


@inner
def tile_of(dims: Dims, batch: BatchPointers, number: int) -> Tile:
    first_step, row = batch.step_offsets[number], number * TILE
    return Tile(
        batch.step_offsets[number + 1] - first_step,
        first_step,
        row - TILE if batch.has_padding else row,
        min(TILE, batch.num_rows - row),
        batch.has_padding and number == 0,
        ptr(batch.lengths, row),
        ptr(batch.padding, row),
        ptr(batch.activations, workspace_size(dims, first_step, number)),
    )
