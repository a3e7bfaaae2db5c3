import numpy as np

from imdb_rnn.core import files
from imdb_rnn.core.params import PadParams
from imdb_rnn.text.corpus import from_lists
from imdb_rnn.text.data_report import DataReport, data_report

TRAIN = from_lists([[1, 2, 3], [4], [1, 2, 3], [1, 2, 3, 9, 9, 9]], np.array([0, 1, 1, 0]))
TEST = from_lists([[4], [0, 1]], np.array([0, 1]))


def report(**provenance):
    params = PadParams(vocab_size=12, maxlen=5)
    return data_report({"train": TRAIN, "test": TEST}, params, provenance).model_dump(exclude_unset=True)


def test_it_counts_what_is_there():
    assert report()["train"] == {
        "reviews": 4,
        "negative": 2,
        "positive": 2,
        "words": [1, 3, 3, 3, 6],
        "truncated": 0.25,
        "out_of_vocabulary": round(3 / 13, 6),  # rank 9 has no id below 12
        "duplicates": 1,
        "conflicting_labels": 2,
    }
    assert report()["test"]["out_of_vocabulary"] == round(1 / 3, 6)
    assert report()["test_also_in_train"] == 1


def test_of_more_classes_each_is_counted():
    names = ["a", "b", "c", "d", "e", "f"]
    train = from_lists([[1], [1], [2], [3], [2]], np.array([0, 5, 5, 1, 5]))
    found = data_report({"train": train, "test": train}, PadParams(), {"labels": names}).train
    counts = [1, 1, 0, 0, 0, 3]
    assert found.model_dump(exclude_unset=True)["labels"] == dict(zip(names, counts, strict=True))
    assert (found.negative, found.duplicates, found.conflicting_labels) == (None, 2, 2)


def test_reviews_of_unknown_words_are_not_the_same():
    unknown = from_lists([[1, 0], [1, 0], [0]], np.array([0, 1, 0]))
    test = data_report({"train": TRAIN, "test": unknown}, PadParams(), {}).test
    assert (test.duplicates, test.conflicting_labels) == (0, 0)


def test_it_says_what_was_left_out():
    rows = {"read": 9, "kept": 6, "left_out": {"no text": 3}}
    assert report(rows=rows)["left_out"] == {"no text": 3}
    assert (report()["rows_read"], report()["left_out"]) == (None, {})


def test_it_is_read_as_it_was_written(tmp_path):
    files.write_json(tmp_path / "data_report.json", report())
    assert files.read_json(DataReport, tmp_path / "data_report.json", "pad").model_dump(exclude_unset=True) == report()


def test_the_same_words_are_the_same_however_stores_them():
    again = {"train": TRAIN, "test": from_lists([[1, 2, 3]], np.array([0]))}
    assert data_report(again, PadParams(), {}).test_also_in_train == 1
    assert np.array_equal(again["test"].labels, [0])
