from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from material import model_params, network_of
from networks import CELLS, NETWORKS, VOCAB_SIZE, ragged, reviews_of

from imdb_rnn.core.errors import UserError
from imdb_rnn.engine.kernels import ngrams
from imdb_rnn.export import onnx_file
from imdb_rnn.model import Model
from imdb_rnn.model_file import Metadata
from imdb_rnn.text.encode import pad

MAXLEN = 12  # of `network_of`
REVIEWS = reviews_of(
    VOCAB_SIZE, 2 * (MAXLEN + 1), MAXLEN
)  # of all lengths, 0 too, with the start mark and unknown words


def opened(content: bytes) -> onnxruntime.InferenceSession:
    """An ONNX file as other programs run it, by ONNX Runtime; in one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def probability(network: Model, x: np.ndarray) -> np.ndarray:
    """What the ONNX model of a network says of padded ids."""
    session = opened(onnx_file.as_onnx(network).SerializeToString())
    return session.run(["probability"], {"ids": x.astype(np.int64)})[0]


@pytest.mark.parametrize("pooling", ["last", "max", "mean", "max+mean"])
@pytest.mark.parametrize("cell", CELLS)
@settings(max_examples=40)
@given(
    layers=st.integers(1, 3),
    bidirectional=st.booleans(),
    longest=st.integers(0, 3),
    mask_padding=st.booleans(),
    padding=st.sampled_from(["pre", "post"]),
    classes=st.sampled_from([2, 3, 5]),
)
def test_it_computes_what_the_network_does(
    cell, pooling, layers, bidirectional, longest, mask_padding, padding, classes
):
    params = model_params(
        cell=cell,
        pooling=pooling,
        layers=layers,
        bidirectional=bidirectional,
        ngrams=longest,
        mask_padding=mask_padding,
    )
    network = network_of(params, VOCAB_SIZE, classes=classes, maxlen=MAXLEN, padding=padding)
    expected = network.probabilities(REVIEWS)
    found = probability(network, pad(REVIEWS, MAXLEN, padding))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    assert np.ptp(expected) > 1e-3, "there is nothing to compare"


@pytest.mark.parametrize("kind", ["bidirectional", "everything"])
def test_a_network_that_masks_padding_takes_any_number_of_it_on_either_side(kind):
    """One review alone, without padding or with more than the network was trained with."""
    network = network_of(NETWORKS[kind])
    ids = ragged([1, 5, 2, 7, 5])
    session = opened(onnx_file.as_onnx(network).SerializeToString())
    for maxlen, padding in [(5, "pre"), (MAXLEN, "pre"), (MAXLEN, "post"), (40, "pre")]:
        (found,) = session.run(None, {"ids": pad(ids, maxlen, padding).astype(np.int64)})
        np.testing.assert_allclose(found, network.probabilities(ids), rtol=0, atol=1e-5)


def test_an_n_gram_counts_once_however_large_its_code_is():
    """Codes of triples of a large vocabulary are beyond what a float64 can tell apart."""
    network = network_of(model_params(embedding_dim=1, units=1), vocab_size=1_000_000)
    words = [999_998, 999_999, 999_997, 999_998, 999_999, 999_997]
    codes = ngrams.codes_of(ragged(words), 3, 1_000_000)[0]
    known = np.unique([codes[-1] - 1, codes[-1]])
    params = network.params.model_copy(update={"ngrams": 3})
    weights = network.weights._replace(ngrams=np.array([9, 0.5], np.float32))
    network = replace(network, params=params, ngram_codes=known, weights=weights)
    ids = ragged(words, words[:2])
    expected = network.probabilities(ids)
    np.testing.assert_allclose(probability(network, pad(ids, MAXLEN, "pre")), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("kind", NETWORKS)
def test_it_is_a_model_of_standard_operators(kind, classes):
    model = onnx_file.as_onnx(network_of(NETWORKS[kind], classes=classes))
    (output,) = model.graph.output
    shape = [size.dim_param or size.dim_value for size in output.type.tensor_type.shape.dim]
    assert shape == ["batch", classes][: classes - 1]
    onnx.checker.check_model(model, full_check=True)
    assert model.ir_version == 8
    used = {node.domain for node in model.graph.node}
    assert {opset.domain: opset.version for opset in model.opset_import} == {
        domain: version for domain, version in {"": 18, "ai.onnx.ml": 3}.items() if domain in used
    }


@pytest.mark.parametrize("kind", NETWORKS)
def test_the_bytes_depend_on_nothing_but_the_network(kind, tmp_path):
    written = []
    for name in ("one.onnx", "other.onnx"):
        onnx_file.write(network_of(NETWORKS[kind]), tmp_path / name)
        written.append((tmp_path / name).read_bytes())
    assert written[0] == written[1]
    model = onnx.load_from_string(written[0])
    assert (model.producer_name, model.producer_version) == ("imdb-rnn", "")


def test_the_file_alone_says_how_a_text_becomes_ids(tmp_path):
    network = replace(network_of(NETWORKS["everything"]), tokenizer="char", labels=("差评", "好评"), threshold=0.83)
    network = replace(network, vocabulary=["的", "\n", '"', *network.vocabulary[3:]])
    onnx_file.write(network, tmp_path / "model.onnx")
    metadata = opened((tmp_path / "model.onnx").read_bytes()).get_modelmeta().custom_metadata_map
    about = Metadata.model_validate_json(metadata["imdb_rnn"])
    assert (about.tokenizer, about.labels, about.pad) == ("char", ["差评", "好评"], network.encoding)
    assert about.threshold == 0.83
    assert about.vocabulary == network.vocabulary


def test_a_network_that_is_too_large_for_the_format_is_refused():
    network = network_of(model_params())
    vectors = np.broadcast_to(np.float32(0), (1_000_000, 600))  # takes no memory
    with pytest.raises(UserError, match=r"2\.4 GB of weights, an ONNX file holds 2 GB"):
        onnx_file.as_onnx(replace(network, weights=network.weights._replace(embeddings=vectors)))
