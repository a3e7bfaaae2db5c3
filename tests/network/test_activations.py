import numpy as np
import pytest

from imdb_rnn.network.activations import compiled, sigmoid, tanh

X = np.concatenate([np.linspace(-20, 20, 20_001), [-1e30, -np.inf, np.inf, 1e30, 1e-30, 0]]).astype(np.float32)


@pytest.mark.parametrize(
    ("activation", "exact", "off"),
    [(tanh, np.tanh, 3e-7), (sigmoid, lambda x: 1 / (1 + np.exp(-np.clip(x, -700, 700))), 2.5e-7)],
)
def test_an_activation_is_the_function_of_its_name_almost_to_the_last_bit(activation, exact, off):
    @compiled
    def of_each(x, y):
        for i in range(len(x)):
            y[i] = activation(x[i])

    y = np.empty_like(X)
    of_each(X, y)
    np.testing.assert_allclose(y, exact(X.astype(np.float64)), atol=off, rtol=0)
    assert np.abs(y).max() <= 1


@pytest.mark.parametrize("activation", [tanh, sigmoid])
def test_what_is_not_a_number_stays_visible(activation):
    assert np.isnan(activation(np.float32(np.nan)))
