import numpy as np
from steps import assert_step_is, sigmoid

from imdb_rnn.network.cells.lstm import LSTM


def textbook(word, product, cell):
    i, f, candidate, o = np.split(word + product, 4, axis=1)
    cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(candidate)
    return sigmoid(o) * np.tanh(cell), cell


def test_a_step_is_that_of_long_short_term_memory_and_the_way_back_its_derivative():
    assert_step_is(LSTM, textbook, carries="c")
