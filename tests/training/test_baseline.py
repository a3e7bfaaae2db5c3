import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

from imdb_rnn.decision import predicted
from imdb_rnn.engine.kernels.arithmetic import probabilities
from imdb_rnn.text.corpus import from_lists
from imdb_rnn.training.baseline import TOLERANCE, C, baseline

WORDS = 30


def texts(count: int, classes: int, seed: int) -> tuple[list[list[int]], np.ndarray]:
    """Ranks of 1 to 12 words; which words are frequent depends on the class."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    return [
        (1 + (random.integers(0, WORDS, random.integers(1, 13)) * (1 + label)) % WORDS).tolist() for label in labels
    ], labels


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize(("tolerance", "near"), [(TOLERANCE, 0.02), (0.001, 2e-4)])
def test_it_is_two_lines_of_scikit_learn(monkeypatch, classes, tolerance, near):
    monkeypatch.setattr("imdb_rnn.training.baseline.TOLERANCE", tolerance)
    lists, labels = texts(200, classes, seed=1)
    others = [*texts(50, classes, seed=2)[0], [], [0, 5, 0], [0]]  # 0: a word that the vocabulary does not have
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), binary=True, tokenizer=str.split, token_pattern=None)
    regression = LogisticRegression(C=C, solver="liblinear", tol=1e-6)
    x = vectorizer.fit_transform([" ".join(map(str, text)) for text in lists])
    expected = (
        OneVsRestClassifier(regression)
        .fit(x, labels)
        .predict_proba(vectorizer.transform([" ".join(map(str, text)) for text in others]))
    )
    logits = baseline(from_lists(lists, labels), from_lists(others, np.zeros(len(others))).ranks, WORDS)
    np.testing.assert_allclose(probabilities(logits), expected[:, 1] if classes == 2 else expected, atol=near)
    of_known = predicted(logits)[:50] == texts(50, classes, seed=2)[1]
    assert of_known.mean() > 1.5 / classes
