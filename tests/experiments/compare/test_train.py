import numpy as np
import pytest

from experiments.compare import train
from experiments.compare.runs import MODEL, RUNS, read_run
from imdb_rnn.base import files
from imdb_rnn.base.errors import UserError
from imdb_rnn.network import model_file
from imdb_rnn.reviews.corpus import from_lists, make_corpus, write_corpus
from imdb_rnn.reviews.encode import encode
from imdb_rnn.reviews.split import split_by_position
from imdb_rnn.training.losses import is_right

PRESETS = """
gru:
  pad: {vocab_size: 12, maxlen: 6}
  model: {cell: gru, embedding_dim: 4, units: 4, ngrams: 1, ngram_min_reviews: 1}
  train: {epochs: 3, batch_size: 16, learning_rate: 0.05, validation_fraction: 0.25}
article:
  train: {clipnorm: null, validation: test}
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / files.PARAMS.with_name("presets.yaml")).write_text(PRESETS)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["gru"], "name a preset and a seed"),
        (["lstm", "1"], "no preset 'lstm'"),
        (["gru", "one"], r"params\.yaml: seed is 'one'"),
        (["gru", "-1"], r"params\.yaml: seed is -1"),
        (["article", "1"], "article chooses its epoch by the test reviews"),
    ],
)
def test_what_cannot_be_compared_is_refused(project, arguments, fault):
    with pytest.raises(UserError, match=fault):
        train.main(arguments, project)


@pytest.mark.slow
def test_a_run_holds_the_network_and_what_it_says_of_the_test_reviews(project):
    random = np.random.default_rng(1)
    labels = np.array([0, 1] * 40)
    both = [
        from_lists([[*random.integers(3, 11, 7).tolist(), 1 + label] for label in labels], labels) for _ in range(2)
    ]
    vocabulary = [f"word{rank}" for rank in range(1, 11)]
    write_corpus(make_corpus(*both, vocabulary, {"source": "bundled"}), project / files.REVIEWS)
    train.main(["gru", "7"], project)
    folder = project / RUNS / "gru-7"
    assert {path.name for path in folder.iterdir()} == {MODEL, "logits.npy", "run.json"}
    network = model_file.load(folder / MODEL)
    assert network.provenance["source"] == "bundled"
    assert network.vocabulary == vocabulary[:8]
    run, logits = read_run(folder, 80)
    np.testing.assert_allclose(network.logits(encode(both[1].ranks, network.encoding)), logits, atol=1e-6)
    assert run.weights == network.count_weights()
    assert run.kept_epoch == network.kept_epoch
    _, held_out = split_by_position(labels, 0.25, "")
    probability = network.predict_proba(encode(both[0].ranks.rows(held_out), network.encoding))
    assert run.validation_accuracy == is_right(labels[held_out], probability).mean()
    assert is_right(labels, logits > 0).mean() > 0.9, "it learnt nothing, so nothing is shown"
