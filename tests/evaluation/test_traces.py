import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from material import model_params, network_of

from imdb_rnn.decision import is_correct, margin
from imdb_rnn.evaluation import traces
from imdb_rnn.evaluation.traces import trace_reviews
from imdb_rnn.text.corpus import from_lists
from imdb_rnn.text.encode import encode
from imdb_rnn.text.vocabulary import NOT_A_WORD

VOCABULARY = ["the", "film", "was", "good", "rare"]
WHOLE = ["the", "film", "rare", "was", NOT_A_WORD, "good"]


@pytest.mark.parametrize("truncating", ["pre", "post"])
@pytest.mark.parametrize(("maxlen", "count"), [(10, 6), (7, 6), (6, 6), (3, 3)])
@pytest.mark.parametrize("mask_padding", [True, False])
def test_words_beyond_the_network_s_vocabulary_have_their_names(mask_padding, truncating, maxlen, count):
    """OOV words too; only a word that is not in the whole vocabulary has no name."""
    params = model_params(cell="gru", bidirectional=True, mask_padding=mask_padding)
    network = network_of(params, vocab_size=8, maxlen=maxlen, truncating=truncating)
    reviews = from_lists([[1, 2, 5, 3, 0, 4], [1, 1]], np.array([1, 0]))
    traces = {trace["row"]: trace for trace in trace_reviews(network, reviews.ranks, reviews.labels, VOCABULARY)}
    trace = traces[0]
    after_the_start_token = WHOLE[: min(count, maxlen - 1)]
    expected = after_the_start_token if truncating == "post" else WHOLE[len(WHOLE) - count :]
    assert trace["words"] == expected
    assert trace["known"] == [word not in ("rare", NOT_A_WORD) for word in expected]
    assert trace["label"] == 1
    assert len(trace["probability"]) == len(expected) + 1
    assert trace["kind"] in ("correct", "wrong", "undecided")


def test_a_trace_ends_with_the_prediction():
    network = network_of(model_params(cell="lstm"), vocab_size=8)
    reviews = from_lists([[1, 2, 3, 3, 0, 4], [1, 1], [2, 2, 3]], np.array([1, 0, 0]))
    probability = network.probabilities(encode(reviews.ranks, network.encoding))
    for trace in trace_reviews(network, reviews.ranks, reviews.labels, VOCABULARY):
        assert trace["probability"][-1] == pytest.approx(probability[trace["row"]], abs=1e-6)
        assert np.ptp(trace["probability"]) > 1e-3


def test_of_more_classes_the_predicted_one_is_traced_and_a_label_that_was_missed():
    network = network_of(model_params(cell="gru"), vocab_size=8, classes=3)
    reviews = from_lists([[1, 2, 3, 3, 4], [1, 1], [2, 2, 3], [4]], np.array([1, 0, 2, 1]))
    probability = network.probabilities(encode(reviews.ranks, network.encoding))
    found = trace_reviews(network, reviews.ranks, reviews.labels, VOCABULARY)
    assert {trace["kind"] for trace in found} >= {"correct", "wrong"}
    for trace in found:
        row = trace["row"]
        assert trace["predicted"] == probability[row].argmax()
        assert trace["probability"][-1] == pytest.approx(probability[row].max(), abs=1e-6)


def test_of_many_classes_few_reviews_are_traced():
    y, random = np.repeat(np.arange(50), 4), np.random.default_rng(1)
    logits = random.normal(size=(200, 50)) + 3 * np.eye(50)[y]
    kinds = [kind for _, kind in traces.choose(y, logits)]
    assert [kinds.count(kind) for kind in ("correct", "wrong", "undecided")] == [traces.MOST] * 3
    surest = np.argsort(-margin(y, logits))[0]
    assert (surest, "correct") == traces.choose(y, logits)[0]


@given(
    st.lists(st.tuples(st.integers(0, 1), st.floats(-9, 9)), min_size=1, max_size=60), st.sampled_from([0.5, 0.1, 0.9])
)
def test_each_kind_of_traced_review_is_what_it_says(pairs, threshold):
    y, logits = (np.array(values) for values in zip(*pairs, strict=True))
    chosen = traces.choose(y, logits, threshold)
    rows = [row for row, _ in chosen]
    assert len(set(rows)) == len(rows)
    margins, correct = margin(y, logits, threshold), is_correct(y, logits, threshold)
    for label in (0, 1):
        for kind, of_kind, count in (("correct", correct, traces.N_CORRECT), ("wrong", ~correct, traces.N_WRONG)):
            expected = sorted(-abs(margins[(y == label) & of_kind]))[:count]
            picked = [row for row, its in chosen if its == kind and y[row] == label]
            assert all(of_kind[picked])
            assert (-abs(margins[picked])).tolist() == expected


@pytest.mark.parametrize(
    ("text", "fit"),
    [
        ("a grape rapidly analyzed by dick van dyke in therapy it's hit", True),
        ("the scene where he was raped", False),
        ("sexual violence", False),
        ("这 部 电影 很 好看", True),
        ("片 中 强 奸 的 情节", False),
    ],
)
def test_reviews_with_words_that_are_not_for_a_class_are_told(text, fit):
    assert traces.is_fit(text.split()) == fit


def test_the_reviews_that_are_traced_are_fit_for_a_class_and_the_surest_of_these():
    """Half of them are not, the surest one of each kind among them."""
    network = network_of(model_params(cell="gru"), vocab_size=8)
    random = np.random.default_rng(2)
    reviews = from_lists([random.integers(1, 5, 6).tolist() + [5] * (n % 2) for n in range(60)], np.arange(60) // 2 % 2)
    vocabulary = [*VOCABULARY[:4], "porn"]
    found = trace_reviews(network, reviews.ranks, reviews.labels, vocabulary)
    assert {trace["kind"] for trace in found} == {"correct", "wrong", "undecided"}
    assert not any("porn" in trace["words"] for trace in found)
    fit = np.arange(0, 60, 2)
    logits = network.logits(encode(reviews.ranks.rows(fit), network.encoding))
    expected = [(fit[row], kind) for row, kind in traces.choose(reviews.labels[fit], logits)]
    assert [(trace["row"], trace["kind"]) for trace in found] == expected
    unfit = from_lists([[5], [5, 5]], np.array([0, 1]))
    assert trace_reviews(network, unfit.ranks, unfit.labels, vocabulary) == []


def test_the_undecided_have_the_logits_nearest_to_zero():
    logits = np.concatenate([np.linspace(-0.5, -0.05, 20), np.linspace(0.05, 0.5, 20)])
    undecided = [row for row, kind in traces.choose(np.tile([0, 1], 20), logits) if kind == "undecided"]
    assert traces.N_UNDECIDED == 2
    assert undecided == [20, 18, 19, 21]  # 0.05, -0.07; -0.05, 0.07
