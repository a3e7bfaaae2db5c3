import numpy as np
import pytest
from tasks import VOCAB_SIZE, WORDS, small, task

from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import ModelParams, PadParams, TrainParams
from imdb_rnn.decision import is_correct
from imdb_rnn.engine import threads
from imdb_rnn.text.encode import Labelled, unpad
from imdb_rnn.training import out_of_fold
from imdb_rnn.training.batches import fold_of_each
from imdb_rnn.training.combination import Combination
from imdb_rnn.training.linear import Choice
from imdb_rnn.training.out_of_fold import OutOfFold

pytestmark = pytest.mark.slow


def reviews(classes: int = 2) -> Labelled:
    x, y = task(240, 1, classes)
    return Labelled(unpad(x), y)


def predict(
    training: Labelled, model: ModelParams, fold: np.ndarray, share: float = 1.0, **train_params: object
) -> OutOfFold:
    params = TrainParams(**{"epochs": 8, "batch_size": 16, "learning_rate": 0.02, "folds": 3} | train_params)
    encoding = PadParams(vocab_size=VOCAB_SIZE, maxlen=WORDS)
    return out_of_fold.predict_folds(training, fold, model, encoding, params, share=share)


@pytest.mark.parametrize(("classes", "ngrams"), [(2, 0), (2, 2), (3, 2)])
@pytest.mark.parametrize("validation", ["holdout", "test"])
def test_reviews_are_predicted_by_what_others_taught(classes, ngrams, validation):
    training, model = reviews(classes), small(cell="gru", ngrams=ngrams)
    fold = fold_of_each(training)
    found = predict(training, model, fold, validation=validation)
    assert found.logits.shape == ((240,) if classes == 2 else (240, 3))
    assert is_correct(training.y, found.logits).mean() > 0.9
    assert (found.combination.choice is None) == (ngrams == 0)
    little = predict(training, model, fold, share=0.05, validation="test")
    assert is_correct(training.y, little.logits).mean() < 0.9
    by_lot = training._replace(y=np.random.default_rng(2).permutation(training.y))
    assert is_correct(by_lot.y, predict(by_lot, model, fold, validation=validation).logits).mean() < 0.6


def test_the_label_of_a_review_has_no_part_in_what_is_predicted_of_it():
    """Before both are combined; those of other folds change."""
    training, model = reviews(), small()
    fold, row, network = fold_of_each(training), 17, []
    for y in (training.y, np.where(np.arange(240) == row, 1 - training.y, training.y)):
        found = predict(training._replace(y=y), model, fold, validation="test", epochs=2)
        network.append((found.logits - found.combination.bias) / found.combination.network_weight)
    np.testing.assert_allclose(*(logits[fold == fold[row]] for logits in network), rtol=1e-9)
    assert (np.abs(network[0] - network[1])[fold != fold[row]] > 1e-6).all()


def test_the_same_bytes_with_any_number_of_threads(monkeypatch):
    training, found = reviews(3), []
    for count in (1, 3):
        monkeypatch.setattr(threads, "count", lambda count=count: count)
        predicted = predict(training, small(ngrams=2), fold_of_each(training), epochs=1)
        found.append([predicted.logits.tobytes(), *(array.tobytes() for array in predicted.combination[:3])])
    assert found[0] == found[1]


def test_a_class_that_is_in_one_fold_is_an_error():
    training = reviews()
    training = training._replace(y=np.where(np.arange(240) < 3, 1, 0))
    fold = np.where(training.y == 1, 0, fold_of_each(training, 2)).astype(np.uint8)
    with pytest.raises(UserError, match=r"only 0 of the 3 training reviews with label 1 would be left"):
        predict(training, small(), fold)


WRITTEN = OutOfFold(
    np.array([0, 1, 0], np.uint8),
    np.array([0.1, -1 / 3, 2]),
    Combination(np.array([1 / 3]), np.array([0.7]), np.array([-0.1]), Choice(with_ratios=True, cost=10.0)),
)


def test_what_is_written_is_read(tmp_path):
    out_of_fold.write(tmp_path / "some", WRITTEN)
    read = out_of_fold.read(tmp_path / "some")
    for array, same in zip([*read[:2], *read.combination[:3]], [*WRITTEN[:2], *WRITTEN.combination[:3]], strict=True):
        assert array.dtype == same.dtype
        np.testing.assert_array_equal(array, same)
    assert read.combination.choice == WRITTEN.combination.choice


def test_what_is_damaged_is_named(tmp_path):
    out_of_fold.write(tmp_path, WRITTEN)
    np.save(tmp_path / out_of_fold.FOLD, np.zeros(2, np.uint8))
    with pytest.raises(UserError, match=r"it has folds \(2,\) and logits \(3,\)\); run `dvc repro folds`"):
        out_of_fold.read(tmp_path)
