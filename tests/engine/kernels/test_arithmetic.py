from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imdb_rnn.engine.kernels import arithmetic
from imdb_rnn.engine.kernels.arithmetic import (
    LANES,
    ROWS,
    Matrix,
    add_matmul,
    cross_entropy,
    fma,
    log,
    probabilities,
    ptr,
)
from imdb_rnn.engine.kernels.compiled import compiled

X = np.concatenate([np.linspace(-20, 20, 20_001), [-1e30, -np.inf, np.inf, 1e30, 1e-30, 0]]).astype(np.float32)
SURE = np.array([0.0, 1e-12, 1e-3, 0.5, 3, 16.5, 20, 30, 80, 100, 700])


def of_each(function, x: np.ndarray) -> np.ndarray:
    """What a function that only compiled ones call gives for each number."""

    @compiled
    def loop(x, y):
        for i in range(len(x)):
            y[i] = function(x[i])

    y = np.empty_like(x)
    loop(x, y)
    return y


@compiled
def _matmul(a, a_row, a_column, w, w_row, out, out_row, n, k, m):
    add_matmul(
        Matrix(ptr(a, 0), a_row, a_column), Matrix(ptr(w, 0), w_row, 1), Matrix(ptr(out, 0), out_row, 1), n, k, m
    )


def exactly(function, x: np.ndarray) -> np.ndarray:
    """The float64 next to what 350 digits say, enough for 1 + exp(-700)."""
    with localcontext() as context:
        context.prec = 350
        return np.array([float(function(Decimal(float(value)))) for value in x])


@pytest.mark.parametrize(
    ("activation", "exact", "off"),
    [
        (arithmetic.tanh, np.tanh, 3e-7),
        (arithmetic.sigmoid, lambda x: 1 / (1 + np.exp(-np.clip(x, -700, 700))), 2.5e-7),
    ],
)
def test_an_activation_is_the_function_of_its_name_almost_to_the_last_bit(activation, exact, off):
    y = of_each(activation, X)
    np.testing.assert_allclose(y, exact(X.astype(np.float64)), atol=off, rtol=0)
    assert np.abs(y).max() <= 1


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "exp"])
def test_what_is_not_a_number_stays_visible(name):
    x = np.array([np.nan], np.float64 if name == "exp" else np.float32)
    assert np.isnan(of_each(getattr(arithmetic, name), x)).all()


def test_exp_and_log_are_exact_almost_to_the_last_bit():
    x = np.concatenate([np.linspace(-708, 708.9, 500), np.linspace(-2, 2, 100), [0.0, 1e-300, -1e-20]])
    np.testing.assert_allclose(of_each(arithmetic.exp, x), exactly(Decimal.exp, x), rtol=3e-16)
    assert of_each(arithmetic.exp, np.array([-np.inf, -800, 800, np.inf])).tolist() == [0, 0, np.inf, np.inf]
    x = np.concatenate([np.geomspace(1e-300, 1e300, 500), np.linspace(0.5, 2, 101), [1 - 2**-53, 1 + 2**-52]])
    np.testing.assert_allclose(log(x), exactly(Decimal.ln, x), rtol=1e-15)
    assert log(np.ones((2, 3))).tolist() == [[0, 0, 0], [0, 0, 0]]


def test_a_probability_is_as_exact_near_0_as_near_1():
    logits = np.concatenate([-SURE, SURE])
    expected = exactly(lambda x: 1 / (1 + (-x).exp()), logits)
    np.testing.assert_allclose(probabilities(logits), expected, rtol=5e-16)
    assert probabilities(np.array([-np.inf, 0, np.inf])).tolist() == [0, 0.5, 1]
    assert np.isnan(probabilities(np.array([np.nan], np.float32))).all()


def test_the_loss_is_exact_however_sure_the_network_is():
    """Of a wrong answer the loss is the logit itself, far beyond where a clipped probability would stop it."""
    size = np.append(SURE, 10_000)
    right = exactly(lambda x: (1 + (-x).exp()).ln(), size)
    for y in (0, 1):
        logits = size if y else -size
        np.testing.assert_allclose(cross_entropy(np.full(len(size), y), logits)[0], right, rtol=1e-15)
        np.testing.assert_allclose(cross_entropy(np.full(len(size), y), -logits)[0], size + right, rtol=1e-15)


@pytest.mark.parametrize("scale", [0.1, 10, 100])
@pytest.mark.parametrize("classes", [3, 5, 100])
def test_of_several_classes_probability_loss_and_gradient_are_as_exact(classes, scale):
    """However sure the network is, and right or wrong."""
    logits = (scale * np.random.default_rng(4).normal(size=(3, classes))).astype(np.float32)  # differences are exact
    y = [logits[0].argmax(), logits[1].argmin(), 1]
    probability, (losses, dlogits) = probabilities(logits), cross_entropy(np.array(y), logits)
    for row, label in enumerate(y):
        with localcontext() as context:
            context.prec = 350
            powers = [Decimal(float(logit)).exp() for logit in logits[row]]
            shares = [power / sum(powers) for power in powers]
            derivatives = [share - (k == label) for k, share in enumerate(shares)]
            loss = -shares[label].ln()
        np.testing.assert_allclose(probability[row], np.array(shares, float), rtol=2e-15)
        np.testing.assert_allclose(dlogits[row], np.array(derivatives, float), rtol=2e-15)
        assert losses[row] == pytest.approx(float(loss), rel=2e-15, abs=0)
    np.testing.assert_array_equal(probabilities(np.asfortranarray(logits)), probability)


def test_what_is_not_a_number_has_a_loss_that_is_none():
    """And nothing is printed: a loss that is NaN is looked for, and said in words."""
    logits = np.array([np.nan, np.nan], np.float32)
    assert np.isnan(cross_entropy(np.array([0, 1]), logits)).all()
    assert np.isnan(cross_entropy(np.array([0, 2]), np.array([[np.nan, 1, 2], [0, np.nan, 1]]))[0]).all()


def test_the_gradient_of_the_loss_is_exact_however_sure_the_network_is():
    """On both sides: where the answer is wrong it is almost 1, where it is right it is small and not zero."""
    for y, sign in ((0, 1), (1, -1)):
        labels = np.full(len(SURE), y)
        expected = sign * exactly(lambda x: 1 / (1 + (-x).exp()), SURE)
        np.testing.assert_allclose(cross_entropy(labels, sign * SURE)[1], expected, rtol=5e-16)
        expected = sign * exactly(lambda x: (-x).exp() / (1 + (-x).exp()), SURE)
        np.testing.assert_allclose(cross_entropy(labels, -sign * SURE)[1], expected, rtol=5e-16)
        assert expected.all()


def fused(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """x * y + z of float32 numbers, rounded once.

    In float64 the product is exact, and what rounding leaves of the sum can be told. Where something is left, the sum
    is taken to the one of its two neighbours whose last bit is 1: that rounds to float32 as the exact sum does (Boldo
    and Melquiond, Emulation of FMA and Correctly Rounded Sums, 2008).
    """
    product = x.astype(np.float64) * y.astype(np.float64)
    total = product + z
    back = total - product
    left = (product - (total - back)) + (z - back)
    even = total.view(np.int64) % 2 == 0
    return np.where(even & (left != 0), np.nextafter(total, np.copysign(np.inf, left)), total).astype(np.float32)


@compiled
def _fused(x, y, z, out):
    for i in range(len(x)):
        out[i] = fma(x[i], y[i], z[i])


def test_a_product_and_a_sum_are_rounded_once():
    """So that a product and what float32 has of it differ by what was lost."""
    x, y = np.random.default_rng(1).normal(size=(2, 10_000)).astype(np.float32)
    out = np.empty_like(x)
    _fused(x, y, -x * y, out)
    np.testing.assert_array_equal(out, x.astype(np.float64) * y - x * y)
    assert np.count_nonzero(out) > 9_000


@given(
    rows=st.integers(1, 3),
    k=st.integers(0, 40),
    columns=st.integers(1, 3),
    transposed=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_matrix_product_is_added_from_the_first_term_to_the_last_each_rounded_once(
    rows, k, columns, transposed, seed
):
    """To the bit; the matrices are parts of larger ones, and what is next to the result stays."""
    random, n, m = np.random.default_rng(seed), rows * ROWS, columns * LANES
    a, w, out = (random.normal(size=shape).astype(np.float32) for shape in ((n, k + 3), (k + 1, m + 5), (n + 1, m + 7)))
    expected = out.copy()
    for term in range(k):
        expected[:n, :m] = fused(a[:, term, None], w[term, :m], expected[:n, :m])
    exact = out[:n, :m] + a[:, :k].astype(np.float64) @ w[:k, :m]
    stored = np.ascontiguousarray(a.T) if transposed else a
    steps = (1, n) if transposed else (k + 3, 1)
    _matmul(stored, *steps, w, m + 5, out, m + 7, n, k, m)
    np.testing.assert_array_equal(out, expected)
    np.testing.assert_allclose(out[:n, :m], exact, atol=1e-5)
