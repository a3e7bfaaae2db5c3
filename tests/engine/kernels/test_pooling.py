from material import model_params, network_of
from networks import ragged


def test_the_first_of_the_highest_states_gets_the_gradient_of_the_maximum():
    """A network without memory, for which a word is as high at each place."""
    network = network_of(model_params(pooling="max"))
    network.weights.layers[0][0].recurrent_kernel[:] = 0
    norms = network.gradient_norms(ragged([7, 7, 7], [7]))
    assert norms[0].tolist() == [norms[1][0], 0, 0]
    assert norms[1][0] > 0
