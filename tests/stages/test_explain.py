import numpy as np
import pytest
from material import model_params, network_of

from imdb_rnn.text.corpus import from_lists
from imdb_rnn.text.encode import encode
from imdb_rnn.text.vocabulary import NOT_A_WORD
from stages.explain import traced

VOCABULARY = ["the", "film", "was", "good", "rare"]
WHOLE = ["the", "film", "rare", "was", NOT_A_WORD, "good"]


@pytest.mark.parametrize("truncating", ["pre", "post"])
@pytest.mark.parametrize(("maxlen", "count"), [(10, 6), (7, 6), (6, 6), (3, 3)])
@pytest.mark.parametrize("mask_padding", [True, False])
def test_words_beyond_the_network_s_vocabulary_are_said_by_name(mask_padding, truncating, maxlen, count):
    """Also those whose id is that of unknown words; only what nobody knows stays a mark."""
    params = model_params(cell="gru", bidirectional=True, mask_padding=mask_padding)
    network = network_of(params, vocab_size=8, maxlen=maxlen, truncating=truncating)
    reviews = from_lists([[1, 2, 5, 3, 0, 4], [1, 1]], np.array([1, 0]))
    traces = {trace["row"]: trace for trace in traced(network, reviews.ranks, reviews.labels, VOCABULARY)}
    trace = traces[0]
    after_the_start_mark = WHOLE[: min(count, maxlen - 1)]
    expected = after_the_start_mark if truncating == "post" else WHOLE[len(WHOLE) - count :]
    assert trace["words"] == expected
    assert trace["known"] == [word not in ("rare", NOT_A_WORD) for word in expected]
    assert trace["label"] == 1
    assert len(trace["probability"]) == len(expected) + 1
    assert trace["kind"] in ("right", "wrong", "undecided")


def test_a_trace_ends_with_the_prediction():
    network = network_of(model_params(cell="lstm"), vocab_size=8)
    reviews = from_lists([[1, 2, 3, 3, 0, 4], [1, 1], [2, 2, 3]], np.array([1, 0, 0]))
    probability = network.predict_proba(encode(reviews.ranks, network.encoding))
    for trace in traced(network, reviews.ranks, reviews.labels, VOCABULARY):
        assert trace["probability"][-1] == pytest.approx(probability[trace["row"]], abs=1e-6)
        assert np.ptp(trace["probability"]) > 1e-3
