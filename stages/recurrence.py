"""The recurrence itself: all three cells over reviews of any length, forwards and backwards, without padding.

Keras runs a recurrent layer step by step over whole batches, padding included. Here a batch is a set of reviews sorted
by length, longest first, so that those which still have a word at a step are the first rows: a step is one matrix
product of just those rows, and padding is never computed. What a word contributes to a step depends on nothing but the
word, so it is looked up in a table of `embeddings @ kernel + bias`, made once a batch for the whole vocabulary; the
gradient of a weight matrix is one large product after the loop. Compiled by Numba; the products are BLAS'.

The formulas are those of `keras.layers.SimpleRNN`, `LSTM` and `GRU` (`reset_after=True`) with their default
activations, and the order of the gates is theirs: i, f, c, o and z, r, h. The tests hold values and gradients to them.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

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
_compiled = numba.njit(nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "arcp", "nsz"})


@_compiled
def _tanh(x):
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


@_compiled
def _sigmoid(x):
    return np.float32(0.5) + np.float32(0.5) * _tanh(np.float32(0.5) * x)


# In the functions below, the steps of a part of a batch lie one behind the other: row `here + r` of `before` (hidden
# state before the step), `gates` (activated) and `aside` (what else the way back needs) belongs to review r at step t.
# `h` is each review's newest state; only the first `n` reviews have a word at step t, so a last state stays as it was.
# Without `keep` the steps overwrite each other. On the way back `dh` is the gradient by `h`, `dproduct` that by the
# product with the recurrent kernel, and `dword` that by the table's row; these two are one but in a GRU.


@_compiled
def _simple_rnn(table, recurrent, bias, h, tokens, starts, sizes, before, gates, aside, keep):
    units = recurrent.shape[0]
    here = 0
    for t in range(len(sizes)):
        n = sizes[t]
        a = gates[here : here + n]
        np.dot(h[:n], recurrent, a)
        for r in range(n):
            word = table[tokens[starts[r] + t]]
            for j in range(units):
                before[here + r, j] = h[r, j]
                a[r, j] = _tanh(a[r, j] + word[j])
                h[r, j] = a[r, j]
        if keep:
            here += n


@_compiled
def _simple_rnn_back(recurrent_t, sizes, before, gates, aside, dh, dproduct, dword):
    units = recurrent_t.shape[1]
    here = len(gates)
    for t in range(len(sizes) - 1, -1, -1):
        n = sizes[t]
        here -= n
        a, d = gates[here : here + n], dproduct[here : here + n]
        for r in range(n):
            for j in range(units):
                d[r, j] = dh[r, j] * (np.float32(1) - a[r, j] * a[r, j])
        np.dot(d, recurrent_t, dh[:n])


@_compiled
def _lstm(table, recurrent, bias, h, tokens, starts, sizes, before, gates, aside, keep):
    """`aside` is the cell state before the step."""
    units = recurrent.shape[0]
    cell = np.zeros_like(h)
    here = 0
    for t in range(len(sizes)):
        n = sizes[t]
        a = gates[here : here + n]
        np.dot(h[:n], recurrent, a)
        for r in range(n):
            word = table[tokens[starts[r] + t]]
            for j in range(2 * units):
                a[r, j] = _sigmoid(a[r, j] + word[j])
            for j in range(2 * units, 3 * units):
                a[r, j] = _tanh(a[r, j] + word[j])
            for j in range(3 * units, 4 * units):
                a[r, j] = _sigmoid(a[r, j] + word[j])
            for j in range(units):
                before[here + r, j] = h[r, j]
                aside[here + r, j] = cell[r, j]
                cell[r, j] = a[r, units + j] * cell[r, j] + a[r, j] * a[r, 2 * units + j]
                h[r, j] = a[r, 3 * units + j] * _tanh(cell[r, j])
        if keep:
            here += n


@_compiled
def _lstm_back(recurrent_t, sizes, before, gates, aside, dh, dproduct, dword):
    units = recurrent_t.shape[1]
    one = np.float32(1)
    dcell = np.zeros_like(dh)
    here = len(gates)
    for t in range(len(sizes) - 1, -1, -1):
        n = sizes[t]
        here -= n
        a, d, cell = gates[here : here + n], dproduct[here : here + n], aside[here : here + n]
        for r in range(n):
            for j in range(units):
                i, f, c, o = a[r, j], a[r, units + j], a[r, 2 * units + j], a[r, 3 * units + j]
                squashed = _tanh(f * cell[r, j] + i * c)
                dc = dcell[r, j] + dh[r, j] * o * (one - squashed * squashed)
                d[r, j] = dc * c * i * (one - i)
                d[r, units + j] = dc * cell[r, j] * f * (one - f)
                d[r, 2 * units + j] = dc * i * (one - c * c)
                d[r, 3 * units + j] = dh[r, j] * squashed * o * (one - o)
                dcell[r, j] = dc * f
        np.dot(d, recurrent_t, dh[:n])


@_compiled
def _gru(table, recurrent, bias, h, tokens, starts, sizes, before, gates, aside, keep):
    """`aside` is the recurrent part of the candidate, before the reset gate."""
    units = recurrent.shape[0]
    here = 0
    for t in range(len(sizes)):
        n = sizes[t]
        a, candidate = gates[here : here + n], aside[here : here + n]
        np.dot(h[:n], recurrent, a)
        for r in range(n):
            word = table[tokens[starts[r] + t]]
            for j in range(2 * units):
                a[r, j] = _sigmoid(a[r, j] + bias[j] + word[j])
            for j in range(units):
                k = 2 * units + j
                before[here + r, j] = h[r, j]
                candidate[r, j] = a[r, k] + bias[k]
                a[r, k] = _tanh(word[k] + a[r, units + j] * candidate[r, j])
                h[r, j] = a[r, j] * h[r, j] + (np.float32(1) - a[r, j]) * a[r, k]
        if keep:
            here += n


@_compiled
def _gru_back(recurrent_t, sizes, before, gates, aside, dh, dproduct, dword):
    units = recurrent_t.shape[1]
    one = np.float32(1)
    through = np.empty_like(dh)
    here = len(gates)
    for t in range(len(sizes) - 1, -1, -1):
        n = sizes[t]
        here -= n
        a, h, candidate = gates[here : here + n], before[here : here + n], aside[here : here + n]
        d, w = dproduct[here : here + n], dword[here : here + n]
        for r in range(n):
            for j in range(units):
                z, reset, new = a[r, j], a[r, units + j], a[r, 2 * units + j]
                dnew = dh[r, j] * (one - z) * (one - new * new)
                w[r, j] = dh[r, j] * (h[r, j] - new) * z * (one - z)
                w[r, units + j] = dnew * candidate[r, j] * reset * (one - reset)
                w[r, 2 * units + j] = dnew
                d[r, j] = w[r, j]
                d[r, units + j] = w[r, units + j]
                d[r, 2 * units + j] = dnew * reset
                through[r, j] = dh[r, j] * z
        np.dot(d, recurrent_t, dh[:n])
        for r in range(n):
            for j in range(units):
                dh[r, j] += through[r, j]


@_compiled
def _add_words(dtable, tokens, starts, sizes, dword):
    """Add each word's gradient to its row of the table's."""
    here = 0
    for t in range(len(sizes)):
        n = sizes[t]
        for r in range(n):
            row = dtable[tokens[starts[r] + t]]
            for j in range(dtable.shape[1]):
                row[j] += dword[here + r, j]
        here += n


CELLS = {"simple_rnn": (_simple_rnn, _simple_rnn_back), "lstm": (_lstm, _lstm_back), "gru": (_gru, _gru_back)}


def last_states(cell: str, table: np.ndarray, recurrent: np.ndarray, bias: np.ndarray, batch: Words) -> np.ndarray:
    """Read a batch of reviews and return the hidden state after each one's last word.

    Args:
        cell: `simple_rnn`, `lstm` or `gru`; G is its number of gates.
        table: float32 (vocabulary, G * units), what each word adds to a step, input bias included.
        recurrent: float32 (units, G * units), the recurrent kernel.
        bias: float32 (G * units,), the recurrent bias, which only a GRU has; the other cells do not look at it.
        batch: reviews sorted by length, longest first.

    Returns:
        float32 (reviews, units), zero for a review without words.
    """
    parts = [_part(batch, part) for part in range(PARTS)]
    return _read(
        cell, table, recurrent, bias, parts, [_memory(recurrent, len(starts)) for _, starts, _ in parts], False
    )


def last_states_and_gradients(
    cell: str, table: np.ndarray, recurrent: np.ndarray, bias: np.ndarray, batch: Words
) -> tuple[np.ndarray, Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]]:
    """As `last_states`, with the way back.

    Returns:
        What `last_states` returns, and a function from the gradient of a loss by it, float32 (reviews, units), to the
        gradients by table, recurrent and bias, of the shapes of these.
    """
    parts = [_part(batch, part) for part in range(PARTS)]
    memories = [_memory(recurrent, sizes.sum()) for _, _, sizes in parts]
    last = _read(cell, table, recurrent, bias, parts, memories, True)

    def gradients(dlast: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        backward = CELLS[cell][1]
        recurrent_t = np.ascontiguousarray(recurrent.T)

        def back(part: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            before, gates, aside = memories[part]
            dproduct = np.empty_like(gates)
            dword = np.empty_like(gates) if cell == "gru" else dproduct
            backward(recurrent_t, parts[part][2], before, gates, aside, dlast[part::PARTS].copy(), dproduct, dword)
            return dword, before.T @ dproduct, dproduct.sum(axis=0) if cell == "gru" else np.zeros_like(bias)

        dwords, drecurrent, dbias = zip(*_threads.map(back, range(PARTS)), strict=True)
        dtable = np.zeros_like(table)
        for part, dword in zip(parts, dwords, strict=True):
            _add_words(dtable, *part, dword)
        return dtable, sum(drecurrent), sum(dbias)

    return last, gradients


def _part(batch: Words, part: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every `PARTS`-th review of a batch: tokens, starts, and the number of reviews that have a word at each step."""
    lengths = batch.lengths[part::PARTS]
    steps = np.arange(lengths.max(initial=0))
    return batch.tokens, batch.starts[part::PARTS].copy(), np.searchsorted(-lengths, -steps)


def _memory(recurrent: np.ndarray, rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Room for `before`, `gates` and `aside`."""
    units, columns = recurrent.shape
    before, gates, aside = (np.empty((rows, width), np.float32) for width in (units, columns, units))
    return before, gates, aside


def _read(cell, table, recurrent, bias, parts, memories, keep: bool) -> np.ndarray:
    forward = CELLS[cell][0]

    def read(part: int) -> np.ndarray:
        h = np.zeros((len(parts[part][1]), len(recurrent)), np.float32)
        forward(table, recurrent, bias, h, *parts[part], *memories[part], keep)
        return h

    last = np.empty((sum(len(starts) for _, starts, _ in parts), len(recurrent)), np.float32)
    for part, h in enumerate(_threads.map(read, range(PARTS))):
        last[part::PARTS] = h
    return last
