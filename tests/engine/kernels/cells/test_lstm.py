from steps import assert_step_is

from imdb_rnn.engine.kernels.cells.lstm import LSTM


def test_the_step_and_its_backward_pass_are_those_of_the_reference():
    assert_step_is(LSTM, "lstm")
