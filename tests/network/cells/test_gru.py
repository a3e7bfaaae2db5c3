import numpy as np
from steps import assert_step_is, sigmoid

from imdb_rnn.network.cells.gru import GRU


def textbook(word, product, state):
    (z, reset, candidate), (z_product, reset_product, candidate_product) = (
        np.split(array, 3, axis=1) for array in (word, product)
    )
    z, reset = sigmoid(z + z_product), sigmoid(reset + reset_product)
    state = z * state + (1 - z) * np.tanh(candidate + reset * candidate_product)
    return state, state


def test_a_step_is_that_of_a_gated_recurrent_unit_and_the_way_back_its_derivative():
    assert_step_is(GRU, textbook, carries="h")
