"""The arithmetic that every bit of the network depends on: the same on every CPU, whatever instructions it has.

No sum is reordered, multiplication and addition are fused only by `fma`, and exp, log, tanh and sigmoid consist of
these operations; those of a library may differ between CPUs in the last bit.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.extending import intrinsic

from imdb_rnn.engine.kernels.compiled import compiled, config, inner

Array = np.ndarray
Pointer = Any  # what `ptr` returns

_intrinsic: Any = intrinsic  # mypy would count the first argument, which Numba passes

LANES, ROWS = 16, 8  # a matrix product is computed in blocks of ROWS rows and LANES columns


@_intrinsic
def fma(typing: Any, x: Any, y: Any, z: Any) -> Any:
    """x * y + z with one rounding, float32; LLVM vectorizes it, and calls libm on a CPU without this instruction."""
    return types.float32(types.float32, types.float32, types.float32), lambda _, b, signature, values: b.fma(*values)


@_intrinsic
def ptr(typing: Any, array: Any, offset: Any) -> Any:
    """A pointer to an element of an array, counted in memory order, or `offset` elements behind another pointer.

    Indexing from there checks no bounds and has no negative indices: quick to compile, and to run.
    """

    def generate(context: Any, b: Any, signature: Any, values: Any) -> Any:
        base = values[0]
        if isinstance(array, types.Array):
            base = context.make_array(array)(context, b, value=base).data
        return b.gep(base, [values[1]])

    return types.CPointer(array.dtype)(array, types.intp), generate


@_intrinsic
def never_inline(typing: Any) -> Any:
    """Called in a function: LLVM compiles the function once, and does not copy it into each caller."""

    def generate(context: Any, b: Any, signature: Any, values: Any) -> Any:
        b.function.attributes.add("noinline")
        return context.get_dummy_value()

    return types.void(), generate


@inner
def set_zero(out: Pointer, count: int) -> None:
    never_inline()
    for i in range(count):
        out[i] = np.float32(0)


@inner
def copy(out: Pointer, source: Pointer, count: int) -> None:
    never_inline()
    for i in range(count):
        out[i] = source[i]


@inner
def add(out: Pointer, source: Pointer, count: int) -> None:
    never_inline()
    for i in range(count):
        out[i] += source[i]


@_intrinsic
def atomic_fetch_add(typing: Any, counters: Any, index: Any) -> Any:
    """Add 1 to an element of an int64 array, and return what it was before; no two threads get the same number."""

    def generate(context: Any, b: Any, signature: Any, values: Any) -> Any:
        base = context.make_array(counters)(context, b, value=values[0]).data
        return b.atomic_rmw("add", b.gep(base, [values[1]]), ir.Constant(ir.IntType(64), 1), "monotonic")

    return types.int64(counters, types.intp), generate


def _has_avx512() -> bool:
    features = config.CPU_FEATURES  # what Numba compiles for, if not for this CPU
    return "+avx512f" in (binding.get_host_cpu_features().flatten() if features is None else features)


@contextmanager
def _loop(b: Any, count: Any) -> Iterator[Any]:
    """Build a loop whose body runs `count` times, an LLVM value; yields the index, from 0."""
    zero, one = ir.Constant(count.type, 0), ir.Constant(count.type, 1)
    before, body, after = b.block, b.append_basic_block(), b.append_basic_block()
    b.cbranch(b.icmp_signed("<", zero, count), body, after)
    b.position_at_end(body)
    index = b.phi(count.type)
    index.add_incoming(zero, before)
    yield index
    following = b.add(index, one)
    index.add_incoming(following, b.block)
    b.cbranch(b.icmp_signed("<", following, count), body, after)
    b.position_at_end(after)


@_intrinsic
def _block(typing: Any, a: Any, a_row: Any, a_step: Any, w: Any, w_row: Any, out: Any, out_row: Any, count: Any) -> Any:
    """out[:ROWS, :LANES] += a[:ROWS, :count] @ w[:count, :LANES]; the sums stay in registers during the whole loop."""
    length = types.intp
    signature = types.void(a, length, length, w, length, out, length, length)

    def generate(context: Any, b: Any, signature: Any, values: Any) -> Any:
        a, a_row, a_step, w, w_row, out, out_row, count = values
        vector, lane = ir.VectorType(ir.FloatType(), LANES), ir.IntType(32)
        name = f"llvm.fma.v{LANES}f32"
        fma = b.module.globals.get(name) or ir.Function(b.module, ir.FunctionType(vector, [vector] * 3), name)

        def lanes(base: Any, row: int, length: Any) -> Any:
            offset = b.mul(ir.Constant(ir.IntType(64), row), length)
            return b.bitcast(b.gep(base, [offset]), vector.as_pointer())

        # With AVX-512 a row of the block fits into one register, otherwise it takes two or four.
        rows_in_registers = ROWS if _has_avx512() else ROWS // 2
        for first in range(0, ROWS, rows_in_registers):
            rows = range(first, first + rows_in_registers)
            with b.goto_entry_block():
                sums = {r: b.alloca(vector) for r in rows}  # LLVM turns these into registers
            for r in rows:
                b.store(b.load(lanes(out, r, out_row), align=4), sums[r])
            with _loop(b, count) as index:
                numbers = b.load(b.bitcast(b.gep(w, [b.mul(index, w_row)]), vector.as_pointer()), align=4)
                column = b.gep(a, [b.mul(index, a_step)])
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


class Matrix(NamedTuple):
    """A float32 matrix in memory; for a transposed one `row` is 1 and `column` the length of its stored rows.

    row: elements from one row to the next
    column: elements from one column to the next
    """

    data: Pointer
    row: int
    column: int


@inner
def add_matmul(a: Matrix, w: Matrix, out: Matrix, n: int, k: int, m: int) -> None:
    """out += a @ w, float32, for a (n, k), w (k, m) and out (n, m); each sum runs from k = 0 upwards.

    Args:
        w, out: their `column` is 1.
        n, m: multiples of `ROWS` and of `LANES`.
    """
    never_inline()
    for i in range(0, n, ROWS):
        for j in range(0, m, LANES):
            _block(
                ptr(a.data, i * a.row),
                a.row,
                a.column,
                ptr(w.data, j),
                w.row,
                ptr(out.data, i * out.row + j),
                out.row,
                k,
            )


@inner
def tanh(x: np.float32) -> np.float32:
    """tanh with an error below 3e-7: the rational approximation of Eigen's `generic_fast_tanh_float`."""
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
    """e to the x, float64, with a relative error below 3e-16: 2 to an integer, times a Taylor series of the rest."""
    if x != x or x > 709.0:
        return x + np.inf
    if x < -708.0:
        return 0.0
    whole = np.floor(x * 1.4426950408889634 + 0.5)
    rest = x - whole * 0.6931471803691238 - whole * 1.9082149292705877e-10  # log 2 in two parts, the first one short
    total = 1.0
    for n in range(14, 0, -1):
        total = total * rest / n + 1.0
    power = 1.0  # 2 to the power of whole, by squaring
    base, count = (2.0, whole) if whole > 0 else (0.5, -whole)
    while count > 0:
        half = np.floor(count / 2)
        if count != 2 * half:
            power *= base
        base, count = base * base, half
    return total * power


@inner
def log1p(x: float) -> float:
    """log(1 + x) for x from 0, float64, by the series of `log`; exact even if 1 + x rounds to 1."""
    halvings = 0.0
    while x > 1.0:  # 1 + x = 2 (1 + (x - 1) / 2)
        x, halvings = (x - 1.0) / 2.0, halvings + 1.0
    s = x / (2.0 + x)
    total = 0.0
    for n in range(35, 0, -2):
        total = total * s * s + 1.0 / n
    return halvings * 0.6931471805599453 + 2.0 * s * total


@inner
def logit_of(logits: Pointer, count: int, k: int) -> float:
    """The logit of class k of a review: of two classes the first has the logit 0, and the second the only one."""
    return np.float64(logits[k]) if count > 1 else np.float64(logits[0]) if k else 0.0


@inner
def cross_entropy_and_gradient(y: float, logits: Pointer, count: int, dlogits: Pointer) -> float:
    """The cross-entropy of a review in nats; its derivatives with respect to the `count` logits go to `dlogits`.

    loss = log(sum of exp(logits)) - logits[y], dlogits = softmax(logits) - (1 at y, else 0), where one logit stands for
    two, see `logit_of`, and softmax for sigmoid. All in float64: exact and finite for any finite logits, without the
    cancellation of 1 minus almost 1. Without a class, y = -1, the derivatives are the probabilities.
    """
    classes, label, top = max(count, 2), int(y), 0
    for k in range(1, classes):
        top = k if logit_of(logits, count, k) > logit_of(logits, count, top) else top
    highest, others, rest = logit_of(logits, count, top), 0.0, 0.0  # sums over all but `top`, and all but `label`
    for k in range(classes):
        e = 1.0 if k == top else exp(logit_of(logits, count, k) - highest)
        others += 0.0 if k == top else e
        rest += 0.0 if k == label else e
        dlogits[k if count > 1 else 0] = e
    for k in range(count):
        dlogits[k] /= 1.0 + others
    if label < 0:
        return 0.0
    if count > 1 or label == 1:
        dlogits[label if count > 1 else 0] = -rest / (1.0 + others)
    return highest - logit_of(logits, count, label) + log1p(others)


@compiled
def _cross_entropies(y: Array, logits: Array, losses: Array, dlogits: Array) -> None:
    count = logits.shape[1]
    for r in range(len(logits)):
        losses[r] = cross_entropy_and_gradient(y[r], ptr(logits, r * count), count, ptr(dlogits, r * count))


def cross_entropy(y: np.ndarray, logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The loss of each review in nats, float64 (reviews,), and its derivatives, float64, of the shape of `logits`.

    Args:
        y: (reviews,), classes from 0.
        logits: (reviews,) of two classes, (reviews, classes) of more; see `cross_entropy_and_gradient`.
    """
    # Copied, because Numba would compile again for a read-only array.
    logits, losses = np.array(logits, np.float64, order="C"), np.empty(len(logits))
    dlogits = np.empty_like(logits)
    rows = [array if array.ndim == 2 else array[:, None] for array in (logits, dlogits)]
    _cross_entropies(np.array(y, np.float64), rows[0], losses, rows[1])
    return losses, dlogits


def probabilities(logits: np.ndarray) -> np.ndarray:
    """The logistic function of one logit a review, softmax of several: float64, of the shape of `logits`.

    Args:
        logits: (reviews,), then the probability is that of the second of two classes, or (reviews, classes).
    """
    return cross_entropy(np.full(len(logits), -1), logits)[1]


def log(x: np.ndarray) -> np.ndarray:
    """The natural logarithms of positive numbers, float64, with a relative error below 1e-15: by atanh's series."""
    mantissa, exponent = np.frexp(x)
    low = mantissa < 0.7071067811865476
    mantissa, exponent = np.where(low, 2 * mantissa, mantissa), np.where(low, exponent - 1, exponent)
    s = (mantissa - 1) / (mantissa + 1)
    total = np.zeros_like(s)
    for n in range(23, 0, -2):
        total = total * s * s + 1 / n
    return exponent * 0.6931471803691238 + (exponent * 1.9082149292705877e-10 + 2 * s * total)
