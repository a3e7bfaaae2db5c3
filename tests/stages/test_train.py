from dataclasses import replace

import numpy as np
import pytest
from material import changed

from imdb_rnn import model_file
from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError
from imdb_rnn.text.corpus import Corpus, from_lists, make_corpus, write_corpus
from imdb_rnn.text.encode import write_padded
from imdb_rnn.training import out_of_fold
from imdb_rnn.training.combination import Combination
from imdb_rnn.training.out_of_fold import OutOfFold
from stages import folds, pad, train

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("keras")]

VOCABULARY = [f"word{rank}" for rank in range(1, 17)]


@pytest.fixture
def small(params):
    return changed(
        params,
        pad={"vocab_size": 20, "maxlen": 6},
        model={"embedding_dim": 4, "units": 5},
        train={"epochs": 1, "batch_size": 8},
    )


@pytest.fixture
def made_up(small, tmp_path) -> Corpus:
    """Reviews of a handful of words, as `download` and `pad` leave them."""
    random = np.random.default_rng(1)
    sets = []
    for count in (40, 10):
        ranks = [random.integers(1, 17, random.integers(1, 9)).tolist() for _ in range(count)]
        sets.append(from_lists(ranks, np.arange(count) % 2))
    made_up = make_corpus(*sets, VOCABULARY, {"source": "here"})
    write_corpus(made_up, tmp_path / files.REVIEWS)
    sets = {
        name: (reviews.ranks, reviews.labels) for name, reviews in (("train", made_up.train), ("test", made_up.test))
    }
    write_padded(tmp_path / files.PADDED, sets, small.pad)
    files.write_json(tmp_path / files.OUT_OF_FOLD / "combination.json", {})
    return made_up


def test_the_model_carries_its_vocabulary_and_where_its_reviews_come_from(small, made_up, tmp_path):
    train.main(small, tmp_path)
    network = model_file.load(tmp_path / files.MODEL)
    assert network.vocabulary == VOCABULARY
    assert network.provenance == made_up.provenance
    assert (network.tokenizer, network.labels) == ("word", ("negative", "positive"))
    assert (network.params, network.encoding, network.best_epoch) == (small.model, small.pad, 1)
    assert {name: sum(counts) for name, counts in network.profile.items()} == {
        **{"words": 40, "unknown": 40},
        "predicted": 4,  # of the training reviews that were held out
    }


def test_the_threshold_is_chosen_from_out_of_fold_predictions(small, made_up, tmp_path, capsys):
    y, rule = made_up.train.labels, {"train": {"folds": 2, "threshold": "balanced_accuracy"}}
    logits = np.where(y == 1, -1.0, -2.0)  # probabilities 0.27 and 0.12
    one = Combination(np.ones(1), np.zeros(1), np.zeros(1), None)
    out_of_fold.write(tmp_path / files.OUT_OF_FOLD, OutOfFold(np.zeros(len(y), np.uint8), logits, one))
    train.main(changed(small, **rule), tmp_path)
    assert "threshold: 0.2\n" in capsys.readouterr().out
    network = model_file.load(tmp_path / files.MODEL)
    assert (network.threshold, network.profile["predicted"]) == (0.2, [20, 20])
    train.main(changed(small, train={"folds": 2}), tmp_path)
    assert "training already finished" in capsys.readouterr().out, "another threshold trains nothing"
    assert model_file.load(tmp_path / files.MODEL).threshold == 0.5


@pytest.mark.parametrize(("validation", "is_said"), [("holdout", True), ("test", False)])
def test_it_says_that_more_epochs_may_help(small, made_up, tmp_path, capsys, validation, is_said):
    train.main(changed(small, train={"validation": validation, "epochs": 1}), tmp_path)
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("best epoch: 1 of 1")
    assert ("a higher train.epochs" in last) == is_said


def test_word_vectors_come_from_reviews_without_a_label_too(small, made_up, tmp_path):
    counted = changed(small, model={"embeddings": "ppmi_svd"})
    train.main(counted, tmp_path)
    before = model_file.load(tmp_path / files.MODEL).weights.embeddings
    write_corpus(replace(made_up, unlabelled=from_lists([[16, 15] * 9], np.array([0])).ranks), tmp_path / files.REVIEWS)
    pad.main(counted, tmp_path)
    train.main(counted, tmp_path)
    assert (model_file.load(tmp_path / files.MODEL).weights.embeddings != before).any()


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{"train": {"seed": 1}}, {"model": {"units": 6}}, {"pad": {"padding": "post"}}])
def test_a_checkpoint_of_other_parameters_is_not_used(small, made_up, tmp_path, capsys, changes):
    train.main(small, tmp_path)
    capsys.readouterr()
    train.main(changed(small, **changes), tmp_path)
    assert "checkpoint" not in capsys.readouterr().out
    assert len(list((tmp_path / files.CHECKPOINTS).iterdir())) == 2


def test_old_checkpoints_go_when_training_has_ended(small, made_up, tmp_path):
    """Five stay, and the one of this training: DVC may be killed before it has committed the results."""
    folder = tmp_path / files.CHECKPOINTS
    folder.mkdir(parents=True)
    for number in range(8):
        (folder / f"{number}.npz").touch()
    train.main(small, tmp_path)
    assert sorted(path.stat().st_size > 0 for path in folder.iterdir()) == [False] * 5 + [True]


def test_a_vocabulary_that_is_too_short_is_named(small, made_up, tmp_path):
    (tmp_path / files.REVIEWS / "vocabulary.txt").write_text("word1\nword2\n")
    with pytest.raises(UserError, match=r"vocabulary\.txt is damaged \(it has only 2 words\)"):
        train.main(small, tmp_path)


def test_folds_of_which_one_has_nearly_all_reviews_are_refused():
    folds.require_even(np.array([660, 680, 660]))
    for sizes in ([0, 1960, 40], [100, 1500, 400]):
        with pytest.raises(
            UserError, match=r"^params\.yaml: train\.folds is 3, but 1,\d+ of the 2,000 training reviews"
        ):
            folds.require_even(np.array(sizes))
