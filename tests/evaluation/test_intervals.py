import numpy as np
import pytest
from scipy import stats
from scipy.special import logit
from sklearn.metrics import roc_auc_score

from imdb_rnn.evaluation import intervals
from imdb_rnn.evaluation.metrics import measure

Y = np.array([0, 0, 0, 1, 1, 1, 1, 1])
LOGITS = logit([0.1, 0.4, 0.9, 0.2, 0.6, 0.7, 0.8, 0.95])


def test_every_measure_lies_in_its_interval():
    values, found = measure(Y, LOGITS), intervals.of_metrics(Y, LOGITS)
    assert set(values) == set(found)
    for name, (low, high) in found.items():
        assert low < values[name] < high, name


def test_the_interval_of_a_share_is_wilson_s():
    """The values are those of Newcombe (Two-sided confidence intervals for the single proportion, 1998), Table I."""
    assert intervals.of_share(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert intervals.of_share(0, 20) == pytest.approx((0, 0.1611), abs=1e-4)
    assert intervals.of_share(0, 0) is None
    for count, total in [(0, 1), (1, 1), (7, 9), (20, 20), (24_999, 25_000)]:
        expected = stats.binomtest(count, total).proportion_ci(0.95, method="wilson")
        assert intervals.of_share(count, total) == pytest.approx(tuple(expected), rel=1e-12)
    for total in range(1, 99):
        assert intervals.of_share(0, total)[0] == 0
        assert intervals.of_share(total, total)[1] == 1


def test_the_interval_of_a_mean_is_student_s():
    values = np.random.default_rng(3).exponential(size=9)
    expected = stats.t.interval(0.95, 8, values.mean(), stats.sem(values))
    assert intervals.of_mean(values) == pytest.approx(expected, rel=1e-12)


def test_a_network_that_never_says_positive_has_no_interval_of_precision():
    assert intervals.of_metrics(Y, np.full(8, -1.0))["precision"] is None


@pytest.mark.slow
def test_intervals_hold_the_truth_as_often_as_promised():
    """Many test sets of one network: 95 % intervals miss one time in twenty, hardly more."""
    random = np.random.default_rng(1)

    def draw(reviews):
        y = random.integers(0, 2, reviews)
        return y, random.normal(2 * y - 1, 1.5)

    truth, rounds = measure(*draw(1_000_000)), 400
    missed = {name: [0, 0] for name in truth}
    for _ in range(rounds):
        found = intervals.of_metrics(*draw(500))
        for name, (low, high) in found.items():
            missed[name][0] += truth[name] < low
            missed[name][1] += truth[name] > high
    # 2.5 % on each side are 10 of 400; three standard errors of that are 9.4.
    for name, sides in missed.items():
        assert all(1 <= side <= 20 for side in sides), (name, sides)


def test_the_area_is_that_of_scikit_learn_with_ties_too():
    random = np.random.default_rng(2)
    y, probability = random.integers(0, 2, 300), random.integers(0, 10, 300) / 10
    low, high = intervals.of_roc_auc(y, probability)
    assert (low + high) / 2 == pytest.approx(roc_auc_score(y, probability))


def test_where_nothing_varies_there_is_no_interval_of_the_area():
    assert intervals.of_roc_auc(np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.8, 0.9])) is None
    assert intervals.of_roc_auc(np.array([0, 1]), np.array([0.6, 0.4])) is None
