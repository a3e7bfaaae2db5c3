import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logit, softmax
from sklearn.metrics import roc_auc_score

from imdb_rnn.evaluation.metrics import (
    CURVE_POINTS,
    beside_baseline,
    calibrated,
    calibration,
    classes,
    confusion,
    precision_recall,
    roc,
    scores,
)
from imdb_rnn.evaluation.results import Metrics

Y = np.array([0, 0, 0, 1, 1, 1, 1, 1])
PROBABILITY = np.array([0.1, 0.4, 0.9, 0.2, 0.6, 0.7, 0.8, 0.95])


def test_scores_are_the_definitions():
    values = scores(Y, logit(PROBABILITY))
    hits, false_alarms, misses = 4, 1, 1
    assert values["accuracy"] == 6 / 8
    assert values["precision"] == hits / (hits + false_alarms)
    assert values["recall"] == hits / (hits + misses)
    assert values["f1"] == pytest.approx(2 * 0.8 * 0.8 / 1.6)
    pairs = [(p > n) + (p == n) / 2 for p in PROBABILITY[Y == 1] for n in PROBABILITY[Y == 0]]
    assert values["roc_auc"] == pytest.approx(np.mean(pairs), abs=1e-6)
    right = np.where(Y == 1, PROBABILITY, 1 - PROBABILITY)
    assert values["loss"] == pytest.approx(-np.log(right).mean(), abs=1e-6)


def test_scores_count_from_the_threshold_on():
    values = scores(Y, logit(PROBABILITY), threshold=0.75)
    assert (values["precision"], values["recall"], values["accuracy"]) == (0.666667, 0.4, 0.5)
    unchanged = ("loss", "ece", "roc_auc")
    assert {name: values[name] for name in unchanged} == {
        name: scores(Y, logit(PROBABILITY))[name] for name in unchanged
    }


@given(st.integers(2, 4), st.integers(1, 300), st.integers(0, 9))
def test_the_calibration_error_is_the_mean_distance_of_the_bins(n_classes, reviews, seed):
    random = np.random.default_rng(seed)
    y, logits = np.arange(reviews + n_classes) % n_classes, random.normal(0, 3, (reviews + n_classes, n_classes))
    logits = logits[:, 0] if n_classes == 2 else logits
    table = calibration(*calibrated(y, logits))
    expected = np.average(np.abs(table["predicted"] - table["positive"]), weights=table["n_reviews"])
    assert scores(y, logits)["ece"] == pytest.approx(expected, abs=2e-6)


def test_a_network_that_never_predicts_positive_has_finite_scores():
    values = scores(Y, np.full(8, -1.0))
    assert np.isfinite(list(values.values())).all()
    assert (values["precision"], values["recall"], values["f1"], values["roc_auc"]) == (0, 0, 0, 0.5)


def test_confusion_counts_every_pair_of_labels():
    table = confusion(Y, logit(PROBABILITY), ["negative", "positive"])
    assert table.to_numpy().tolist() == [
        ["negative", "negative", 2],
        ["negative", "positive", 1],
        ["positive", "negative", 1],
        ["positive", "positive", 4],
    ]


OF_THREE = np.array([0, 0, 0, 1, 1, 2, 2, 2])
LOGITS = np.array([[2, 0, 0], [0, 2, 0], [3, 0, 1], [0, 1, 0], [1, 0, 0], [0, 0, 4], [0, 1, 3], [2, 0, 1]], float)


def test_scores_of_three_classes_are_the_definitions():
    values = scores(OF_THREE, LOGITS)  # predicted: 0 1 0, 1 0, 2 2 0
    f1 = np.array([2 * 2 / 7, 2 / 4, 2 * 2 / 5])
    assert values["accuracy"] == 5 / 8
    assert values["balanced_accuracy"] == pytest.approx((2 / 3 + 1 / 2 + 2 / 3) / 3, abs=1e-6)
    assert values["macro_f1"] == pytest.approx(f1.mean(), abs=1e-6)
    assert values["weighted_f1"] == pytest.approx(f1 @ [3, 2, 3] / 8, abs=1e-6)
    probability = softmax(LOGITS, axis=1)
    assert values["loss"] == pytest.approx(-np.log(probability[np.arange(8), OF_THREE]).mean(), abs=1e-6)
    assert values["roc_auc"] == pytest.approx(roc_auc_score(OF_THREE, probability, multi_class="ovr"), abs=1e-6)
    points = roc(OF_THREE, probability)
    assert (points["fpr"].iloc[0], *points.iloc[-1]) == (0, 1, 1)
    assert np.trapezoid(points["tpr"], points["fpr"]) == pytest.approx(values["roc_auc"], abs=5e-3)
    assert precision_recall(OF_THREE, probability)["precision"].iloc[-1] == pytest.approx(1 / 3, abs=0.1)


@pytest.mark.parametrize(
    ("labels", "off", "within"),
    [("1 2 3", 4 / 8, 7 / 8), ("-1 0.5 5", (1.5 + 1.5 + 6) / 8, 7 / 8), ("3 2 1", None, None), ("a 2 3", None, None)],
)
def test_labels_that_are_ascending_numbers_have_distances(labels, off, within):
    values = scores(OF_THREE, LOGITS, labels.split())
    assert (values.get("mean_absolute_error"), values.get("within_one_step")) == (off, within)


def test_each_class_has_its_scores():
    table = classes(OF_THREE, np.where([True, True, False], LOGITS, -9), ["no", "maybe", "yes"]).set_index("label")
    assert table["n_reviews"].tolist() == [3, 2, 3]
    assert table["recall"].tolist() == pytest.approx([2 / 3, 1 / 2, 0], abs=1e-6)
    assert table["precision"].tolist() == pytest.approx([2 / 5, 1 / 3, 0], abs=1e-6)
    assert table["f1"].tolist() == pytest.approx([1 / 2, 2 / 5, 0], abs=1e-6)
    assert np.isnan(table.loc["yes", "precision_low"])  # never predicted
    for score in ("precision", "recall", "f1"):
        known = table[table[f"{score}_low"].notna()]
        assert ((known[f"{score}_low"] <= known[score]) & (known[score] <= known[f"{score}_high"])).all()


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=2, max_size=40))
def test_curves_run_from_corner_to_corner(rows):
    y = np.array([label for label, _ in rows]).astype(int)
    if len(set(y)) < 2:
        return
    probability = np.array([value for _, value in rows])
    points = roc(y, probability)
    assert points.iloc[0].tolist() == [0, 0]
    assert points.iloc[-1].tolist() == [1, 1]
    assert (points.diff().dropna() >= 0).all(axis=None)
    points = precision_recall(y, probability)
    assert points["recall"].iloc[0] == 0
    assert points["recall"].iloc[-1] == 1
    assert points["recall"].is_monotonic_increasing


def test_thinning_keeps_the_area_under_the_curve():
    random = np.random.default_rng(0)
    y = random.integers(0, 2, 25_000)
    probability = np.clip(random.normal(0.35 + 0.3 * y, 0.2), 0, 1)
    points = roc(y, probability)
    assert len(points) <= CURVE_POINTS
    area = np.trapezoid(points["tpr"], points["fpr"])
    assert area == pytest.approx(scores(y, probability - 0.5)["roc_auc"], abs=1e-3)


def test_calibration_compares_probabilities_with_the_share_of_positive_reviews():
    probability = np.array([0.02, 0.08, 0.51, 0.55, 0.59, 0.98, 1.0])
    table = calibration(np.array([0, 1, 0, 1, 1, 1, 1]), probability)
    assert table["n_reviews"].tolist() == [2, 3, 2]
    assert table["predicted"].tolist() == pytest.approx([0.05, 0.55, 0.99])
    assert table["positive"].tolist() == pytest.approx([1 / 2, 2 / 3, 1], abs=1e-6)
    assert (table["low"] < table["positive"]).all()
    assert (table["positive"] <= table["high"]).all()


def test_a_network_stands_beside_the_baseline_and_chance():
    y = np.repeat([0, 1], [30, 10])
    right = np.where(y == 1, 1.0, -1.0)
    wrong_in = np.where(np.arange(40) % 4 == 0, -right, right)
    for logits, baseline, said in ((right, wrong_in, "better"), (wrong_in, right, "worse"), (right, right, "level")):
        found = beside_baseline(y, logits, baseline)
        measured = Metrics(best_epoch=1, test=scores(y, logits), test_intervals={}, **found)
        assert measured.compared() == said
        assert measured.above_baseline == pytest.approx(measured.test["accuracy"] - measured.baseline["accuracy"])
        assert measured.chance == 0.75
