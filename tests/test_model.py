import doctest
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from material import ROOT, model_of_two_words, model_params, network_of
from networks import NETWORKS, VOCAB_SIZE, changed, ragged, rows_of
from scipy.special import expit, softmax

import imdb_rnn
from imdb_rnn import model as module
from imdb_rnn import model_file
from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError
from imdb_rnn.decision import predicted
from imdb_rnn.engine import reference
from imdb_rnn.engine.kernels import ngrams
from imdb_rnn.engine.ragged import Ragged
from imdb_rnn.engine.reference import Review
from imdb_rnn.model import Model
from imdb_rnn.text.encode import pad, unpad, with_padding

PADDED_KINDS = ("simple_rnn", "bidirectional", "max", "everything")


TEXTS = ["A wonderful film.", "a TERRIBLE film!", "", "Terrible? Wonderful!", "wonderful"]


@pytest.fixture(name="model")
def two_words() -> Model:
    return model_of_two_words()


@pytest.fixture
def folder(model, tmp_path, monkeypatch) -> None:
    """The current folder is a project with a trained model."""
    model_file.save(model, tmp_path / files.MODEL)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(params=[*((kind, 2) for kind in NETWORKS), ("lstm", 3), ("everything", 5)], ids=str)
def network(request) -> Model:
    kind, classes = request.param
    return network_of(NETWORKS[kind], classes=classes)


@pytest.fixture
def ids() -> Ragged:
    x = np.random.default_rng(0).integers(1, 20, (7, 12), dtype=np.int32)
    x[:3, :4] = 0
    return unpad(x)


def reading_padding(kind: str, **encoding) -> Model:
    """A network as the article has it, for which padding counts."""
    return network_of(NETWORKS[kind].model_copy(update={"mask_padding": False}), **encoding)


def by_reference(network: Model, words: np.ndarray | list[int], chosen: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The logits of a review, and the length of one's gradient with respect to each word's vector: (vocabulary,)."""
    params, weights = network.params, changed(network.weights, lambda array: array.astype(np.float64))
    review = Review(module.as_read(ragged(words), params, network.encoding)[0])
    logits, cache = reference.forward(weights, review, params.cell, params.pooling)
    gradients = changed(weights, np.zeros_like)
    reference.backward(np.eye(len(logits))[chosen], weights, review, params.cell, cache, gradients)
    if params.ngrams:
        codes = ngrams.codes_of(ragged(words), params.ngrams, network.encoding.vocab_size)
        logits += weights.ngrams[np.isin(network.ngram_codes, codes.values)].sum(axis=0)
    return logits if len(logits) > 1 else logits[0], np.linalg.norm(gradients.embeddings, axis=1)


def test_logits_are_those_of_the_reference(network, ids):
    rows = [*rows_of(ids), []]
    np.testing.assert_allclose(
        network.logits(ragged(*rows)), [by_reference(network, row)[0] for row in rows], atol=1e-5
    )


def test_probabilities_are_the_logistic_function_of_one_logit_and_softmax_of_several(network, ids):
    logits, probability = network.logits(ids), network.probabilities(ids)
    assert logits.dtype == probability.dtype == np.float64
    np.testing.assert_allclose(probability, expit(logits) if logits.ndim == 1 else softmax(logits, axis=1), rtol=1e-14)


def test_an_answer_does_not_depend_on_the_batch(network, ids, monkeypatch):
    logits, norms = network.logits(ids), network.gradient_norms(ids)
    monkeypatch.setattr(module, "BATCH", 3)
    np.testing.assert_array_equal(network.logits(ids), logits)
    np.testing.assert_array_equal(network.gradient_norms(ids).values, norms.values)


@pytest.mark.parametrize("padding", ["pre", "post"])
def test_an_answer_does_not_depend_on_the_batch_where_padding_is_read(monkeypatch, padding):
    params = model_params(cell="lstm", layers=2, mask_padding=False)
    network, ids = network_of(params, padding=padding), ragged([5, 6], [], [1, 2, 3, 4], np.arange(1, 13), [7])
    test_an_answer_does_not_depend_on_the_batch(network, ids, monkeypatch)


def test_padding_does_not_change_an_answer(network):
    """Whatever a review's padding, its batch and its neighbours."""
    random = np.random.default_rng(5)
    texts = [random.integers(1, 20, length) for length in (1, 2, 12, 7)]
    alone = np.concatenate([network.probabilities(ragged(text)) for text in texts])
    for padding, maxlen in (("pre", 12), ("post", 12), ("pre", 17)):
        x = pad(ragged(*texts), maxlen, padding)
        np.testing.assert_array_equal(network.probabilities(unpad(x)), alone)
        np.testing.assert_array_equal(network.probabilities(unpad(x[::-1]))[::-1], alone)


@pytest.mark.parametrize("kind", PADDED_KINDS)
def test_in_the_article_s_network_padding_counts(kind):
    networks = [reading_padding(kind, maxlen=6, padding=padding) for padding in ("pre", "post")]
    before, after = (network.logits(ragged([5, 6, 7]))[0] for network in networks)
    np.testing.assert_allclose([before, after], [by_reference(n, [5, 6, 7])[0] for n in networks], atol=1e-5)
    assert abs(before - after) > 1e-3


@pytest.mark.parametrize("method", [Model.logits, Model.probabilities, Model.gradient_norms])
@pytest.mark.parametrize("wrong", [20, -1, -1_500_000])
def test_an_id_beyond_the_vocabulary_is_refused(method, wrong):
    with pytest.raises(UserError, match=f"ids below 20, the reviews hold {wrong}"):
        method(network_of(model_params()), ragged([1, wrong], [1]))


def test_all_numbers_that_were_learnt_are_counted():
    network = network_of(model_params(cell="gru", bidirectional=True, ngrams=2))
    gru = 4 * 15 + 5 * 15 + 2 * 15  # kernel, recurrent kernel and two biases, of three gates of five units
    assert network.count_weights() == VOCAB_SIZE * 4 + 2 * gru + 2 * 5 + 1 + VOCAB_SIZE**3 // 2


def distinct_words(*lengths: int) -> Ragged:
    """Reviews that have each word once, so that the gradient of a word's vector is that of one place."""
    random = np.random.default_rng(2)
    return ragged(*(random.permutation(np.arange(1, VOCAB_SIZE))[:length] for length in lengths))


def assert_gradient_norms_are_those_of_the_reference(network: Model) -> None:
    """Of the logits of the predicted classes; with two classes there is one logit."""
    reviews = distinct_words(12, 1, 7, 12)
    norms = network.gradient_norms(reviews)
    assert norms.values.dtype == np.float32
    chosen = predicted(network.logits(reviews)) if len(network.labels) > 2 else np.zeros(4, int)
    for row in range(len(reviews)):
        expected = by_reference(network, reviews[row], chosen[row])[1][reviews[row]]
        assert expected.max() > 1e-3
        np.testing.assert_allclose(norms[row], expected, rtol=1e-4, atol=1e-6)


def test_gradients_of_the_logit_are_those_of_the_reference(network):
    assert_gradient_norms_are_those_of_the_reference(network)


@pytest.mark.parametrize("kind", PADDED_KINDS)
@pytest.mark.parametrize("padding", ["pre", "post"])
def test_gradients_of_the_logit_are_those_of_the_reference_where_padding_is_read(kind, padding):
    assert_gradient_norms_are_those_of_the_reference(reading_padding(kind, padding=padding))


def test_a_sure_network_has_gradients_as_large_as_an_undecided_one(ids):
    """Those of the probability would be next to nothing, so that a mean over reviews would be one of the undecided."""
    undecided = network_of(model_params())
    sure = replace(undecided, weights=undecided.weights._replace(head_bias=undecided.weights.head_bias + 12))
    assert sure.probabilities(ids).min() > 0.99
    np.testing.assert_array_equal(sure.gradient_norms(ids).values, undecided.gradient_norms(ids).values)


def test_each_occurrence_of_a_word_has_a_gradient_of_its_own():
    norms = network_of(model_params()).gradient_norms(ragged([7] * 5))
    assert norms.lengths.tolist() == [5]
    assert len(np.unique(norms.values)) == 5


def test_a_review_without_words_has_no_gradients():
    network = network_of(model_params(cell="gru"))
    assert network.gradient_norms(ragged([], [3])).lengths.tolist() == [0, 1]
    assert len(network.gradient_norms(ragged([]))) == 1
    assert len(network.gradient_norms(Ragged(*np.zeros((3, 0), np.int64)))) == 0


@pytest.mark.parametrize("mask_padding", [True, False])
@pytest.mark.parametrize("kind", [{"bidirectional": True, "pooling": "max+mean"}, {"layers": 2}])
@given(words=st.lists(st.integers(1, VOCAB_SIZE - 1), min_size=1, max_size=12), start=st.integers(0, 1))
def test_a_trace_says_what_would_be_said_if_the_review_ended(kind, mask_padding, words, start):
    network = network_of(model_params(cell="gru", mask_padding=mask_padding, **kind))
    trace = network.trace_ids(np.array(words, np.int32), start)
    beginnings = ragged(*(words[:end] for end in range(start, len(words) + 1)))
    np.testing.assert_array_equal(trace, network.probabilities(beginnings))


@pytest.mark.parametrize("padding", ["pre", "post"])
def test_a_network_that_reads_padding_gets_it_back_where_it_was(padding):
    network, ids = reading_padding("simple_rnn", padding=padding, maxlen=4), ragged([5, 6], [], [1, 2, 3, 4])
    seen = module.as_read(ids, network.params, network.encoding)
    assert rows_of(seen) == pad(ids, 4, padding).tolist() == rows_of(with_padding(ids, 4, padding))
    masking = network_of(model_params(), padding=padding)
    assert module.as_read(ids, masking.params, masking.encoding) is ids


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("documented", [imdb_rnn.load, Model])
def test_what_the_documentation_shows_is_so(documented, model):
    (example,) = doctest.DocTestFinder(recurse=False).find(documented, globs={"model": model})
    assert doctest.DocTestRunner().run(example).failed == 0
    assert len(example.examples) >= 3


def test_a_text_has_the_probability_of_its_ids(model):
    probability = model.predict_proba(TEXTS)
    assert (probability.dtype, probability.shape) == (np.float64, (5,))
    np.testing.assert_array_equal(probability, model.probabilities(model.encode(TEXTS)))
    assert probability[2] == 0.5
    assert model.predict(TEXTS) == ["positive", "negative", "negative", "positive", "positive"]


def test_no_texts_have_no_probabilities(model):
    assert model.predict_proba([]).shape == (0,)
    assert model.predict(iter([])) == []


def test_an_answer_does_not_depend_on_what_else_is_asked(model, monkeypatch):
    together = model.predict_proba(TEXTS * 3)
    monkeypatch.setattr(module, "TEXTS", 4)
    np.testing.assert_array_equal(model.predict_proba(text for text in TEXTS * 3), together)
    np.testing.assert_array_equal([model.predict_proba([text])[0] for text in TEXTS * 3], together)


def test_of_several_labels_each_has_a_column():
    network = network_of(model_params(), classes=3)
    texts = ["word1 word2", "word3", ""]
    probability = network.predict_proba(texts)
    assert probability.shape == (3, 3)
    assert network.predict_proba([]).shape == (0, 3)
    assert network.predict(texts) == [network.labels[k] for k in probability.argmax(axis=1)]
    assert network.trace("word1 word2").probability.shape == (3, 3)


def test_texts_are_named_as_their_owner_names_them(model):
    assert replace(model, labels=("差评", "好评")).predict(TEXTS[:2]) == ["好评", "差评"]
    assert replace(model, threshold=0.95).predict(TEXTS[:2]) == ["negative", "negative"]


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("unsure", [0.02, 0.3, 0.49])
def test_the_answer_is_unsure_where_the_probability_of_the_label_is_too_low(classes, unsure):
    network = replace(network_of(NETWORKS["gru"], classes=classes), threshold=0.4)
    logits = np.random.default_rng(1).normal(size=(99, classes))
    logits = logits[:, 0] if classes == 2 else logits
    shares = softmax(logits, axis=1) if classes > 2 else np.stack([1 - expit(logits), expit(logits)], axis=1)
    labels = shares.argmax(axis=1) if classes > 2 else (shares[:, 1] > 0.4).astype(int)
    expected = [
        network.labels[k] if share[k] >= 1 - unsure else "unsure" for share, k in zip(shares, labels, strict=True)
    ]
    assert network.label_names(logits, unsure) == expected


@pytest.mark.parametrize(("classes", "unsure"), [(2, 0.5), (2, 0), (2, float("nan")), (3, 1)])
def test_a_chance_that_no_label_can_have_is_refused(classes, unsure):
    with pytest.raises(UserError, match=r"^unsure is .*; choose a number above 0 and below "):
        network_of(model_params(), classes=classes).predict(["word1"], unsure=unsure)


def test_a_label_that_is_called_unsure_cannot_be_told_from_the_answer():
    network = replace(network_of(model_params()), labels=("sure", "unsure"))
    with pytest.raises(UserError, match="has a label unsure"):
        network.predict(["word1"], unsure=0.2)


@pytest.mark.parametrize("wrong", ["A wonderful film.", ["a film", None], [b"a film"], [["a", "film"]]])
def test_what_is_no_list_of_texts_is_refused(model, wrong):
    with pytest.raises(TypeError, match="not "):
        model.predict_proba(wrong)


def test_threads_get_the_answers_that_one_gets(model):
    alone = [model.predict_proba(TEXTS[number % 5 :] * 50) for number in range(40)]
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda number: model.predict_proba(TEXTS[number % 5 :] * 50), range(40)))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_trace_says_what_would_be_said_if_the_text_ended(model):
    trace = model.trace("A wonderful, splendid film")
    assert trace.tokens == ["a", "wonderful", "splendid", "film"]
    assert trace.known.tolist() == [True, True, False, True]
    beginnings = ["", "a", "a wonderful", "a wonderful splendid", "a wonderful splendid film"]
    np.testing.assert_array_equal(trace.probability, model.predict_proba(beginnings))


@pytest.mark.parametrize(("cut", "read"), [("pre", "c d e f g h"), ("post", "a b c d e")])
def test_a_trace_is_of_the_words_that_are_read(model, cut, read):
    """Six ids, one of them the start mark if the text is cut at its end."""
    encoding = model.encoding.model_copy(update={"truncating": cut})
    trace = replace(model, encoding=encoding).trace("a b c d e f g h")
    assert trace.tokens == read.split()
    assert len(trace.known) == len(trace.probability) - 1 == len(trace.tokens)


def test_a_trace_of_nothing_is_one_probability(model):
    trace = model.trace("")
    assert (trace.tokens, trace.known.tolist(), trace.probability.tolist()) == ([], [], [0.5])


@pytest.mark.slow
@pytest.mark.usefixtures("folder")
def test_nothing_that_is_slow_to_load_is_loaded():
    """Neither at import, nor to answer."""
    script = """if True:
        import sys, imdb_rnn
        print(*(name for name in sys.modules if name.startswith(("imdb_rnn.", "numpy"))))
        model = imdb_rnn.load()
        model.predict(["A film."]), model.trace("A film."), model.gradient_norms(model.encode(["A film."]))
        slow = {"keras", "tensorflow", "h5py", "pandas", "sklearn", "pyarrow", "tqdm", "matplotlib"}
        print(*slow & set(sys.modules))
    """
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    assert subprocess.check_output([sys.executable, "-c", script], text=True, env=environment) == "\n\n"
