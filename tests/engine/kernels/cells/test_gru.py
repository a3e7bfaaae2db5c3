import numpy as np
from steps import assert_step_is, sigmoid

from imdb_rnn.engine.kernels.cells.gru import GRU


def textbook(word, product, h, c):
    (z, reset, candidate), (z_product, reset_product, candidate_product) = word, product
    z, reset = sigmoid(z + z_product), sigmoid(reset + reset_product)
    return z * h + (1 - z) * np.tanh(candidate + reset * candidate_product), c


def test_a_step_is_that_of_a_gated_recurrent_unit_and_the_way_back_its_derivative():
    assert_step_is(GRU, textbook)
