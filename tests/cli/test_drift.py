import numpy as np
import pytest

from imdb_rnn.cli import drift
from imdb_rnn.engine.ragged import from_lengths
from imdb_rnn.text.profiles import Profile, profile
from imdb_rnn.text.vocabulary import OOV

LABELS = ["bad", "<b>fair", "good"]


def made_up(count: int, seed: int, words: int = 60, unknown: float = 0.05, shares=(0.2, 0.3, 0.5)) -> Profile:
    """The profile of texts of about so many words, such a share of them unknown, and with such predictions."""
    random = np.random.default_rng(seed)
    lengths = random.poisson(words, count)
    ids = np.where(random.random(lengths.sum()) < unknown, OOV, 9)
    return profile([from_lengths(ids, lengths)], random.choice(len(shares), count, p=shares), len(shares))


def parts_that_drift(texts: Profile, training: Profile) -> list[str]:
    return [difference.part for difference in drift.compare(texts, training, LABELS) if difference.is_drift]


@pytest.mark.parametrize("count", [1, 5, 20, 200, 20_000])
@pytest.mark.parametrize("trained", [40, 5000])
def test_texts_like_the_training_texts_do_not_drift(count, trained):
    training = made_up(trained, 0)
    assert [parts_that_drift(made_up(count, seed), training) for seed in range(1, 30)] == [[]] * 29


@pytest.mark.parametrize(
    ("unlike", "part"),
    [
        ({"words": 40}, "words"),
        ({"words": 200}, "words"),
        ({"unknown": 0.3}, "unknown"),
        ({"shares": (0.8, 0.1, 0.1)}, "predicted"),
    ],
    ids=str,
)
@pytest.mark.parametrize("count", [40, 4000])
def test_texts_drift_in_what_is_unlike(unlike, part, count):
    assert parts_that_drift(made_up(count, 1, **unlike), made_up(5000, 0)) == [part]


def test_a_difference_that_is_certain_but_small_is_none():
    shares = (0.25, 0.3, 0.45)
    assert parts_that_drift(made_up(50_000, 1, shares=shares), made_up(50_000, 0)) == []


def test_a_difference_names_where_the_texts_are_unlike():
    training, texts = made_up(5000, 0, words=100), made_up(300, 1, words=10, unknown=0.9)
    said = drift.summary(texts, training, LABELS)
    assert said == (
        "these texts are unlike the training texts: 100% have fewer than 32 words (training texts: 0%); "
        "100% have 37% unknown words or more (training texts: 0%); are they in another language?"
    )
    assert "another language" not in drift.summary(made_up(300, 1, words=10), training, LABELS)
    assert drift.summary(training, training, LABELS) == ""
    assert drift.summary(made_up(0, 0), training, LABELS) == ""


def test_the_page_shows_both_and_takes_no_label_for_markup(tmp_path):
    drift.write_page(tmp_path / "page.html", made_up(300, 1, shares=(0, 0.9, 0.1)), made_up(5000, 0), LABELS)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "300 texts, compared with 5,000 training texts" in page
    assert "These texts are unlike the training texts: " in page
    assert page.count("are predicted &lt;b&gt;fair") == 2
    assert page.count("no clear or large difference") == 2
    assert "<b>" not in page
    assert "<td>&lt;b&gt;fair</td>" in page
    assert "http" not in page
