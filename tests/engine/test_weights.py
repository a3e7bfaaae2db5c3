from material import model_params
from networks import VOCAB_SIZE

from imdb_rnn.engine.initializers import initial_weights
from imdb_rnn.engine.weights import DirectionWeights, Weights, from_named, named


def first(**values) -> Weights:
    return initial_weights(model_params(**values), VOCAB_SIZE, seed=3)


def test_weights_have_names():
    weights = first(cell="gru", layers=2, bidirectional=True)
    names = list(named(weights))
    assert names[:4] == ["embeddings", *(f"layers.0.forward.{name}" for name in DirectionWeights._fields)]
    assert names[-5:] == [
        "layers.1.backward.recurrent_kernel",
        "layers.1.backward.bias",
        "head.kernel",
        "head.bias",
        "ngrams",
    ]
    again = from_named(named(weights))
    assert named(again).keys() == named(weights).keys()
    assert again.layers[1][1].bias is weights.layers[1][1].bias
    assert [len(layer) for layer in from_named(named(first(layers=3))).layers] == [1, 1, 1]
