import numpy as np
import pytest
from tasks import SHORT, assert_keras_trains_the_same, assert_same_networks, learnt, of_sums, run, small

from imdb_rnn.base.params import TrainParams
from imdb_rnn.network.keras_model import load_keras
from imdb_rnn.training.optimizer import Optimizer

pytestmark = pytest.mark.slow

STEPS = 3 * 10  # of three epochs of 300 reviews in batches of 32
FALLING = {
    "linear": lambda step: 0.01 * (1 - step / STEPS),
    "cosine": lambda step: 0.005 * (1 + np.cos(np.pi * step / STEPS)),
}


@pytest.mark.parametrize(
    ("name", "schedule"), [("rmsprop", "constant"), ("sgd", "constant"), ("adam", "linear"), ("adam", "cosine")]
)
def test_optimizers_and_schedules_are_what_their_names_say(monkeypatch, name, schedule):
    keras, tf = load_keras()
    params = TrainParams(**{**SHORT, "optimizer": name, "schedule": schedule, "clipnorm": None})
    method = {"adam": keras.optimizers.Adam, "rmsprop": keras.optimizers.RMSprop, "sgd": keras.optimizers.SGD}[name]
    rate = 0.01
    if schedule in FALLING:
        table = tf.constant([FALLING[schedule](step) for step in range(STEPS)], tf.float32)

        class Schedule(keras.optimizers.schedules.LearningRateSchedule):
            def __call__(self, step):
                return tf.gather(table, tf.cast(step, tf.int32))

        rate = Schedule()
    options = {"momentum": 0.9} if name == "sgd" else {}
    assert_keras_trains_the_same(monkeypatch, small(), params, optimizer=of_sums(method)(rate, **options))


def after(steps: int, gradients: list[np.ndarray], **params) -> Optimizer:
    optimizer = Optimizer([np.zeros_like(gradient) for gradient in gradients], TrainParams(**params), steps)
    for _ in range(steps):
        optimizer.apply(gradients)
    return optimizer


def test_a_gradient_is_clipped_by_its_length_over_all_weights():
    gradients = [np.array([3, 0], np.float32), np.array([[4]], np.float32)]
    options = {"optimizer": "sgd", "learning_rate": 1.0}
    free, clipped = (after(1, gradients, clipnorm=norm, **options).weights() for norm in (None, 1.0))
    assert [array.tolist() for array in free] == [[-3, 0], [[-4]]]
    np.testing.assert_allclose(np.concatenate([array.ravel() for array in clipped]), [-0.6, 0, -0.8], rtol=1e-6)


@pytest.mark.parametrize("name", ["adam", "rmsprop", "sgd"])
@pytest.mark.parametrize("weight_averaging", [None, 0.5])
def test_learning_goes_on_from_its_state(name, weight_averaging):
    gradients = [np.array([1, -2, 3], np.float32)]
    options = {"optimizer": name, "schedule": "cosine", "weight_averaging": weight_averaging}
    whole = Optimizer([np.ones(3, np.float32)], TrainParams(**options), 6)
    for _ in range(3):
        whole.apply(gradients)
    resumed = Optimizer([np.zeros(3, np.float32)], TrainParams(**options), 6)
    resumed.restore(whole.state())
    for optimizer in (whole, resumed):
        for _ in range(3):
            optimizer.apply(gradients)
    for one, other in zip(whole.state(), resumed.state(), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(whole.averages()[0], resumed.averages()[0])
    assert (whole.weights()[0] != 1).all()


def test_without_clipping_the_weights_go_elsewhere():
    (clipped, _), (free, _) = run(clipnorm=0.01), run(clipnorm=None)
    with pytest.raises(AssertionError):
        assert_same_networks(clipped, free)


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


def test_averages_are_the_weights_themselves_unless_asked_for():
    optimizer = after(2, [np.ones(3, np.float32)])
    np.testing.assert_array_equal(optimizer.averages()[0], optimizer.weights()[0])
