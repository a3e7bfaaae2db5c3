import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from material import as_lists, contents

from imdb_rnn.core.errors import UserError
from imdb_rnn.text.corpus import (
    Corpus,
    checked,
    from_lists,
    make_corpus,
    read_groups,
    read_places,
    read_provenance,
    read_reviews,
    read_unlabelled,
    read_vocabulary,
    write_corpus,
)

LISTS = [[1, 2], [3], [2, 2, 0]]
LABELS = np.array([0, 1, 1])


@given(st.lists(st.lists(st.integers(0, 2**31 - 1))))
def test_reviews_lay_out_lists_and_give_them_back(lists):
    reviews = from_lists(lists, np.zeros(len(lists), int))
    assert reviews.ranks.values.dtype == np.int32
    assert as_lists(reviews) == lists


@pytest.mark.parametrize("rank", [-1, 2**31, 2**40])
def test_a_rank_that_does_not_fit_is_refused(rank):
    with pytest.raises(UserError, match="word ranks must be from 0"):
        from_lists([[rank]], np.array([0]))


@pytest.mark.parametrize(
    ("lists", "labels", "says"),
    [
        ([], [], "the test set is empty"),
        ([[1], [], [2]], [0, 0, 1], "review 1 of the test set is empty"),
        ([[1], [2], [3]], [0, 1, 2], "review 2 of the test set has label 2, only 0 and 1 are allowed"),
        ([[1], [2]], [-1, 1], "review 0 of the test set has label -1"),
        ([[1], [2]], [1, 1], "no review with label 0"),
        ([[1], [2, 6]], [0, 1], "the test set has word rank 6, the vocabulary has 5 words"),
        ([[1], [2]], [0.0, 0.5], r"has 2 reviews and labels float64 \(2,\)"),
        ([[1], [2]], [0, 1, 1], r"has 2 reviews and labels int64 \(3,\)"),
    ],
)
def test_unsound_reviews_are_refused_by_number(lists, labels, says):
    with pytest.raises(UserError, match=says):
        checked(from_lists(lists, np.array(labels)), "test", 5, 2)


def test_a_corpus_counts_what_it_holds():
    corpus = make_corpus(from_lists(LISTS, LABELS), from_lists(LISTS[:2], LABELS[:2]), ["the", "film", "is"], {"a": 1})
    assert corpus.provenance == {
        "a": 1,
        "tokenizer": "word",
        "labels": ["negative", "positive"],
        "vocabulary_words": 3,
        "train": {"reviews": 3, "negative": 1, "positive": 2, "words": 6},
        "test": {"reviews": 2, "negative": 1, "positive": 1, "words": 3},
    }
    assert corpus.train.labels.dtype == corpus.test.labels.dtype == np.uint8
    with pytest.raises(UserError, match="the test set has word rank 3, the vocabulary has 2 words"):
        make_corpus(from_lists([[1], [2]], LABELS[:2]), from_lists(LISTS, LABELS), ["the", "film"], {})


def test_of_several_classes_each_has_its_name_and_its_count():
    three, names = from_lists(LISTS, np.array([2, 0, 1])), {"labels": ["bad", "so so", "good"]}
    corpus = make_corpus(three, three, ["the", "film", "is"], names)
    assert corpus.provenance["test"] == {"reviews": 3, "labels": {"bad": 1, "so so": 1, "good": 1}, "words": 6}
    with pytest.raises(UserError, match="review 1 of the train set has label 3, only 0 to 2 are allowed"):
        make_corpus(from_lists(LISTS, np.array([2, 3, 1])), three, ["the", "film", "is"], names)
    with pytest.raises(UserError, match="the train set has no review with label 2"):
        make_corpus(from_lists(LISTS, np.array([0, 1, 1])), three, ["the", "film", "is"], names)


@pytest.fixture
def written(tmp_path):
    train, test = from_lists(LISTS, LABELS), from_lists(LISTS[:2], LABELS[:2])
    write_corpus(make_corpus(train, test, ["the", "film", "is\u0085"], {"source": "test"}), tmp_path / "reviews")
    return tmp_path / "reviews"


def test_reviews_without_a_label_are_read_back(tmp_path, written):
    assert len(read_unlabelled(written)) == 0
    reviews = from_lists(LISTS, LABELS)
    corpus = make_corpus(reviews, reviews, ["a", "b", "c"], {"source": "test"}, unlabelled=reviews.ranks)
    write_corpus(corpus, tmp_path / "more")
    found = read_unlabelled(tmp_path / "more")
    assert [found[row].tolist() for row in range(len(found))] == LISTS
    assert read_provenance(tmp_path / "more")["unlabelled"] == {"reviews": 3, "words": 6}


def test_where_reviews_are_in_a_user_s_files_is_read_back(tmp_path, written):
    places, reviews = ["a.csv, row 1", "a.csv, row 3", "b\u2028.csv, row 1"], from_lists(LISTS, LABELS)
    corpus = make_corpus(reviews, reviews, ["a", "b", "c"], {}, ["said"], places=iter(places))
    write_corpus(corpus, tmp_path / "own")
    assert (read_places(tmp_path / "own"), read_places(written)) == (places, [])


def test_a_corpus_is_read_back_as_written(written):
    train = read_reviews(written, "train")
    assert as_lists(train) == LISTS
    assert train.labels.tolist() == LABELS.tolist()
    assert as_lists(read_reviews(written, "test")) == LISTS[:2]
    assert read_vocabulary(written) == ["the", "film", "is\u0085"]
    provenance = read_provenance(written)
    assert (provenance["source"], provenance["test"]["words"]) == ("test", 3)
    assert read_groups(written) is None
    groups = np.array([2**63, 1, 2**63], np.uint64)
    corpus = make_corpus(train, train, ["the", "film", "is"], {"source": "test"}, train_groups=groups)
    write_corpus(corpus, written)
    np.testing.assert_array_equal(read_groups(written), groups)


def test_a_corpus_is_written_all_or_none(written):
    before = contents(written)
    train = read_reviews(written, "train")
    with pytest.raises(TypeError):
        write_corpus(Corpus(train, train, ["the", "film", "is"], {"not": {"json"}}), written)
    assert contents(written) == before
    assert [path.name for path in written.parent.iterdir()] == ["reviews"]


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("train_ranks.npy", None, "train_ranks.npy is missing; run `dvc repro download`"),
        ("train_ranks.npy", b"", "train_ranks.npy is damaged"),
        ("train_offsets.npy", b"\x93NUMPY\x01\x00", "train_offsets.npy is damaged"),
        ("train_labels.npy", np.array([None, 1, 1]), "train_labels.npy is damaged"),
        ("train_offsets.npy", np.array([0, 3, 6]), "the arrays of the train set do not belong together"),
        ("train_labels.npy", np.array([0, 1, 1]), "the arrays of the train set do not belong together"),
        ("vocabulary.txt", None, "vocabulary.txt is missing"),
        ("vocabulary.txt", b"\xff", "vocabulary.txt is damaged"),
        ("provenance.json", None, "provenance.json is missing"),
        ("provenance.json", b'{"source": "test", "tokenizer": "words"}', "provenance.json is damaged"),
    ],
)
def test_a_damaged_corpus_is_named_with_the_stage_to_run(written, file, content, says):
    path = written / file
    if content is None:
        path.unlink()
    elif isinstance(content, bytes):
        path.write_bytes(content)
    else:
        np.save(path, content)
    with pytest.raises(UserError) as error:
        read_reviews(written, "train")
        read_vocabulary(written)
        read_provenance(written)
    assert says in str(error.value)
    assert "run `dvc repro download`" in str(error.value)
    assert len(str(error.value).splitlines()) == 1
