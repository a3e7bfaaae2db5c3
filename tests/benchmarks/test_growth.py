import pytest

from benchmarks import growth


@pytest.mark.slow
def test_a_word_takes_some_time(monkeypatch):
    monkeypatch.setitem(growth.BATCHES, "compiled", 1)
    assert 0 < growth.nanoseconds("compiled", "simple_rnn", 2, 50, 600) < 1e9


def test_made_up_reviews_are_as_asked_for():
    reviews = growth.made_up(300, vocabulary=40, maxlen=60)
    assert len(reviews.ids) == len(reviews.y) == 300
    assert 10 <= reviews.ids.lengths.min() < reviews.ids.lengths.max() == 60
    assert 3 <= reviews.ids.values.min() < reviews.ids.values.max() < 40
