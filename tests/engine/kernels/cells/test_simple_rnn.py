import numpy as np
from steps import assert_step_is

from imdb_rnn.engine.kernels.cells.simple_rnn import SIMPLE_RNN


def test_a_step_is_elman_s_and_the_way_back_its_derivative():
    assert_step_is(SIMPLE_RNN, lambda word, product, h, c: (np.tanh(word + product), c))
