"""The recurrence itself: cells, directions, layers and pooling over reviews of any length, forwards and backwards.

Keras runs a recurrent layer step by step over whole batches, padding included. Here a batch is a set of reviews sorted
by length, longest first, so that those which still have a word at a step are the first rows: a step is one matrix
product of just those rows, and padding is never computed. What a word contributes to a step of the first layer depends
on nothing but the word, so it is looked up in a table of `vectors @ kernel + bias`, made once a batch for the words
that occur in it; a further layer's table is made of the states below it. The gradient of a weight matrix is one large
product after the loop. Compiled by Numba; the products are BLAS'.

The formulas are those of `keras.layers.SimpleRNN`, `LSTM` and `GRU` (`reset_after=True`) with their default
activations, and the order of the gates is theirs: i, f, c, o and z, r, h. The tests hold values and gradients to them.

A part of a batch is laid out step by step: first every review's first word, then the second words of those that have
one, and so on; arrays of the shape (words, ...) have their rows in this order.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numba
import numpy as np
import scipy.linalg.cython_blas  # noqa: F401, the BLAS that Numba calls, loaded so that the next line reaches it
from threadpoolctl import threadpool_limits

from stages.batches import Words

threadpool_limits(1, "blas")  # these products are small, and must not depend on the number of CPUs

# A batch is cut into so many parts, each run by a thread of its own. It is not the number of CPUs, because that would
# change the order of sums and with it the last bits of the result.
PARTS = 2
_threads = ThreadPoolExecutor(PARTS)

# Sums may be reordered and fused, but not-a-number stays what it is: training looks for it.
compiled = numba.njit(nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "arcp", "nsz"})


@compiled
def tanh(x):
    """tanh within 3e-7: the rational approximation of Eigen's `generic_fast_tanh_float`, which compiles to SIMD."""
    x = np.float32(7.9) if x > np.float32(7.9) else x
    x = np.float32(-7.9) if x < np.float32(-7.9) else x
    y = x * x
    p = np.float32(-2.76076847742355e-16)
    p = p * y + np.float32(2.00018790482477e-13)
    p = p * y + np.float32(-8.60467152213735e-11)
    p = p * y + np.float32(5.12229709037114e-08)
    p = p * y + np.float32(1.48572235717979e-05)
    p = p * y + np.float32(6.37261928875436e-04)
    p = p * y + np.float32(4.89352455891786e-03)
    q = np.float32(1.19825839466702e-06)
    q = q * y + np.float32(1.18534705686654e-04)
    q = q * y + np.float32(2.26843463243900e-03)
    q = q * y + np.float32(4.89352518554385e-03)
    return x * p / q


@compiled
def sigmoid(x):
    return np.float32(0.5) + np.float32(0.5) * tanh(np.float32(0.5) * x)


# A cell is two functions of one step over the n reviews that have a word at it, and the loop over the steps is one for
# all. Forwards: `gates` comes as the product of state and recurrent kernel, and leaves as the activated gates; `words`
# are the rows of `table` to add; `h` (and `c`, where a cell has a second state) are changed in place; `aside` keeps
# what else the way back needs. Backwards: `dh` comes as the gradient by the state after the step; `dproduct` is left as
# the gradient by the product, of which the loop makes the next `dh`; and `dword` as that by the table's row, the same
# array but for a cell with recurrent bias. What goes back past the product stays in `dc`, zero at first.


@compiled
def _simple_rnn(table, words, bias, gates, h, c, aside):
    for r in range(len(words)):
        word = table[words[r]]
        for j in range(h.shape[1]):
            h[r, j] = gates[r, j] = tanh(gates[r, j] + word[j])


@compiled
def _simple_rnn_back(gates, before, aside, dh, dc, dproduct, dword):
    for r in range(len(gates)):
        for j in range(dh.shape[1]):
            dproduct[r, j] = dh[r, j] * (np.float32(1) - gates[r, j] * gates[r, j])


@compiled
def _lstm(table, words, bias, gates, h, c, aside):
    """`aside` is the cell state before the step."""
    units = h.shape[1]
    for r in range(len(words)):
        word = table[words[r]]
        for j in range(2 * units):
            gates[r, j] = sigmoid(gates[r, j] + word[j])
        for j in range(2 * units, 3 * units):
            gates[r, j] = tanh(gates[r, j] + word[j])
        for j in range(3 * units, 4 * units):
            gates[r, j] = sigmoid(gates[r, j] + word[j])
        for j in range(units):
            aside[r, j] = c[r, j]
            c[r, j] = gates[r, units + j] * c[r, j] + gates[r, j] * gates[r, 2 * units + j]
            h[r, j] = gates[r, 3 * units + j] * tanh(c[r, j])


@compiled
def _lstm_back(gates, before, aside, dh, dc, dproduct, dword):
    units = dh.shape[1]
    one = np.float32(1)
    for r in range(len(gates)):  # many short loops, because each is SIMD code and one long one is not
        a, cell, dhr, dcr, d = gates[r], aside[r], dh[r], dc[r], dproduct[r]
        for j in range(units):
            d[j] = tanh(a[units + j] * cell[j] + a[j] * a[2 * units + j])
        for j in range(units):
            dcr[j] += dhr[j] * a[3 * units + j] * (one - d[j] * d[j])
        for j in range(units):
            d[3 * units + j] = dhr[j] * d[j] * a[3 * units + j] * (one - a[3 * units + j])
        for j in range(units):
            d[j] = dcr[j] * a[2 * units + j] * a[j] * (one - a[j])
        for j in range(units):
            d[units + j] = dcr[j] * cell[j] * a[units + j] * (one - a[units + j])
        for j in range(units):
            d[2 * units + j] = dcr[j] * a[j] * (one - a[2 * units + j] * a[2 * units + j])
        for j in range(units):
            dcr[j] *= a[units + j]


@compiled
def _gru(table, words, bias, gates, h, c, aside):
    """`aside` is the recurrent part of the candidate, before the reset gate."""
    units = h.shape[1]
    for r in range(len(words)):  # short loops, as above
        word, a, candidate, state = table[words[r]], gates[r], aside[r], h[r]
        for j in range(2 * units):
            a[j] = sigmoid(a[j] + bias[j] + word[j])
        for j in range(units):
            candidate[j] = a[2 * units + j] + bias[2 * units + j]
        for j in range(units):
            a[2 * units + j] = tanh(word[2 * units + j] + a[units + j] * candidate[j])
        for j in range(units):
            state[j] = a[j] * state[j] + (np.float32(1) - a[j]) * a[2 * units + j]


@compiled
def _gru_back(gates, before, aside, dh, dc, dproduct, dword):
    units = dh.shape[1]
    one = np.float32(1)
    for r in range(len(gates)):
        for j in range(units):
            z, reset, new = gates[r, j], gates[r, units + j], gates[r, 2 * units + j]
            d = dh[r, j] + dc[r, j]
            dnew = d * (one - z) * (one - new * new)
            dword[r, j] = d * (before[r, j] - new) * z * (one - z)
            dword[r, units + j] = dnew * aside[r, j] * reset * (one - reset)
            dword[r, 2 * units + j] = dnew
            dproduct[r, j] = dword[r, j]
            dproduct[r, units + j] = dword[r, units + j]
            dproduct[r, 2 * units + j] = dnew * reset
            dc[r, j] = d * z


@dataclass(frozen=True)
class Cell:
    """A recurrent cell, made by `cell`.

    read, read_back: all steps of a part of a batch, forwards and backwards
    recurrent_bias: the product with the recurrent kernel has a bias of its own, so that Keras' bias is (2, columns),
        the input's first, and `dword` differs from `dproduct`
    """

    read: Callable
    read_back: Callable
    recurrent_bias: bool


def cell(step: Callable, step_back: Callable, *, recurrent_bias: bool = False) -> Cell:
    """Make a cell of the two functions of its step, compiled by `compiled`."""

    # Rows are copied and added number by number: whole arrays would take the compiler seconds.

    @compiled
    def read(table, words, recurrent, bias, sizes, h, c, before, gates, aside, keep):
        here = there = 0
        for t in range(len(sizes)):
            n = sizes[t]
            a = gates[there : there + n]
            np.dot(h[:n], recurrent, a)
            for r in range(n):
                for j in range(h.shape[1]):
                    before[here + r, j] = h[r, j]
            step(table, words[here : here + n], bias, a, h, c, aside[there : there + n])
            here += n
            if keep:
                there += n

    @compiled
    def read_back(recurrent_t, sizes, before, gates, aside, dstates, dh, dc, dproduct, dword):
        here = len(gates)
        for t in range(len(sizes) - 1, -1, -1):
            n = sizes[t]
            here -= n
            if len(dstates) > 0:
                for r in range(n):
                    for j in range(dh.shape[1]):
                        dh[r, j] += dstates[here + r, j]
            rows = slice(here, here + n)
            step_back(gates[rows], before[rows], aside[rows], dh, dc, dproduct[rows], dword[rows])
            np.dot(dproduct[rows], recurrent_t, dh[:n])

    return Cell(read, read_back, recurrent_bias)


SIMPLE_RNN = cell(_simple_rnn, _simple_rnn_back)
LSTM = cell(_lstm, _lstm_back)
GRU = cell(_gru, _gru_back, recurrent_bias=True)


class Weights(NamedTuple):
    """One direction of one layer, as Keras has it; columns is the number of gates times units.

    kernel: float32 (inputs, columns)
    recurrent: float32 (units, columns)
    bias: float32 (columns,), or (2, columns) for a cell with recurrent bias
    """

    kernel: np.ndarray
    recurrent: np.ndarray
    bias: np.ndarray


class _Part(NamedTuple):
    """Some reviews of a batch, laid out step by step.

    words: (words in all,), rows of the table
    sizes: (steps,), the number of reviews that have a word at each step
    lengths: (reviews,)
    """

    words: np.ndarray
    sizes: np.ndarray
    lengths: np.ndarray


@compiled
def _lay_out(tokens, starts, sizes, words):
    here = 0
    for t in range(len(sizes)):
        for r in range(sizes[t]):
            words[here + r] = tokens[starts[r] + t]
        here += sizes[t]


@compiled
def _number(words, row_of, occurring, count):
    """Replace each id by the row that its first occurrence got, and list the ids of the rows; return how many."""
    for i in range(len(words)):
        word = words[i]
        if row_of[word] < 0:
            row_of[word] = count
            occurring[count] = word
            count += 1
        words[i] = row_of[word]
    return count


@compiled
def _add_rows(total, words, rows):
    """Add each row to that row of `total` which `words` names."""
    for i in range(len(words)):
        row = total[words[i]]
        for j in range(total.shape[1]):
            row[j] += rows[i, j]


@compiled
def _pool(before, sizes, lengths, last, highest, where, mean):
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
def _pool_back(sizes, lengths, where, dhighest, dmean, dstates):
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


def _part(batch: Words, part: int) -> _Part:
    """Every `PARTS`-th review of a batch."""
    lengths = batch.lengths[part::PARTS]
    sizes = np.searchsorted(-lengths, -np.arange(lengths.max(initial=0)))
    words = np.empty(sizes.sum(), np.int32)
    _lay_out(batch.tokens, batch.starts[part::PARTS].copy(), sizes, words)
    return _Part(words, sizes, lengths)


def _mirror(part: _Part) -> np.ndarray:
    """Where each row's word stands when the reviews are read from their ends; its own inverse."""
    begins = np.cumsum(part.sizes) - part.sizes
    step = np.repeat(np.arange(len(part.sizes)), part.sizes)
    review = np.arange(len(part.words)) - begins[step]
    return begins[part.lengths[review] - 1 - step] + review


def pooled_states(
    kind: Cell, vectors: np.ndarray, layers: list[list[Weights]], pooling: str, batch: Words
) -> np.ndarray:
    """Read a batch of reviews and return what the pooling makes of the last layer's states.

    Args:
        kind: the cell.
        vectors: float32 (vocabulary, embedding_dim), the word vectors.
        layers: for each layer its direction forwards and, if the layer is bidirectional, the one backwards.
        pooling: `last` (state after the last word that a direction reads), `max` or `mean` over the words, `max+mean`.
        batch: reviews sorted by length, longest first.

    Returns:
        float32 (reviews, features): units, forwards and then backwards, of each kind of pooling; zero for a review
        without words.
    """
    return _read(kind, vectors, layers, pooling, batch, False)[0]


def pooled_states_and_gradients(
    kind: Cell, vectors: np.ndarray, layers: list[list[Weights]], pooling: str, batch: Words
) -> tuple[np.ndarray, Callable[[np.ndarray], tuple[np.ndarray, list[list[Weights]]]]]:
    """As `pooled_states`, with the way back.

    Returns:
        What `pooled_states` returns, and a function from the gradient of a loss by it, float32 (reviews, features), to
        the gradients by `vectors` and `layers`, of the shapes of these.
    """
    return _read(kind, vectors, layers, pooling, batch, True)


def _read(kind: Cell, vectors, layers, pooling, batch, keep: bool) -> tuple[np.ndarray, Callable]:
    parts = list(_threads.map(lambda part: _part(batch, part), range(PARTS)))
    occurring, row_of, count = np.empty(len(vectors), np.int32), np.full(len(vectors), -1, np.int32), 0
    for part in parts:
        count = _number(part.words, row_of, occurring, count)
    occurring = occurring[:count]
    chosen = vectors[occurring]
    tables = list(_threads.map(lambda weights: _table(kind, chosen, weights), layers[0]))

    pooled, backs = zip(
        *_threads.map(lambda part: _read_part(kind, tables, layers, pooling, part, keep), parts), strict=True
    )
    features = np.empty((len(batch.lengths), pooled[0].shape[1]), np.float32)
    for part in range(PARTS):
        features[part::PARTS] = pooled[part]

    def gradients(dfeatures: np.ndarray) -> tuple[np.ndarray, list[list[Weights]]]:
        found = _threads.map(lambda part: backs[part](dfeatures[part::PARTS]), range(PARTS))
        total = [
            [Weights(*map(sum, zip(*of_parts, strict=True))) for of_parts in zip(*layer, strict=True)]
            for layer in zip(*found, strict=True)
        ]
        dvectors = np.zeros_like(vectors)
        dvectors[occurring], total[0] = _table_back(kind, chosen, layers[0], total[0])
        return dvectors, total

    return features, gradients


def _table(kind: Cell, inputs: np.ndarray, weights: Weights) -> np.ndarray:
    """What each row of `inputs` adds to a step: float32 (rows, columns)."""
    return inputs @ weights.kernel + (weights.bias[0] if kind.recurrent_bias else weights.bias)


def _table_back(
    kind: Cell, inputs: np.ndarray, layer: list[Weights], found: list[Weights]
) -> tuple[np.ndarray, list[Weights]]:
    """From gradients by tables, which `found` has in the place of the kernels', to those by inputs and weights."""
    dinputs = sum(d.kernel @ weights.kernel.T for d, weights in zip(found, layer, strict=True))
    gradients = []
    for dtable, drecurrent, drecurrent_bias in found:
        dbias = dtable.sum(axis=0)
        if kind.recurrent_bias:
            dbias = np.stack([dbias, drecurrent_bias])
        gradients.append(Weights(inputs.T @ dtable, drecurrent, dbias))
    return dinputs, gradients


def _read_part(kind: Cell, tables, layers, pooling, part: _Part, keep: bool) -> tuple[np.ndarray, Callable]:
    """One part's features, and the way back to the gradients of each layer.

    In the first layer, whose tables all parts share, the gradient by the table stands in the place of the kernel's.
    """
    mirror = _mirror(part) if len(layers[0]) == 2 else None
    words, inputs, runs = part.words, [], []
    for number, layer in enumerate(layers):
        if number:
            after = [_after(run, part) for run in runs[-1]]
            inputs.append(np.hstack([after[0], *(states[mirror] for states in after[1:])]))
            tables = [_table(kind, inputs[-1], weights) for weights in layer]
            words = np.arange(len(words))
        orders = [words, *(words[mirror] for _ in layer[1:])]
        runs.append([_run(kind, *direction, part, keep) for direction in zip(tables, orders, layer, strict=True)])
    pooled, pool_back = _pool_runs(pooling, runs[-1], part)

    def back(dpooled: np.ndarray) -> list[list[Weights]]:
        arriving, gradients = pool_back(dpooled), []
        for number in range(len(layers) - 1, -1, -1):
            found = [run.back(*d) for run, d in zip(runs[number], arriving, strict=True)]
            if number:
                dinputs, found = _table_back(kind, inputs[number - 1], layers[number], found)
                below = np.split(dinputs, len(found), axis=1)
                dstates = [below[0].copy(), *(d[mirror] for d in below[1:])]
                arriving = [(d, np.zeros_like(run.last)) for d, run in zip(dstates, runs[number - 1], strict=True)]
            gradients.insert(0, found)
        return gradients

    return pooled, back


class _Run(NamedTuple):
    """One direction of one layer over a part: its states before each step and after the last, and the way back.

    That goes from the gradients by the states after each step (or none of them) and by the last, to those by table,
    recurrent kernel and recurrent bias (zeros if the cell has none), in this order.
    """

    before: np.ndarray
    last: np.ndarray
    back: Callable[[np.ndarray, np.ndarray], Weights]


def _run(kind: Cell, table: np.ndarray, words: np.ndarray, weights: Weights, part: _Part, keep: bool) -> _Run:
    recurrent, bias = weights.recurrent, weights.bias[-1] if kind.recurrent_bias else weights.bias
    units, columns = recurrent.shape
    kept = len(words) if keep else len(part.lengths)  # without, the steps overwrite each other
    before = np.empty((len(words), units), np.float32)
    gates, aside = np.empty((kept, columns), np.float32), np.empty((kept, units), np.float32)
    last, c = np.zeros((2, len(part.lengths), units), np.float32)
    kind.read(table, words, recurrent, bias, part.sizes, last, c, before, gates, aside, keep)

    def back(dstates: np.ndarray, dlast: np.ndarray) -> Weights:
        dproduct = np.empty_like(gates)
        dword = np.empty_like(gates) if kind.recurrent_bias else dproduct
        recurrent_t = np.ascontiguousarray(recurrent.T)
        dh, dc = dlast.copy(), np.zeros_like(dlast)
        kind.read_back(recurrent_t, part.sizes, before, gates, aside, dstates, dh, dc, dproduct, dword)
        dtable = np.zeros_like(table)
        _add_rows(dtable, words, dword)
        dbias = dproduct.sum(axis=0) if kind.recurrent_bias else np.zeros_like(bias)
        return Weights(dtable, before.T @ dproduct, dbias)

    return _Run(before, last, back)


def _after(run: _Run, part: _Part) -> np.ndarray:
    """The states after the steps, from those before them: row r of step t is row r of step t + 1, or the last state."""
    step = np.repeat(np.arange(len(part.sizes)), part.sizes)
    row = np.arange(len(part.words))
    review = row - (np.cumsum(part.sizes) - part.sizes)[step]
    is_last = step == part.lengths[review] - 1
    after = run.before[np.where(is_last, 0, row + part.sizes[step])]
    after[is_last] = run.last[review[is_last]]
    return after


def _pool_runs(pooling: str, runs: list[_Run], part: _Part) -> tuple[np.ndarray, Callable]:
    """What the head reads, and the way back to what `_Run.back` takes, for each direction."""
    kinds = pooling.split("+")
    shape = runs[0].last.shape
    pools = []
    for run in runs:
        highest, mean = np.zeros((2, *shape), np.float32)
        where = np.zeros(shape, np.int64)
        if kinds != ["last"]:
            _pool(run.before, part.sizes, part.lengths, run.last, highest, where, mean)
        pools.append({"last": run.last, "max": highest, "mean": mean, "where": where})

    def back(dpooled: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        pieces = iter(np.split(dpooled, len(kinds) * len(runs), axis=1))
        by_kind = {kind: [next(pieces) for _ in runs] for kind in kinds}
        nothing = [np.zeros(shape, np.float32)] * len(runs)
        arriving = []
        for direction, pool in enumerate(pools):
            dlast, dhighest, dmean = (by_kind.get(kind, nothing)[direction] for kind in ("last", "max", "mean"))
            dstates = np.empty((0 if kinds == ["last"] else len(part.words), shape[1]), np.float32)
            if kinds != ["last"]:
                _pool_back(part.sizes, part.lengths, pool["where"], dhighest, dmean, dstates)
            arriving.append((dstates, dlast))
        return arriving

    return np.hstack([pool[kind] for kind in kinds for pool in pools]), back
