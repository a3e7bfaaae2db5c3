import numpy as np
import pytest
from networks import ragged
from scipy.sparse import csr_array
from sklearn.linear_model import LogisticRegression

from imdb_rnn.core.params import ModelParams
from imdb_rnn.engine import threads
from imdb_rnn.engine.kernels import ngrams
from imdb_rnn.engine.ragged import NO_ROWS
from imdb_rnn.text.encode import Labelled
from imdb_rnn.training import linear
from imdb_rnn.training.batches import fold_of_each, splits
from imdb_rnn.training.linear import Choice, Linear, Problem

WORDS = ["good", "goodly", "goods", "bad", "badly", "baddest", "plot", "film", "the", "a", "actor", "scene"]
VOCAB_SIZE = len(WORDS) + 4


def reviews(count: int = 120, classes: int = 2, seed: int = 1) -> Labelled:
    """Reviews of 1 to 11 words; of the first words of the vocabulary some are more frequent in a class."""
    random = np.random.default_rng(seed)
    y = np.arange(count) % classes
    rows = []
    for label in y:
        words = random.integers(4, VOCAB_SIZE, random.integers(1, 11))
        rows.append([1, 4 + 3 * label + random.integers(0, 3), *words] if random.random() < 0.7 else [1, *words])
    return Labelled(ragged(*rows), y)


def problem(
    training: Labelled, words: list[str] = WORDS, sample_weights: np.ndarray | None = None, min_reviews: int = 1
) -> Problem:
    params = ModelParams(ngrams=2, ngram_min_reviews=min_reviews)
    if sample_weights is None:
        sample_weights = np.ones(len(training.y))
    return linear.problem(training, words, VOCAB_SIZE, params, sample_weights, seed=1)


def choose(training: Labelled) -> tuple[Choice, np.ndarray]:
    """Whether to use ratios and which cost, and the logits of each review by a fit that has not seen it."""
    return linear.choose(problem(training), splits(training, fold_of_each(training)))


def fit(training: Labelled) -> Linear:
    return linear.fit(problem(training), choose(training)[0])


def logits(model: Linear, of: Labelled) -> np.ndarray:
    indices = ngrams.look_up(ngrams.codes_of(of.ids, 2, VOCAB_SIZE), model.codes)
    return np.stack([model.scores[indices[row]].sum(axis=0) for row in range(len(of.y))]) + model.bias


def correct(y: np.ndarray, of_reviews: np.ndarray) -> float:
    predicted = of_reviews.argmax(axis=1) if of_reviews.shape[1] > 1 else of_reviews[:, 0] > 0
    return (predicted == y).mean()


@pytest.mark.parametrize("classes", [2, 4])
def test_it_learns_what_distinguishes_classes_and_says_what_it_did_not_see(classes):
    training, others = reviews(300, classes), reviews(300, classes, seed=2)
    choice, out_of_fold = choose(training)
    model = linear.fit(problem(training), choice)
    num_logits = 1 if classes == 2 else classes
    assert (model.scores.shape, model.scores.dtype) == ((len(model.codes), num_logits), np.float32)
    assert model.bias.shape == (num_logits,)
    np.testing.assert_allclose(model.of_training, logits(model, training), atol=1e-5)
    assert out_of_fold.shape == (300, num_logits)
    seen, unseen = correct(training.y, logits(model, training)), correct(training.y, out_of_fold)
    assert 1.3 / classes < unseen < seen
    assert correct(others.y, logits(model, others)) == pytest.approx(unseen, abs=0.1)


def test_what_it_did_not_see_cannot_be_known():
    """Labels at random: nothing but a review's own label would tell it."""
    training = reviews(200)._replace(y=np.random.default_rng(3).permutation(200) % 2)
    assert correct(training.y, logits(fit(training), training)) > 0.7
    assert correct(training.y, choose(training)[1]) < 0.6


@pytest.mark.parametrize("sample_weights", [None, np.linspace(0.1, 3, 120)])
def test_without_characters_it_is_logistic_regression_on_weighted_ngrams(monkeypatch, sample_weights):
    monkeypatch.setattr(linear, "TOLERANCE", 1e-6)
    monkeypatch.setattr(linear, "SCALES", (1.0, 1.0))
    training = reviews()
    made = problem(training, words=[], sample_weights=sample_weights, min_reviews=2)
    with_idf, with_ratios = (linear.fit(made, Choice(with_ratios, 5.0)) for with_ratios in (False, True))
    indices = ngrams.look_up(ngrams.codes_of(training.ids, 2, VOCAB_SIZE), with_idf.codes)
    has = csr_array((np.ones(len(indices.values)), indices.values, [*indices.starts, len(indices.values)]))
    counts = [has[training.y == label].sum(axis=0) for label in (1, 0)]
    assert min(sum(counts)) == 2
    idf = np.log((1 + has.shape[0]) / (1 + sum(counts))) + 1
    p, q = ((count + 1) / (count + 1).sum() for count in counts)
    shorter = np.where(with_idf.codes < VOCAB_SIZE, 1, 0.7)
    for model, weights in ((with_idf, idf * shorter), (with_ratios, idf * np.sqrt(np.abs(np.log(p / q))))):
        x = has.toarray() * weights
        x /= np.sqrt((x**2).sum(axis=1).mean())
        expected = LogisticRegression(C=5, solver="liblinear", tol=1e-8, max_iter=1000)
        expected.fit(x, training.y, sample_weights)
        np.testing.assert_allclose(logits(model, training)[:, 0], expected.decision_function(x), atol=1e-4)


def test_words_learn_from_those_that_are_spelt_alike():
    """`goods` is in no more reviews of one class than of the other."""
    good, bad, neutral = ([1, 4], [1, 5]), ([1, 7], [1, 8]), [1, 6]
    training = Labelled(
        ragged(*10 * [*good, *bad], *10 * [neutral, neutral]), np.array([1, 1, 0, 0] * 10 + [1, 0] * 10)
    )
    score = {}
    for words in (WORDS, []):
        model = linear.fit(problem(training, words), Choice(with_ratios=False, cost=30.0))
        score[len(words)] = model.scores[np.searchsorted(model.codes, 6), 0]
    assert abs(score[0]) < 0.1
    assert score[len(WORDS)] > 0.3


def test_reviews_without_a_label_teach_words_that_no_labelled_review_has():
    """Words that come with known ones get their sign; and what is learnt has to show out of fold, too."""
    good, bad, new_good, new_bad = 4, 7, 10, 11
    labelled = ragged(*[[1, word, 12 + i % 4] for i in range(40) for word in (good, bad)])
    y = np.array([1, 0] * 40)
    more = ragged(*[[1, word, new] for word, new in ((good, new_good), (bad, new_bad)) for _ in range(30)])
    for classes in (y, y + (np.arange(80) >= 78)):
        training = Labelled(labelled, classes, more)
        made = problem(training, words=[])
        choice, unseen = linear.choose(made, splits(training, fold_of_each(training)))
        model = linear.fit(made, choice)
        score = dict(zip(model.codes.tolist(), model.scores[:, -1 if classes is y else 1], strict=True))
        assert score[new_good] > 0.05 > -0.05 > score[new_bad]
        assert len(model.of_training) == len(unseen) == 80
        alone = linear.fit(problem(training._replace(unlabelled=NO_ROWS), words=[]), choice)
        assert new_good not in alone.codes


def test_the_same_bytes_with_any_number_of_threads(monkeypatch):
    found = []
    for count in (1, 3):
        monkeypatch.setattr(threads, "count", lambda count=count: count)
        found.append(b"".join(array.tobytes() for array in fit(reviews(classes=3))))
    assert found[0] == found[1]
