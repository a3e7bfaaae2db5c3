"""What is made of a layer's states for the head: the last one, their maximum or mean over the words, or both."""

from collections.abc import Callable

import numpy as np

from imdb_rnn.network.activations import Array, compiled
from imdb_rnn.network.layout import Part

Back = Callable[[np.ndarray], list[tuple[np.ndarray, np.ndarray]]]


def pool(pooling: str, directions: list[tuple[np.ndarray, np.ndarray]], part: Part) -> tuple[np.ndarray, Back]:
    """Pool the states of each direction of a layer.

    Args:
        pooling: `last`, `max`, `mean` or `max+mean`.
        directions: for each the states before each step, float32 (words, units), and the last ones, (reviews, units).

    Returns:
        float32 (reviews, features), for each kind of pooling the directions' units side by side; and a function from
        the gradient with respect to it to those with respect to each direction's states after each step (none, for
        `last`) and its last states.
    """
    kinds = pooling.split("+")
    shape = directions[0][1].shape
    pools = []
    for before, last in directions:
        highest, mean = np.zeros((2, *shape), np.float32)
        where = np.zeros(shape, np.int64)
        if kinds != ["last"]:
            _pool(before, part.sizes, part.lengths, last, highest, where, mean)
        pools.append({"last": last, "max": highest, "mean": mean, "where": where})

    def back(dpooled: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        pieces = iter(np.split(dpooled, len(kinds) * len(directions), axis=1))
        by_kind = {kind: [next(pieces) for _ in directions] for kind in kinds}
        nothing = [np.zeros(shape, np.float32)] * len(directions)
        gradients = []
        for direction, pooled in enumerate(pools):
            dlast, dhighest, dmean = (by_kind.get(kind, nothing)[direction] for kind in ("last", "max", "mean"))
            dstates = np.empty((0 if kinds == ["last"] else len(part.words), shape[1]), np.float32)
            if kinds != ["last"]:
                _pool_back(part.sizes, part.lengths, pooled["where"], dhighest, dmean, dstates)
            gradients.append((dstates, dlast))
        return gradients

    return np.hstack([pooled[kind] for kind in kinds for pooled in pools]), back


@compiled
def _pool(before: Array, sizes: Array, lengths: Array, last: Array, highest: Array, where: Array, mean: Array) -> None:
    """Highest state of each review in each unit, the row it is in, and mean state; zeros for a review without words."""
    units = last.shape[1]
    here = 0
    for t in range(len(sizes)):
        n = sizes[t]
        previous = here - sizes[t - 1]
        for r in range(n):
            for j in range(units):
                if t == 0:
                    highest[r, j] = -np.inf
                    mean[r, j] = 0
                else:  # what a step finds is the state after the step before it
                    state = before[here + r, j]
                    mean[r, j] += state
                    if not state <= highest[r, j]:
                        highest[r, j] = state
                        where[r, j] = previous + r
            if lengths[r] == t + 1:
                for j in range(units):
                    mean[r, j] = (mean[r, j] + last[r, j]) / np.float32(lengths[r])
                    if not last[r, j] <= highest[r, j]:
                        highest[r, j] = last[r, j]
                        where[r, j] = here + r
        here += n


@compiled
def _pool_back(sizes: Array, lengths: Array, where: Array, dhighest: Array, dmean: Array, dstates: Array) -> None:
    here = 0
    for t in range(len(sizes)):
        for r in range(sizes[t]):
            for j in range(dmean.shape[1]):
                dstates[here + r, j] = dmean[r, j] / np.float32(lengths[r])
        here += sizes[t]
    if here:
        for r in range(sizes[0]):
            for j in range(dhighest.shape[1]):
                dstates[where[r, j], j] += dhighest[r, j]
