import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import logsumexp

from imdb_rnn.engine.weights import Weights
from imdb_rnn.training.combination import PENALTY, Combination, equal_shares, fit_combination
from imdb_rnn.training.linear import Linear


def made_up(count: int, num_logits: int, noise: float, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, and logits of two models that know something of them; the second one is too sure of itself."""
    random = np.random.default_rng(seed)
    y = random.integers(0, max(2, num_logits), count)
    is_label = np.where(y[:, None] == (np.arange(num_logits) if num_logits > 1 else 1), 1.0, -1.0)
    network, linear = (is_label + noise * random.normal(size=is_label.shape) for _ in range(2))
    return y, network, 4 * linear + 1


def reference(y: np.ndarray, network: np.ndarray, linear: np.ndarray, weights: np.ndarray) -> Combination:
    """The same minimum, by SciPy."""
    rows, origin = np.arange(len(y)), np.array(equal_shares(network.shape[1], has_linear=True)[:3])

    def loss(flat: np.ndarray) -> float:
        parts = flat.reshape(origin.shape)
        logits = parts[0] * network + parts[1] * linear + parts[2]
        logits = logits if logits.shape[1] > 1 else np.hstack([0 * logits, logits])
        losses = logsumexp(logits, axis=1) - logits[rows, y]
        return losses @ weights + PENALTY / 2 * ((parts - origin) ** 2).sum()

    bounds = [(0 if part < 2 else None, None) for part in range(3) for _ in range(origin.shape[1])]
    found = minimize(loss, origin.ravel(), bounds=bounds, options={"ftol": 1e-15, "gtol": 1e-8, "maxfun": 10**6})
    return Combination(*found.x.reshape(origin.shape))


@pytest.mark.parametrize("num_logits", [1, 3])
@pytest.mark.parametrize(("kind", "noise"), [("both", 2.0), ("separable", 0.1), ("worthless", 2.0)])
def test_it_has_the_lowest_cross_entropy(num_logits, kind, noise):
    y, network, linear = made_up(300, num_logits, noise)
    linear = -linear if kind == "worthless" else linear
    weights = np.linspace(0.2, 3, len(y))
    found = fit_combination(y, network, linear, weights)
    for array, expected in zip(found[:3], reference(y, network, linear, weights)[:3], strict=True):
        np.testing.assert_allclose(array, expected, atol=1e-4)
    assert (found.linear_weight == 0).all() == (kind == "worthless")


def test_a_network_alone_gets_a_temperature():
    y, network, _ = made_up(2000, 1, 2.0)
    found = fit_combination(y, 10 * network, None, np.ones(len(y)))
    assert found.linear_weight.tolist() == [0]
    np.testing.assert_allclose(10 * found.network_weight, fit_combination(y, network, None, np.ones(len(y)))[0], 0.01)
    assert found.network_weight < 0.1


@pytest.mark.parametrize("num_logits", [1, 3])
def test_the_weights_give_the_combined_logits(num_logits):
    random = np.random.default_rng(1)
    draw = lambda *shape: random.normal(size=shape).astype(np.float32)  # noqa: E731
    network = Weights(draw(5, 2), (), draw(4, num_logits), draw(num_logits))
    linear = Linear(np.arange(6), draw(6, num_logits), draw(num_logits), np.empty(0))
    combination = Combination(*np.abs(draw(2, num_logits)).astype(float), draw(num_logits).astype(float))
    combined, features, has = combination.weights(network, linear), draw(9, 4), random.integers(0, 2, (9, 6))
    of_network, of_linear = features @ network.head_kernel + network.head_bias, has @ linear.scores + linear.bias
    given = features @ combined.head_kernel + combined.head_bias + has @ combined.ngrams.reshape(6, num_logits)
    np.testing.assert_allclose(given, combination.logits(of_network, of_linear), rtol=1e-4, atol=1e-4)
    assert combined.ngrams.shape == ((6,) if num_logits == 1 else (6, num_logits))
    assert {array.dtype for array in (combined.head_kernel, combined.head_bias, combined.ngrams)} == {np.dtype("f4")}
