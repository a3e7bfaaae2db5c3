"""The arithmetic that decides a bit of the network: the same on every processor, whatever it can do at once.

No sum is reordered, no multiplication and addition are fused but where `fma` says so, and exp, log, tanh and sigmoid
are made of these; a library's may differ with the processor in the last bit.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from imdb_rnn.engine.kernels.compiled import compiled, inner

Array = np.ndarray  # these two are short, in the signatures of compiled functions
Pointer = Any  # what `at` gives

_intrinsic: Any = intrinsic  # mypy would count the first argument, which Numba gives

LANES, ROWS = 16, 8  # a product is computed in blocks of so many columns and rows


@_intrinsic
def fma(typing: Any, x: Any, y: Any, z: Any) -> Any:
    """x * y + z with one rounding, float32; LLVM makes vectors of it, and calls libm where the processor has none."""
    return types.float32(types.float32, types.float32, types.float32), lambda _, b, signature, values: b.fma(*values)


@_intrinsic
def at(typing: Any, numbers: Any, offset: Any) -> Any:
    """The place of a number in an array, or so many behind another place, as one number to the processor.

    Indexing from there is neither checked nor counted from an end: quick to compile, and to run.
    """

    def generate(context: Any, b: Any, signature: Any, values: Any) -> Any:
        base = values[0]
        if isinstance(numbers, types.Array):
            base = context.make_array(numbers)(context, b, value=base).data
        return b.gep(base, [values[1]])

    return types.CPointer(numbers.dtype)(numbers, types.intp), generate


@_intrinsic
def _not_inlined(typing: Any) -> Any:
    """In a function: LLVM compiles it once, not once more for each call. Most of what a compiler does is copies."""

    def generate(context: Any, b: Any, signature: Any, values: Any) -> Any:
        b.function.attributes.add("noinline")
        return context.get_dummy_value()

    return types.void(), generate


@inner
def zero(numbers: Pointer, count: int) -> None:
    _not_inlined()
    for i in range(count):
        numbers[i] = np.float32(0)


@inner
def copy(numbers: Pointer, source: Pointer, count: int) -> None:
    _not_inlined()
    for i in range(count):
        numbers[i] = source[i]


@inner
def add(numbers: Pointer, more: Pointer, count: int) -> None:
    _not_inlined()
    for i in range(count):
        numbers[i] += more[i]


@_intrinsic
def claim(typing: Any, queue: Any, place: Any) -> Any:
    """Add 1 to a number of the array `queue`, int64, and return what it was; no two threads get the same."""

    def generate(context: Any, b: Any, signature: Any, values: Any) -> Any:
        base = context.make_array(queue)(context, b, value=values[0]).data
        return b.atomic_rmw("add", b.gep(base, [values[1]]), ir.Constant(ir.IntType(64), 1), "monotonic")

    return types.int64(queue, types.intp), generate


@_intrinsic
def _block(typing: Any, a: Any, a_row: Any, a_step: Any, w: Any, w_row: Any, out: Any, out_row: Any, count: Any) -> Any:
    """out[:ROWS, :LANES] += a[:ROWS, :count] @ w[:count, :LANES]; the sums stay in registers during the whole loop."""
    length = types.intp
    signature = types.void(a, length, length, w, length, out, length, length)

    def generate(context: Any, b: Any, signature: Any, values: Any) -> Any:
        a, a_row, a_step, w, w_row, out, out_row, count = values
        vector, lane = ir.VectorType(ir.FloatType(), LANES), ir.IntType(32)
        fma = cgutils.get_or_insert_function(b.module, ir.FunctionType(vector, [vector] * 3), f"llvm.fma.v{LANES}f32")

        def lanes(base: Any, row: int, length: Any) -> Any:
            offset = b.mul(ir.Constant(ir.IntType(64), row), length)
            return b.bitcast(b.gep(base, [offset]), vector.as_pointer())

        # AVX-512 holds a row of the block in one register, others in two or four: so many rows fit at once.
        at_once = ROWS if "+avx512f" in context.codegen().magic_tuple()[2] else ROWS // 2
        for first in range(0, ROWS, at_once):
            rows = range(first, first + at_once)
            sums = {r: cgutils.alloca_once(b, vector) for r in rows}  # LLVM turns these into registers
            for r in rows:
                b.store(b.load(lanes(out, r, out_row), align=4), sums[r])
            with cgutils.for_range(b, count) as loop:
                numbers = b.load(b.bitcast(b.gep(w, [b.mul(loop.index, w_row)]), vector.as_pointer()), align=4)
                column = b.gep(a, [b.mul(loop.index, a_step)])
                undefined = ir.Constant(vector, ir.Undefined)
                for r in rows:
                    x = b.load(b.gep(column, [b.mul(ir.Constant(ir.IntType(64), r), a_row)]))
                    x = b.insert_element(undefined, x, lane(0))
                    x = b.shuffle_vector(x, undefined, ir.Constant(ir.VectorType(lane, LANES), [0] * LANES))
                    b.store(b.call(fma, [x, numbers, b.load(sums[r])]), sums[r])
            for r in rows:
                b.store(b.load(sums[r]), lanes(out, r, out_row), align=4)
        return context.get_dummy_value()

    return signature, generate


@inner
def add_product(
    a: Pointer,
    a_row: int,
    a_step: int,
    w: Pointer,
    w_row: int,
    out: Pointer,
    out_row: int,
    n: int,
    k: int,
    m: int,
) -> None:
    """out += a @ w for matrices (n, k), (k, m) and (n, m), float32; each sum goes from k = 0 upwards.

    Args:
        *_row: from a row to the next one; a_step: from a number of a row to the next one (for a transposed `a` that is
            the length of its rows, and a_row is 1).
        n, m: multiples of `ROWS` and of `LANES`.
    """
    _not_inlined()
    for i in range(0, n, ROWS):
        for j in range(0, m, LANES):
            _block(at(a, i * a_row), a_row, a_step, at(w, j), w_row, at(out, i * out_row + j), out_row, k)


@inner
def tanh(x: np.float32) -> np.float32:
    """tanh within 3e-7: the rational approximation of Eigen's `generic_fast_tanh_float`."""
    x = np.float32(7.9) if x > np.float32(7.9) else x
    x = np.float32(-7.9) if x < np.float32(-7.9) else x
    y = x * x
    p = fma(np.float32(-2.76076847742355e-16), y, np.float32(2.00018790482477e-13))
    p = fma(p, y, np.float32(-8.60467152213735e-11))
    p = fma(p, y, np.float32(5.12229709037114e-08))
    p = fma(p, y, np.float32(1.48572235717979e-05))
    p = fma(p, y, np.float32(6.37261928875436e-04))
    p = fma(p, y, np.float32(4.89352455891786e-03))
    q = fma(np.float32(1.19825839466702e-06), y, np.float32(1.18534705686654e-04))
    q = fma(q, y, np.float32(2.26843463243900e-03))
    q = fma(q, y, np.float32(4.89352518554385e-03))
    return x * p / q


@inner
def sigmoid(x: np.float32) -> np.float32:
    """The logistic function, by `tanh`."""
    return np.float32(0.5) + np.float32(0.5) * tanh(np.float32(0.5) * x)


@inner
def exp(x: float) -> float:
    """e to the x, float64, within 3e-16 of its size: 2 to an integer, times a Taylor series of what is left."""
    if x != x or x > 709.0:
        return x + np.inf
    if x < -708.0:
        return 0.0
    whole = np.floor(x * 1.4426950408889634 + 0.5)
    rest = x - whole * 0.6931471803691238 - whole * 1.9082149292705877e-10  # log 2 in two parts, the first one short
    total = 1.0
    for n in range(14, 0, -1):
        total = total * rest / n + 1.0
    power = 1.0  # 2 to the whole, by squares
    base, count = (2.0, whole) if whole > 0 else (0.5, -whole)
    while count > 0:
        half = np.floor(count / 2)
        if count != 2 * half:
            power *= base
        base, count = base * base, half
    return total * power


@inner
def log_loss(y: float, logit: float) -> tuple[float, float]:
    """The loss of a review in nats, and its gradient with respect to the logit, float64.

    The loss is log(1 + exp(-logit)) if y is 1, log(1 + exp(logit)) if it is 0; it never stops growing, and never
    becomes infinite, however sure a wrong answer is. The gradient is the probability minus y, but not computed so, for
    1 minus almost 1 is nothing but rounding.
    """
    wrong = -logit if y > 0.5 else logit
    e = exp(-abs(wrong))
    s = e / (2.0 + e)
    total = 0.0
    for n in range(35, 0, -2):  # log(1 + e) by the series of `log`, which an e that is lost beside 1 does not spoil
        total = total * s * s + 1.0 / n
    off = (1.0 if wrong > 0 else e) / (1.0 + e)
    return (wrong if wrong > 0 else wrong * 0.0) + 2.0 * s * total, -off if y > 0.5 else off


@compiled
def _expit(logits: Array, probability: Array) -> None:
    for i in range(len(logits)):
        e = exp(-abs(logits[i]))
        probability[i] = (1.0 if logits[i] > 0 else e) / (1.0 + e)


def expit(logits: np.ndarray) -> np.ndarray:
    """The probabilities 1 / (1 + exp(-logit)), as exact near 0 as near 1: float64, of the shape of `logits`."""
    probability = np.empty(np.shape(logits))
    # Copied, here and below: for a read-only array Numba would compile anew.
    _expit(np.array(logits, np.float64).ravel(), probability.ravel())
    return probability


@compiled
def _log_losses(y: Array, logits: Array, losses: Array) -> None:
    for i in range(len(y)):
        losses[i], _ = log_loss(y[i], logits[i])


def log_losses(y: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """The `log_loss` of each review: float64 (reviews,)."""
    losses = np.empty(len(logits))
    _log_losses(np.array(y, np.float64), np.array(logits, np.float64), losses)
    return losses


def log(x: np.ndarray) -> np.ndarray:
    """The natural logarithms of numbers above 0, float64, within 1e-15 of their size: by frexp and atanh's series."""
    mantissa, exponent = np.frexp(x)
    low = mantissa < 0.7071067811865476
    mantissa, exponent = np.where(low, 2 * mantissa, mantissa), np.where(low, exponent - 1, exponent)
    s = (mantissa - 1) / (mantissa + 1)
    total = np.zeros_like(s)
    for n in range(23, 0, -2):
        total = total * s * s + 1 / n
    return exponent * 0.6931471803691238 + (exponent * 1.9082149292705877e-10 + 2 * s * total)
