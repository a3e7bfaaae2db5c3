import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array, random_array
from sklearn.linear_model import LogisticRegression

from imdb_rnn.engine import logistic, threads
from imdb_rnn.engine.features import Features
from imdb_rnn.engine.logistic import fit, logits
from imdb_rnn.engine.ragged import from_offsets

EXACT = 1e-6


def features_of(matrix: np.ndarray | csr_array) -> Features:
    matrix = csr_array(matrix)
    return Features(from_offsets(matrix.indices.astype(np.int32), matrix.indptr), matrix.data.astype(np.float32))


def example(n: int = 300, count: int = 80, seed: int = 1) -> tuple[csr_array, np.ndarray]:
    """Sparse rows, some of them empty, and three classes that depend on them, not without errors."""
    random = np.random.default_rng(seed)
    x = csr_array(
        random_array((n, count), density=0.04, rng=random, data_sampler=lambda size: random.normal(size=size))
    )
    scores = x @ random.normal(size=(count, 3)) + random.normal(size=(n, 3)) / 2
    assert (np.diff(x.indptr) == 0).any()
    return x.astype(np.float32), scores.argmax(axis=1)


def of_sklearn(x: csr_array, y: np.ndarray, c: float, sample_weight: np.ndarray | None = None) -> np.ndarray:
    """Weights and, last, the intercept."""
    model = LogisticRegression(C=c, solver="liblinear", tol=1e-8, max_iter=10_000)
    model.fit(csr_array(x).astype(np.float64), y, sample_weight)
    return np.append(model.coef_[0], model.intercept_)


@pytest.mark.parametrize("c", [0.01, 1, 30])
def test_each_class_against_the_rest_as_scikit_learn_fits_it(c):
    x, y = example()
    targets = y == np.arange(3)[:, None]
    weights = fit(features_of(x), targets, np.full(targets.shape, c), x.shape[1], seed=1, tolerance=EXACT)
    expected = np.stack([of_sklearn(x, target, c) for target in targets])
    np.testing.assert_allclose(weights, expected, rtol=1e-4, atol=1e-4)
    of_rows = logits(features_of(x), weights)
    assert (of_rows.shape, of_rows.dtype) == (targets.shape, np.float64)
    np.testing.assert_allclose(of_rows, (x @ weights[:, :-1].T + weights[:, -1]).T, rtol=1e-6, atol=1e-6)


def test_costs_of_rows_are_sample_weights_and_without_a_cost_a_row_is_left_out():
    x, y = example()
    y, costs = y == 0, np.random.default_rng(2).random(len(y)) * 3
    costs[::7] = 0
    (weights,) = fit(features_of(x), y[None], 5 * costs[None], x.shape[1], seed=1, tolerance=EXACT)
    np.testing.assert_allclose(weights, of_sklearn(x, y, 5, costs), rtol=1e-4, atol=1e-4)
    chosen = np.flatnonzero(costs)
    rows = features_of(x).rows(chosen)
    (same,) = fit(rows, y[None, chosen], 5 * costs[None, chosen], x.shape[1], seed=2, tolerance=EXACT)
    np.testing.assert_allclose(same, weights, rtol=1e-4, atol=1e-4)


@settings(deadline=None)
@given(seed=st.integers(0, 1000), c=st.sampled_from([0.1, 10.0]))
def test_at_the_solution_the_gradient_is_zero(seed, c):
    """Rows of very different lengths; the weights are what the rows' errors add up to."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(20, 5)) * 10.0 ** random.integers(-3, 2, (20, 1)) * (random.random((20, 5)) < 0.5)
    features, y = features_of(x), random.random(20) < 0.4
    weights = fit(features, y[None], np.full((1, 20), c), 5, seed=1, tolerance=EXACT)
    errors = y - 1 / (1 + np.exp(-logits(features, weights)[0]))
    gradient = c * errors @ np.column_stack([x, np.ones(20)])
    np.testing.assert_allclose(weights[0], gradient, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("x", "y"),
    [
        pytest.param(np.eye(6), [1, 0, 0, 0, 0, 0], id="a class with one row"),
        pytest.param(np.zeros((5, 3)), [1, 0, 0, 1, 1], id="empty rows"),
        pytest.param(np.ones((5, 3)), [1, 0, 0, 1, 1], id="the same features in all rows"),
        pytest.param(np.repeat(np.eye(4), 3, axis=1), [1, 0, 1, 0], id="the same feature three times"),
        pytest.param(1000 * np.eye(4), [1, 0, 1, 0], id="large values"),
    ],
)
def test_odd_tables(x, y):
    y = np.array(y, bool)
    (weights,) = fit(features_of(x), y[None], np.full((1, len(y)), 10.0), x.shape[1], seed=1, tolerance=EXACT)
    np.testing.assert_allclose(weights, of_sklearn(x, y, 10), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("label", [True, False])
def test_one_class_alone_is_expected_everywhere(label):
    """scikit-learn refuses it; as one class against the rest in a fold it may come."""
    weights = fit(features_of(np.eye(3)), np.full((1, 3), label), np.full((1, 3), 100.0), 3, seed=1)
    assert ((logits(features_of(np.eye(3)), weights) > 2) == label).all()


def test_the_same_bytes_with_any_number_of_threads_and_beside_other_problems(monkeypatch):
    x, y = example()
    features, targets = features_of(x), y == np.arange(3)[:, None]
    costs = np.full(targets.shape, 10.0)
    found = []
    for count in (1, 2, 3):
        monkeypatch.setattr(threads, "count", lambda count=count: count)
        found.append(fit(features, targets, costs, x.shape[1], seed=1))
    found.append(np.concatenate([fit(features, targets[[p]], costs[[p]], x.shape[1], seed=1) for p in range(3)]))
    assert len({weights.tobytes() for weights in found}) == 1
    assert fit(features, targets, costs, x.shape[1], seed=2).tobytes() != found[0].tobytes()


def test_what_does_not_converge_is_an_error(monkeypatch):
    monkeypatch.setattr(logistic, "MAX_PASSES", 3)
    x, y = example()
    with pytest.raises(ValueError, match="did not converge in 3 passes"):
        fit(features_of(x), (y == 0)[None], np.full((1, len(y)), 1000.0), x.shape[1], seed=1)
