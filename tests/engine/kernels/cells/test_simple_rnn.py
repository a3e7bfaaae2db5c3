from steps import assert_step_is_that_of_the_reference


def test_a_step_and_its_backward_pass_are_those_of_the_reference():
    assert_step_is_that_of_the_reference("simple_rnn")
