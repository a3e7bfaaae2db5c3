import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logit

from imdb_rnn.measures.metrics import (
    CURVE_POINTS,
    confusion,
    is_positive,
    is_right,
    log_loss,
    log_loss_gradient,
    measure,
    precision_recall,
    probability_of_label,
    roc,
)
from imdb_rnn.network.keras_model import load_keras

Y = np.array([0, 0, 0, 1, 1, 1, 1, 1])
PROBABILITY = np.array([0.1, 0.4, 0.9, 0.2, 0.6, 0.7, 0.8, 0.95])


def test_measures_are_the_definitions():
    values = measure(Y, logit(PROBABILITY))
    hits, false_alarms, misses = 4, 1, 1
    assert values["accuracy"] == 6 / 8
    assert values["precision"] == hits / (hits + false_alarms)
    assert values["recall"] == hits / (hits + misses)
    assert values["f1"] == pytest.approx(2 * 0.8 * 0.8 / 1.6)
    pairs = [(p > n) + (p == n) / 2 for p in PROBABILITY[Y == 1] for n in PROBABILITY[Y == 0]]
    assert values["roc_auc"] == pytest.approx(np.mean(pairs), abs=1e-6)
    right = np.where(Y == 1, PROBABILITY, 1 - PROBABILITY)
    assert values["loss"] == pytest.approx(-np.log(right).mean(), abs=1e-6)


@pytest.mark.parametrize("size", [0.0, 3.0, 20.0, 100.0, 1000.0])
def test_the_loss_is_exact_however_sure_the_network_is(size):
    """Of a wrong answer the loss is the logit itself, far beyond where a clipped probability would stop it."""
    expected = np.log1p(np.exp(-size))
    np.testing.assert_allclose(log_loss(np.array([1, 0]), np.array([size, -size])), expected, rtol=1e-15)
    np.testing.assert_allclose(log_loss(np.array([0, 1]), np.array([size, -size])), size + expected, rtol=1e-15)


def test_what_is_not_a_number_has_a_loss_that_is_none():
    """And nothing is printed: a loss that is no number is looked for, and said in words."""
    assert np.isnan(log_loss(np.array([0, 1]), np.array([np.nan, np.nan], np.float32))).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_gradient_of_the_loss_is_exact_however_sure_the_network_is(dtype):
    """On both sides: where the answer is wrong it is almost 1, where it is right it is small and not zero."""
    sizes = np.array([0.5, 3, 16.5, 30, 80])
    for y, sign in ((0, 1), (1, -1)):
        gradient = log_loss_gradient(np.full(5, y), sign * sizes.astype(dtype))
        assert gradient.dtype == dtype
        np.testing.assert_allclose(gradient, sign / (1 + np.exp(-sizes)), rtol=1e-6)
        gradient = log_loss_gradient(np.full(5, y), -sign * sizes.astype(dtype))
        np.testing.assert_allclose(gradient, sign * np.exp(-sizes) / (1 + np.exp(-sizes)), rtol=1e-6)
        assert (gradient != 0).all()


@pytest.mark.slow
def test_loss_and_gradient_are_those_of_keras():
    keras, tf = load_keras()
    y, logits = np.array([0, 1, 0, 1, 0, 1], np.float32), np.array([-40, -40, 0.5, 0.5, 30, 30], np.float32)
    variable = tf.Variable(logits)
    with tf.GradientTape() as tape:
        losses = keras.ops.binary_crossentropy(y, variable.value(), from_logits=True)
    np.testing.assert_allclose(log_loss(y, logits), losses.numpy(), rtol=1e-6)
    np.testing.assert_allclose(log_loss_gradient(y, logits), tape.gradient(losses, variable).numpy(), rtol=1e-6)


def test_the_threshold_is_one_half_and_not_above_it():
    assert is_positive(np.array([0.4, 0.5, 0.6])).tolist() == [False, False, True]
    assert is_right(np.array([0, 0, 1]), np.array([0.4, 0.5, 0.6])).tolist() == [True, True, True]
    assert is_right(np.array([1, 1, 0]), np.array([0.4, 0.5, 0.6])).tolist() == [False, False, False]
    assert probability_of_label(np.array([0, 1]), np.array([0.25, 0.75])).tolist() == [0.75, 0.75]


def test_a_network_that_never_says_positive_has_finite_measures():
    values = measure(Y, np.full(8, -1.0))
    assert np.isfinite(list(values.values())).all()
    assert (values["precision"], values["recall"], values["f1"], values["roc_auc"]) == (0, 0, 0, 0.5)


def test_confusion_counts_every_pair_of_labels():
    table = confusion(Y, PROBABILITY)
    assert table.to_numpy().tolist() == [
        ["negative", "negative", 2],
        ["negative", "positive", 1],
        ["positive", "negative", 1],
        ["positive", "positive", 4],
    ]


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
    assert area == pytest.approx(measure(y, probability - 0.5)["roc_auc"], abs=1e-3)
