import numpy as np
import pytest
from scipy.special import logit
from sklearn.metrics import roc_auc_score

from imdb_rnn.evaluation import intervals
from imdb_rnn.evaluation.metrics import scores

Y = np.array([0, 0, 0, 1, 1, 1, 1, 1])
LOGITS = logit([0.1, 0.4, 0.9, 0.2, 0.6, 0.7, 0.8, 0.95])


def of_three(reviews):
    y = random_of_three.choice(3, reviews, p=[0.5, 0.3, 0.2])
    return y, random_of_three.normal(2 * np.eye(3)[y], 1.5), ("1", "2", "5")


random_of_three = np.random.default_rng(3)


@pytest.mark.parametrize("given", [(Y, LOGITS), of_three(40)], ids=["two classes", "three"])
def test_every_score_lies_in_its_interval(given):
    values, found = scores(*given), intervals.of_scores(*given)
    assert list(values) == list(found)
    assert [name for name, ends in found.items() if not ends] == ["ece", "roc_auc"][: len(given) - 1]
    for name, (low, high) in ((name, ends) for name, ends in found.items() if ends):
        assert low < values[name] < high, name


def test_the_interval_of_a_proportion_is_wilson_s():
    """The values are from Newcombe (Two-sided confidence intervals for the single proportion, 1998), Table I."""
    assert intervals.of_proportion(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert intervals.of_proportion(0, 20) == pytest.approx((0, 0.1611), abs=1e-4)
    assert intervals.of_proportion(0, 7)[0] == 0
    assert intervals.of_proportion(7, 7)[1] == 1


def test_the_interval_of_a_mean_is_student_s():
    half = 4.3027 / np.sqrt(3)
    assert intervals.of_mean(np.array([2.0, 3.0, 4.0])) == pytest.approx((3 - half, 3 + half), abs=1e-4)
    assert intervals.of_mean(np.array([0.0, 1.0, 2.0])) == pytest.approx((0, 1 + half), abs=1e-4), "none is below 0"
    assert intervals.of_mean(np.full(3, 0.1)) is None, "three equal values do not show how far a mean may move"


def test_the_interval_of_a_difference_is_that_of_paired_reviews():
    """Agresti's example: of 1,600 voters 150 and 86 changed their minds, 0.040 (0.021 to 0.059)."""
    before, after = np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], [570, 86, 150, 794], axis=0).T.astype(bool)
    assert intervals.of_difference(before, after) == pytest.approx((0.0212, 0.0587), abs=1e-4)
    low, high = intervals.of_difference(before, before)
    assert low < 0 < high, "two models that agree on these reviews may differ on others"


def test_a_network_that_never_predicts_positive_has_no_interval_of_precision():
    assert intervals.of_scores(Y, np.full(8, -1.0))["precision"] is None


@pytest.mark.slow
@pytest.mark.parametrize("classes", [2, 3])
def test_intervals_contain_the_true_value_as_often_as_promised(classes):
    """Many test sets of one network: 95 % intervals miss one time in twenty, hardly more."""
    random = np.random.default_rng(1)

    def draw(reviews):
        if classes == 3:
            return of_three(reviews)
        y = random.integers(0, 2, reviews)
        return y, random.normal(2 * y - 1, 1.5)

    truth, rounds = scores(*draw(1_000_000)), 400
    missed = {name: [0, 0] for name in truth if name != "ece" and (classes == 2 or name != "roc_auc")}
    for _ in range(rounds):
        found = intervals.of_scores(*draw(500))
        for name in missed:
            missed[name][0] += truth[name] < found[name][0]
            missed[name][1] += truth[name] > found[name][1]
    # 2.5 % on each side are 10 of 400; three standard errors of that are 9.4.
    for name, sides in missed.items():
        assert all(1 <= side <= 20 for side in sides), (name, sides)


def test_the_area_is_scikit_learn_s_with_ties_too():
    random = np.random.default_rng(2)
    y, probability = random.integers(0, 2, 300), random.integers(0, 10, 300) / 10
    low, high = intervals.of_roc_auc(y, probability)
    assert (low + high) / 2 == pytest.approx(roc_auc_score(y, probability))


def test_where_nothing_varies_there_is_no_interval_of_the_area():
    assert intervals.of_roc_auc(np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.8, 0.9])) is None
    assert intervals.of_roc_auc(np.array([0, 1]), np.array([0.6, 0.4])) is None
