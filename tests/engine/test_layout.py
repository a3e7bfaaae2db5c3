import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from material import model_params
from networks import CELLS, VOCAB_SIZE, arrays_of

from imdb_rnn.engine.initializers import initial_weights
from imdb_rnn.engine.kernels.arithmetic import LANES
from imdb_rnn.engine.layout import Layout
from imdb_rnn.engine.weights import Weights, from_named

layouts = st.builds(
    lambda vocab_size, ngrams, **values: Layout(model_params(**values), vocab_size, ngrams),
    vocab_size=st.integers(4, 20),
    ngrams=st.integers(1, 40),
    **{
        "cell": st.sampled_from(CELLS),
        "layers": st.integers(1, 3),
        "bidirectional": st.booleans(),
        "embedding_dim": st.integers(1, 33),
        "units": st.integers(1, 33),
        "pooling": st.sampled_from(["last", "max", "mean", "max+mean"]),
    },
)


@given(layout=layouts, with_ngrams=st.booleans())
def test_the_flat_array_holds_the_weights_and_zeros_and_every_array_begins_with_a_whole_vector(layout, with_ngrams):
    layout = Layout(layout.params, layout.vocab_size, layout.num_ngrams if with_ngrams else 0)
    counts = [np.prod(block.shape) for block in layout.blocks.values()]
    numbers = np.split(np.arange(1, sum(counts) + 1, dtype=np.float32), np.cumsum(counts)[:-1])
    shaped = zip(layout.blocks.items(), numbers, strict=True)
    weights = from_named({name: array.reshape(block.shape) for (name, block), array in shaped})
    flat = layout.flatten(weights)
    np.testing.assert_array_equal(np.sort(flat)[-sum(counts) :], np.arange(1, sum(counts) + 1))
    assert np.count_nonzero(flat) == sum(counts)
    assert not any(part.start % LANES for part in layout.slices.values())
    assert layout.size == len(flat)
    for array, same in zip(arrays_of(layout.split(flat)), arrays_of(weights), strict=True):
        np.testing.assert_array_equal(array, same)


def test_what_was_split_is_a_copy():
    layout = Layout(model_params(units=16, embedding_dim=16), VOCAB_SIZE, 0)
    flat = np.ones(layout.size, np.float32)
    for array in arrays_of(layout.split(flat)):
        array[:] = 0
    assert flat.all()


def first(**values) -> Weights:
    return initial_weights(model_params(**values), VOCAB_SIZE, seed=3)
