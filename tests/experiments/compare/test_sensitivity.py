import numpy as np
import pytest
from material import model_params, network_of
from networks import ragged

from experiments.compare import sensitivity
from experiments.compare.runs import COMMAND
from experiments.compare.sensitivity import RunSensitivity, measure, traced_rows
from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError
from imdb_rnn.text.corpus import Reviews
from imdb_rnn.text.encode import encode

pytestmark = pytest.mark.slow

GOOD = RunSensitivity(
    gradient=[4.0, 2.0, 1.0], last_words={"1": 0.5, "3": 0.75}, traces=[[0.5, 0.75], [0.5, 0.25, 0.125]]
)


def test_the_traced_reviews_are_neither_short_nor_long(corpus):
    rows = traced_rows(corpus.test.ranks)
    lengths = corpus.test.ranks.lengths[rows]
    assert len(rows) > 50
    assert lengths.min() >= 50
    assert lengths.max() <= 200
    assert len(set(rows)) == len(rows)


def test_a_network_is_measured_on_reviews_as_it_reads_them(monkeypatch):
    """Those of 12 words and more are cut, and lose their start mark."""
    monkeypatch.setattr(sensitivity, "TRACED_WORDS", (3, 20))
    random = np.random.default_rng(1)
    reviews = Reviews(ragged(*(random.integers(0, 16, n) for n in (2, 5, 11, 12, 20, 21))), np.array([0, 1] * 3))
    network = network_of(model_params(cell="gru"), maxlen=12)
    measured = measure(network, reviews)
    assert len(measured.gradient) == 12
    assert list(measured.last_words) == ["1", "2", "5", "10", "12"]
    ids = encode(reviews.ranks, network.encoding)
    right = (network.probabilities(ids) > 0.5) == reviews.labels
    assert measured.last_words["12"] == round(right.mean(), 6)
    rows = traced_rows(reviews.ranks)
    assert rows.tolist() == [1, 2, 3, 4]
    assert [len(trace) for trace in measured.traces] == [6, 12, 13, 13]
    np.testing.assert_allclose([t[-1] for t in measured.traces], network.probabilities(ids)[rows], atol=1e-4)
    norms = network.gradient_norms(ids)
    last = [norms[row][-1] for row in range(len(norms))]
    assert measured.gradient[0] == pytest.approx(np.mean(last), abs=1e-7)


def test_what_was_measured_is_read_as_written_and_damage_is_named(tmp_path):
    path = tmp_path / "gru-1.json"
    path.write_text(GOOD.model_dump_json())
    assert files.read_json(RunSensitivity, path, COMMAND) == GOOD
    for fault in ({"gradient": []}, {"gradient": [-1.0]}, {"last_words": {"1": None}}, {"traces": [[0.5], []]}):
        path.write_text(GOOD.model_copy(update=fault).model_dump_json(warnings=False))
        with pytest.raises(UserError, match=r"gru-1\.json is damaged \(.*; run `make compare`"):
            files.read_json(RunSensitivity, path, COMMAND)


def test_a_run_is_named_by_its_network_and_seed(tmp_path):
    with pytest.raises(UserError, match="NETWORK SEED"):
        sensitivity.main(["gru"], tmp_path)
    with pytest.raises(UserError, match=r"gru-1.model\.safetensors is missing; run `make compare`"):
        sensitivity.main(["gru", "1"], tmp_path)
