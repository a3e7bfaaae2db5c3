import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn import metrics
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from imdb_rnn.core.errors import UserError
from imdb_rnn.decision import is_correct, predicted
from imdb_rnn.text.sources import bundled
from imdb_rnn.training.threshold import choose, require_two_classes

SCORES = {
    "accuracy": metrics.accuracy_score,
    "f1": metrics.f1_score,
    "balanced_accuracy": metrics.balanced_accuracy_score,
}


def drawn(seed: int, reviews: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Labels of which few are 1, and logits, many of them equal."""
    random = np.random.default_rng(seed)
    y = (random.random(reviews) < 0.2).astype(np.uint8)
    return y, random.normal(3.0 * y - 2, 1.5).round(1)


@pytest.mark.parametrize("rule", SCORES)
@pytest.mark.parametrize("seed", range(5))
def test_no_other_threshold_scores_higher(rule, seed):
    y, logits = drawn(seed)
    _, _, cuts = metrics.roc_curve(y, logits, drop_intermediate=False)
    highest = max(SCORES[rule](y, logits >= cut) for cut in cuts)
    assert SCORES[rule](y, predicted(logits, choose(y, logits, rule))) == pytest.approx(highest, abs=1e-12)


@pytest.mark.parametrize("wanted", [0.5, 0.8, 0.95])
def test_of_the_thresholds_with_the_precision_it_has_the_highest_recall(wanted):
    y, logits = drawn(1)
    precision, recall, _ = metrics.precision_recall_curve(y, logits)
    found = predicted(logits, choose(y, logits, {"precision": wanted}))
    assert metrics.precision_score(y, found) >= wanted
    assert metrics.recall_score(y, found) == recall[precision >= wanted].max()


def test_without_a_rule_it_is_one_half_and_of_more_labels_there_is_none():
    assert choose(*drawn(1), None) == 0.5
    require_two_classes(np.array([0, 1]), "f1")
    require_two_classes(np.array([0, 1, 2]), None)
    with pytest.raises(
        UserError, match=r"^params\.yaml: train\.threshold is for two labels, the reviews have 3; set it to null$"
    ):
        require_two_classes(np.array([0, 2], np.uint8), "f1")


@pytest.mark.parametrize(("y", "logits"), [([0, 1, 0], [-1, 0, 1]), ([1, 0, 1], [-40, 0, 0])])
def test_a_precision_that_no_threshold_has_is_one_line(y, logits):
    with pytest.raises(UserError, match=r"^params\.yaml: train\.threshold: .* is 0\.5000; ask for less than 0\.6$"):
        choose(np.array(y), np.array(logits, float), {"precision": 0.6})


@pytest.mark.parametrize(
    ("y", "probability", "threshold"),
    [
        ([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.9], 0.25),  # between two neighbours
        ([0, 0, 1, 1], [0.1, 0.2, 0.7, 0.9], 0.5),  # which have 0.5 between them
        ([0, 1, 0, 1], [0.1, 0.2, 0.7, 0.9], 0.8),  # 0.15 is as good
        ([0, 1, 0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4, 0.7, 0.8], 0.35),
        ([0, 1], [0.4, 0.4], 0.5),
        ([1, 1, 0], [0.2, 0.3, 0.3], 0.1),  # all are predicted 1
    ],
)
def test_ties_are_settled_towards_one_half(y, probability, threshold):
    assert choose(np.array(y), logit(probability), "accuracy") == threshold


def test_a_review_of_which_the_network_is_certain_is_on_the_right_side():
    y, logits = np.array([0, 1, 1]), np.array([-50.0, 40.0, 50.0])
    assert expit(40) == 1
    for rule in SCORES:
        assert predicted(logits, choose(y, logits, rule)).tolist() == [0, 1, 1]
    assert 0 < choose(np.array([1, 0, 0]), logits, "accuracy") < 1, "above 1 none would be wrong but the first"


def test_a_rare_label_is_recognised_as_well_as_the_other_with_the_threshold_for_that():
    """Of sentences of Rotten Tomatoes, nine negative ones for each positive one, a linear model finds next to none."""
    table = bundled.read_table(bundled.find_file(), "rotten_tomatoes")
    table = table[(table["label"] == 0) | (table.groupby("label").cumcount() % 9 == 0)]
    training, test = table[::2], table[1::2]
    vectorizer, model = TfidfVectorizer(), LogisticRegression(C=10)
    x, y = vectorizer.fit_transform(training["text"]), training["label"].to_numpy()
    unseen = cross_val_predict(model, x, y, cv=3, method="decision_function")
    logits, y_test = model.fit(x, y).decision_function(vectorizer.transform(test["text"])), test["label"].to_numpy()
    threshold = choose(y, unseen, "balanced_accuracy")
    gains = is_correct(y_test, logits, threshold).astype(float) - is_correct(y_test, logits)
    of_label = [gains[y_test == label] for label in (0, 1)]
    gain, error = (
        np.mean([each.mean() for each in of_label]),
        np.sqrt(sum(each.var() / len(each) for each in of_label)) / 2,
    )
    assert np.bincount(y_test).tolist() == [2132, 237]
    assert gain - 1.96 * error > 0.05
