"""The recurrence over tiles of reviews: forward pass, loss and backward pass, as `reference.py` explains them.

Keras runs a recurrent layer step by step over whole batches, padding included. Here `TILE` reviews of similar length
are read together, from the first word to the gradient of the last weight, so that their activations stay in the CPU's
cache; a step computes only the reviews that still have a word. Padding that is skipped is never computed.

If the network reads padding, has one direction and pools the last state, the padding that reviews start with is read
once per batch: the states are the same for all reviews, and their gradients can be added up before they go back.

Gradients of weights are added up in `ACCUMULATORS` sums. A thread takes a sum, and adds the gradients of its tiles in
order, so neither the bits nor the memory depend on the number of threads.
"""

from typing import Any, NamedTuple

from imdb_rnn.engine.kernels.arithmetic import (
    Array,
    Pointer,
    atomic_fetch_add,
    cross_entropy_and_gradient,
    ptr,
    set_zero,
)
from imdb_rnn.engine.kernels.backward import backward
from imdb_rnn.engine.kernels.batch import BatchPointers, PackedBatch, tile_of
from imdb_rnn.engine.kernels.compiled import compiled, inner
from imdb_rnn.engine.kernels.forward import forward
from imdb_rnn.engine.kernels.network import Rnn, as_pointers, scratch_of
from imdb_rnn.engine.kernels.pooling import head, head_backward, pool_tile

ACCUMULATORS = 32  # sums of gradients; tile i is added to sum i % ACCUMULATORS

# Tasks: the logits; also the loss and its gradients; also the gradients of a logit of each review
PREDICT, LEARN, EXPLAIN = 0, 1, 2
# For shared padding, each by one thread: before the other tiles, and after LEARN or EXPLAIN
FORWARD_PADDING, BACKWARD_PADDING = 3, 4


class Examples(NamedTuple):
    """What is known of a batch's reviews, and what is computed.

    y: float32 (reviews,), the class; for EXPLAIN the number of the logit; not for PREDICT
    sample_weights: float64 (reviews,), what each loss is multiplied by; only for LEARN
    feature_mask: float32 (reviews, features), what dropout multiplies the features by; (0, 0) without dropout
    logits: float32 (reviews, num_logits), are added to
    dlogits: float64 (reviews, num_logits), written: the gradient of the mean loss, or of a logit, with respect to them
    losses: float64 (reviews,), written by LEARN
    """

    y: Array
    sample_weights: Array
    feature_mask: Array
    logits: Array
    dlogits: Array
    losses: Array


class Workspace(NamedTuple):
    """Memory, all float32.

    activations: at least `workspace_size`; after the backward pass its blocks hold the gradients of x_t W + b
    gradients: (accumulators, weights of the recurrent network), written: the gradients, each a part of the sum
    scratch: (threads, at least `scratch_size`)
    """

    activations: Array
    gradients: Array
    scratch: Array


@compiled
def run_tiles(
    queue: Array, task: int, cell: Any, rnn: Rnn, table: Array, packed: PackedBatch, examples: Examples, work: Workspace
) -> None:
    """Take sums of gradients, and for each run its tiles in order.

    Args:
        queue: see `threads.parallel_for`
        task: PREDICT, LEARN, EXPLAIN, FORWARD_PADDING or BACKWARD_PADDING
        cell: one of `cells.CELLS`
        table: see `projections.Projections`
    """
    dims, net = rnn.dims, as_pointers(rnn)
    batch = BatchPointers(
        len(packed.lengths),
        len(packed.padding) > 0,
        ptr(packed.lengths, 0),
        ptr(packed.padding, 0),
        ptr(packed.step_offsets, 0),
        ptr(packed.word_index, 0),
        packed.word_index.shape[1],
        ptr(table, 0),
        len(table) // dims.num_directions,
        ptr(work.activations, 0),
    )
    num_reviews, has_mask = len(examples.logits), len(examples.feature_mask) > 0
    scratch = scratch_of(dims, ptr(work.scratch, atomic_fetch_add(queue, 1) * work.scratch.shape[1]))
    tiles, on_padding = len(packed.step_offsets) - 1, task >= FORWARD_PADDING
    learns = task in (LEARN, EXPLAIN)
    while True:
        accumulator = atomic_fetch_add(queue, 0)
        if accumulator >= min(tiles, ACCUMULATORS):
            return
        gradient = ptr(work.gradients, accumulator * work.gradients.shape[1])
        if learns:
            set_zero(gradient, work.gradients.shape[1])
        for number in range(accumulator, tiles, ACCUMULATORS):
            tile = tile_of(dims, batch, number)
            if tile.is_padding != on_padding:
                continue
            answers = 0 if tile.is_padding else tile.num_reviews
            mask = ptr(examples.feature_mask, tile.first * examples.feature_mask.shape[1])
            count, y = dims.num_logits, ptr(examples.y, tile.first)
            logits, dlogits = ptr(examples.logits, tile.first * count), ptr(examples.dlogits, tile.first * count)
            if task != BACKWARD_PADDING:
                forward(cell, net, batch, tile, scratch)
            if task != FORWARD_PADDING:
                pool_tile(dims, tile, answers, scratch)
                head(net, scratch.features, has_mask, mask, answers, logits)
            if task == LEARN:
                sample_weights, losses = ptr(examples.sample_weights, tile.first), ptr(examples.losses, tile.first)
                loss(y, sample_weights, logits, count, answers, num_reviews, dlogits, losses)
            elif task == EXPLAIN:
                for i in range(answers * count):
                    dlogits[i] = 1.0 if i % count == y[i // count] else 0.0
            if learns or task == BACKWARD_PADDING:
                head_backward(net, scratch.features, has_mask, mask, answers, dlogits, scratch.dfeatures, gradient)
                backward(cell, net, batch, tile, scratch, gradient)


@inner
def loss(
    y: Pointer,
    sample_weights: Pointer,
    logits: Pointer,
    count: int,
    n: int,
    num_reviews: int,
    dlogits: Pointer,
    losses: Pointer,
) -> None:
    """Write the losses of n reviews, and the gradients of the mean loss of `num_reviews` reviews."""
    for r in range(n):
        of_review = ptr(dlogits, r * count)
        losses[r] = cross_entropy_and_gradient(y[r], ptr(logits, r * count), count, of_review) * sample_weights[r]
        for k in range(count):
            of_review[k] = of_review[k] * sample_weights[r] / num_reviews
