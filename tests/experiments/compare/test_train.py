import numpy as np
import pytest

from experiments.compare import train
from experiments.compare.runs import MODEL, RUNS, read_run
from imdb_rnn import model_file
from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import PadParams
from imdb_rnn.decision import is_correct
from imdb_rnn.text.corpus import Reviews, from_lists, make_corpus, write_corpus
from imdb_rnn.text.encode import encode
from imdb_rnn.training import loop

pytestmark = pytest.mark.xdist_group("keras")

LABELS = np.array([0, 1] * 40)
ENCODING = PadParams(vocab_size=12, maxlen=6)
VOCABULARY = [f"word{rank}" for rank in range(1, 11)]
PROVENANCE = {"source": "own", "tokenizer": "char", "labels": ["bad", "good"]}
PRESETS = """
gru:
  pad: {vocab_size: 12, maxlen: 6}
  model: {cell: gru, embedding_dim: 4, units: 4, ngrams: 1, ngram_min_reviews: 1}
  train: {epochs: 6, batch_size: 16, learning_rate: 0.05, validation_fraction: 0.25}
folds:
  pad: {vocab_size: 12, maxlen: 6}
  model: {cell: gru, embedding_dim: 4, units: 4, ngrams: 1, ngram_min_reviews: 1}
  train: {epochs: 6, batch_size: 16, learning_rate: 0.05, folds: 2}
all:
  pad: {vocab_size: 12, maxlen: 6}
  model: {cell: gru, embedding_dim: 4, units: 4}
  train: {epochs: 6, batch_size: 16, learning_rate: 0.05, validation: test}
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
    ],
)
def test_what_cannot_be_compared_is_refused(project, arguments, fault):
    with pytest.raises(UserError, match=fault):
        train.main(arguments, project)


def write_reviews(project, last: np.ndarray) -> list[Reviews]:
    """Write 80 for training and 80 for tests to the project, of random words but for the last one, of rank 1 or 2."""
    random = np.random.default_rng(1)
    both = [from_lists([[*random.integers(3, 11, 7).tolist(), 1 + word] for word in last], LABELS) for _ in range(2)]
    write_corpus(make_corpus(*both, VOCABULARY, PROVENANCE), project / files.REVIEWS)
    return both


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["gru", "folds"])
def test_a_run_holds_the_network_and_what_it_says_of_the_test_reviews(project, preset, capsys):
    reviews = write_reviews(project, last=LABELS)
    train.main([preset, "7"], project)
    assert ("fold 2 of 2" in capsys.readouterr().out) == (preset == "folds")
    folder = project / RUNS / f"{preset}-7"
    assert {path.name for path in folder.iterdir()} == {MODEL, "logits.npy", "run.json"}
    network = model_file.load(folder / MODEL)
    assert network.provenance | PROVENANCE == network.provenance
    assert (network.tokenizer, network.labels) == ("char", ("bad", "good"))
    assert network.vocabulary == VOCABULARY[:8]
    run, logits = read_run(folder, len(LABELS))
    np.testing.assert_allclose(network.logits(encode(reviews[1].ranks, network.encoding)), logits, atol=1e-6)
    assert run.weights == network.count_weights()
    assert is_correct(LABELS, logits).mean() > 0.9, "it learnt nothing, so the test shows nothing"


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["gru", "all"])
def test_it_trains_on_the_reviews_that_are_not_held_out(project, monkeypatch, preset):
    """And the test reviews choose nothing: where they validate, the last epoch is kept."""
    reviews = write_reviews(project, last=np.zeros_like(LABELS))  # so that the network can only overfit
    seen, learn = [], loop.train

    def noting(training, validation, *others, **named):
        trained = learn(training, validation, *others, **named)
        seen.append((len(training.y), validation, trained.best_epoch, trained.history["val_loss"].to_numpy()))
        return trained

    monkeypatch.setattr(loop, "train", noting)
    train.main([preset, "1"], project)
    ((count, validation, best_epoch, losses),) = seen
    assert count == (80 if preset == "all" else 60)
    assert losses.argmin() + 1 < len(losses), "the best epoch is the last, so the test shows nothing"
    if preset == "all":
        assert best_epoch == len(losses)
        np.testing.assert_array_equal(validation.ids.flat(), encode(reviews[1].ranks, ENCODING).flat())
    else:
        assert best_epoch == losses.argmin() + 1
        assert len(validation.y) == 20
