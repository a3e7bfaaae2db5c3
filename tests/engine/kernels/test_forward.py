import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from material import model_params, network_of
from networks import ALL_AT_ONCE, CELLS, VOCAB_SIZE, ragged

POOLINGS = ("last", "max", "mean", "max+mean")


@pytest.mark.parametrize("cell", CELLS)
@given(
    texts=st.lists(st.lists(st.integers(1, VOCAB_SIZE - 1), max_size=9), min_size=2, max_size=40),
    chosen=st.integers(0, 39),
)
def test_what_is_said_of_a_review_is_the_same_to_the_bit_in_whatever_company(cell, texts, chosen):
    network = network_of(model_params(**ALL_AT_ONCE | {"cell": cell, "layers": 2, "ngrams": 0}))
    alone = ragged(texts[chosen % len(texts)])
    assert network.logits(ragged(*texts))[chosen % len(texts)] == network.logits(alone)[0]


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("cell", CELLS)
def test_what_is_not_a_number_stays_visible(cell, pooling):
    network = network_of(model_params(cell=cell, pooling=pooling, layers=2, bidirectional=True))
    network.weights.embeddings[3] = np.nan
    logits = network.logits(ragged([1, 3, 2], [1, 2, 1], [], [3]))
    assert np.isnan(logits).tolist() == [True, False, False, True]
