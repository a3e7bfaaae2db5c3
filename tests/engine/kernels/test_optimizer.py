import numpy as np
import pytest
from tasks import assert_same_networks, learnt, run, small

from imdb_rnn.core.params import TrainParams
from imdb_rnn.engine.kernels import optimizer
from imdb_rnn.engine.kernels.optimizer import CHUNK, METHODS, Optimizer
from imdb_rnn.keras_model import load_keras

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("keras")]

STEPS = 30
SHAPES = ((150, 130), (40,))


def keras_optimizer(name: str, schedule: str, clipnorm: float):
    keras = load_keras()
    rate = {
        "constant": 0.01,
        "linear": keras.optimizers.schedules.PolynomialDecay(0.01, STEPS, end_learning_rate=0.0),
        "cosine": keras.optimizers.schedules.CosineDecay(0.01, STEPS),
    }[schedule]
    options = {"momentum": 0.9} if name == "sgd" else {}
    method = {"adam": keras.optimizers.Adam, "rmsprop": keras.optimizers.RMSprop, "sgd": keras.optimizers.SGD}[name]
    return method(rate, global_clipnorm=clipnorm, **options)


@pytest.mark.parametrize("schedule", ["constant", "linear", "cosine"])
@pytest.mark.parametrize("name", METHODS)
def test_each_method_and_schedule_is_keras_own(name, schedule):
    """Weights of two chunks; half of each gradient is zero, as the unread words' is.

    A step changes a weight by 0.01 or so; where the numbers of a moment cancel, rounding leaves a few parts in 10,000.
    """
    keras = load_keras()
    import tensorflow as tf

    random = np.random.default_rng(1)
    arrays = [random.normal(0, 0.1, shape).astype(np.float32) for shape in SHAPES]
    variables = [keras.Variable(array) for array in arrays]
    theirs = keras_optimizer(name, schedule, clipnorm=20.0)
    ours = optimizer.start(
        np.concatenate([array.ravel() for array in arrays]),
        TrainParams(optimizer=name, schedule=schedule, learning_rate=0.01, clipnorm=20.0, weight_averaging=0.5),
        STEPS,
    )
    assert len(ours.weights) > CHUNK
    average, clipped = ours.weights.copy(), 0
    for step in range(STEPS):
        scale = random.choice([0.01, 0.1, 1.0])
        gradients = [random.normal(0, scale, shape) * random.integers(0, 2, shape) for shape in SHAPES]
        gradients = [gradient.astype(np.float32) for gradient in gradients]
        gradient = np.concatenate([part.ravel() for part in gradients])
        square = float((gradient.astype(np.float64) ** 2).sum())
        clipped += square > 20.0**2
        ours.apply(gradient, square)
        theirs.apply([tf.constant(part) for part in gradients], variables)
        expected = np.concatenate([variable.numpy().ravel() for variable in variables])
        np.testing.assert_allclose(ours.weights, expected, rtol=1e-5, atol=3e-6)
        decay = min(0.5, (2 + step) / (11 + step))
        average = decay * average + (1 - decay) * expected
    assert 0 < clipped < STEPS
    np.testing.assert_allclose(ours.averaged_or_raw_weights(), average, rtol=1e-5, atol=3e-6)


def after(steps: int, gradient: np.ndarray, **params) -> Optimizer:
    """The optimiser after so many steps from zero, always with the same gradient."""
    learning = optimizer.start(np.zeros_like(gradient), TrainParams(**params), steps)
    for _ in range(steps):
        learning.apply(gradient, float(gradient @ gradient))
    return learning


def test_a_gradient_is_clipped_by_its_length():
    gradient = np.array([3, 0, 4], np.float32)
    options = {"optimizer": "sgd", "learning_rate": 1.0}
    free, at_limit, clipped = (after(1, gradient, clipnorm=norm, **options).weights for norm in (None, 5.0, 1.0))
    assert free.tolist() == at_limit.tolist() == [-3, 0, -4]
    np.testing.assert_allclose(clipped, [-0.6, 0, -0.8], rtol=1e-6)


def test_without_clipping_the_weights_go_elsewhere():
    (clipped, _), (free, _) = run(clipnorm=0.01), run(clipnorm=None)
    with pytest.raises(AssertionError):
        assert_same_networks(clipped, free)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("weight_averaging", [None, 0.5])
def test_learning_goes_on_from_its_arrays_and_count(name, weight_averaging):
    params = TrainParams(optimizer=name, schedule="cosine", weight_averaging=weight_averaging)
    gradients = np.random.default_rng(1).normal(size=(6, 3)).astype(np.float32)
    whole = optimizer.start(np.ones(3, np.float32), params, 6)
    for gradient in gradients[:3]:
        whole.apply(gradient, 1.0)
    resumed = optimizer.start(np.zeros(3, np.float32), params, 6)
    resumed.step = whole.step
    for array, value in zip(resumed.arrays(), whole.arrays(), strict=True):
        array[:] = value
    for gradient in gradients[3:]:
        whole.apply(gradient, 1.0)
        resumed.apply(gradient, 1.0)
    for one, other in zip(whole.arrays(), resumed.arrays(), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(whole.averaged_or_raw_weights(), resumed.averaged_or_raw_weights())
    assert whole.step == resumed.step == 6
    assert (whole.weights != 1).all()


@pytest.mark.parametrize("ngrams", [0, 1])
def test_averaged_weights_are_the_moving_average_over_the_steps(ngrams):
    """A step an epoch, the last epoch kept, so that the weights after each step are there to be averaged."""
    model, options = small(ngrams=ngrams), {"batch_size": 300, "validation": "test"}
    average = learnt(run(model, epochs=1, learning_rate=1e-20, **options)[0])
    for steps in (1, 2, 3):
        decay = min(0.2, (1 + steps) / (10 + steps))
        weights = learnt(run(model, epochs=steps, **options)[0])
        average = [decay * a + (1 - decay) * weight for a, weight in zip(average, weights, strict=True)]
    averaged = learnt(run(model, epochs=3, weight_averaging=0.2, **options)[0])
    for one, other in zip(averaged, average, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("weight_averaging", [None, 0.5])
def test_the_weights_to_use_are_a_copy_and_themselves_unless_averages_are_asked_for(weight_averaging):
    learning = after(2, np.ones(3, np.float32), weight_averaging=weight_averaging)
    used = learning.averaged_or_raw_weights()
    assert (used == learning.weights).all() == (weight_averaging is None)
    learning.apply(np.ones(3, np.float32), 3.0)
    assert (used != learning.averaged_or_raw_weights()).all()


@pytest.mark.parametrize(("name", "number"), [("adam", 1), ("rmsprop", 2), ("sgd", 1)])
def test_moments_end_at_zero_instead_of_becoming_subnormal(name, number):
    """A word that no review reads any more would make every later step slow."""
    learning = optimizer.start(np.zeros(1, np.float32), TrainParams(optimizer=name, clipnorm=None), 1000)
    learning.apply(np.array([1e-12], np.float32), 0.0)
    moments = []
    for _ in range(600):
        learning.apply(np.zeros(1, np.float32), 0.0)
        moments.append(abs(learning.arrays()[number][0]))
    assert moments[0] > 0
    assert moments[-1] == 0
    assert min(moment for moment in moments if moment) > np.finfo(np.float32).tiny


@pytest.mark.parametrize("schedule", ["constant", "linear", "cosine"])
def test_the_learning_rate_follows_the_schedule(schedule):
    """Gradient descent by a gradient of 1, whose steps are the learning rate until the velocity adds up."""
    share = np.arange(STEPS) / STEPS
    expected = {"constant": np.ones(STEPS), "linear": 1 - share, "cosine": (1 + np.cos(np.pi * share)) / 2}[schedule]
    learning = optimizer.start(np.zeros(1, np.float32), TrainParams(optimizer="sgd", schedule=schedule), STEPS)
    rates = []
    for _ in range(STEPS):
        learning.m[:] = 0
        learning.apply(np.ones(1, np.float32), 1.0)
        rates.append(-learning.m[0] / learning.params.learning_rate)
    np.testing.assert_allclose(rates, expected, rtol=1e-6, atol=1e-8)
