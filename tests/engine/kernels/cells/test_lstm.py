import numpy as np
from steps import assert_step_is, sigmoid

from imdb_rnn.engine.kernels.cells.lstm import LSTM


def textbook(word, product, h, c):
    i, f, candidate, o = word + product
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(candidate)
    return sigmoid(o) * np.tanh(c), c


def test_a_step_is_that_of_long_short_term_memory_and_the_way_back_its_derivative():
    assert_step_is(LSTM, textbook)
