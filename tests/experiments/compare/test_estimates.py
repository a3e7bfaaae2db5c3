import numpy as np
import pytest

from experiments.compare.estimates import estimate, holm, interval, p_value


def test_the_interval_of_one_run_is_that_of_the_binomial():
    right = np.random.default_rng(1).random((1, 5000)) < 0.85
    accuracy = right.mean()
    error = 1.96 * np.sqrt(accuracy * (1 - accuracy) / 5000)
    np.testing.assert_allclose(interval(estimate(right)), [accuracy - error, accuracy + error], atol=0.001 * error)


def test_two_single_runs_are_compared_as_by_mcnemar():
    random = np.random.default_rng(3)
    one, other = random.random((2, 1, 4000)) < np.array([0.86, 0.84])[:, None, None]
    only_one, only_other = np.sum(one & ~other), np.sum(other & ~one)
    difference = estimate(one, other)
    z = difference.mean / difference.error
    assert z == pytest.approx((only_one - only_other) / np.sqrt(only_one + only_other), rel=0.01)


@pytest.mark.parametrize(("seeds", "spread"), [((5, 5), (0.01, 0.01)), ((5, 1), (0.01, 0.0)), ((3, 3), (0.0, 0.0))])
def test_equals_are_called_different_as_rarely_as_promised(seeds, spread):
    """Networks of the same expected accuracy, whose seeds differ more or less: one time in twenty, not much more."""
    random, called = np.random.default_rng(1), 0
    for _ in range(200):
        ease = random.normal(1.5, 1, 2000)  # what one finds hard or easy the others do too
        right = [
            random.normal(ease, 1, (count, 2000)) > -random.normal(0, 5 * sd, (count, 1))
            for count, sd in zip(seeds, spread, strict=True)
        ]
        low, high = interval(estimate(*right))
        called += low > 0 or high < 0
    assert called / 200 < 0.085


@pytest.mark.parametrize("seeds", [1, 4])
def test_p_is_below_one_in_twenty_exactly_where_the_interval_leaves_out_zero(seeds):
    random, below = np.random.default_rng(2), []
    for accuracy in np.linspace(0.80, 0.86, 100):
        difference = estimate(random.random((seeds, 1000)) < 0.8, random.random((seeds, 1000)) < accuracy)
        low, high = interval(difference)
        below.append(p_value(difference) < 0.05)
        assert below[-1] == (low > 0 or high < 0)
    assert 10 < sum(below) < 90


def test_the_same_answers_are_no_difference_and_opposite_ones_are_one():
    right = np.random.default_rng(1).random((1, 100)) < 0.8
    assert p_value(estimate(right, right)) == 1
    assert p_value(estimate(np.ones((1, 100), bool), np.zeros((1, 100), bool))) == 0


def test_p_values_are_adjusted_as_holm_says():
    """The k-th smallest of m is multiplied by m - k + 1, is not below the one before, and not above 1."""
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03, 0.005])), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(holm(np.array([0.9, 0.5, 0.01])), [1, 1, 0.03])
    np.testing.assert_allclose(holm(np.array([0.04])), [0.04])
    assert holm(np.empty(0)).shape == (0,)
