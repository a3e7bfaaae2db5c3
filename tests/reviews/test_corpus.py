import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from material import as_lists

from imdb_rnn.base.errors import UserError
from stages.reviews import (
    Corpus,
    Reviews,
    check,
    from_lists,
    read_padded,
    read_reviews,
    read_vocabulary,
    split_by_position,
    write_corpus,
)

LISTS = [[1, 2], [3], [2, 2, 0]]
LABELS = np.array([0, 1, 1])


@given(st.lists(st.lists(st.integers(0, 2**31 - 1))))
def test_reviews_lay_out_lists_and_give_them_back(lists):
    reviews = from_lists(lists, np.zeros(len(lists), int))
    assert reviews.ranks.dtype == np.int32
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
        ([[1], [2, 6]], [0, 1], "review 1 of the test set has word rank 6, the vocabulary has 5"),
        ([[1], [2]], [0.0, 0.5], "not made of flat arrays of integers"),
        ([[1], [2]], [0, 1, 1], "3 labels"),
    ],
)
def test_unsound_reviews_are_refused_by_number(lists, labels, says):
    with pytest.raises(UserError, match=says):
        check(from_lists(lists, np.array(labels)), "test", 5)


def test_offsets_that_do_not_cut_are_refused():
    for offsets in ([0, 2, 1, 3], [1, 2, 3, 3], [0, 1, 2, 4]):
        with pytest.raises(UserError, match="offsets"):
            check(Reviews(np.array([1, 2, 3]), np.array(offsets), LABELS), "test", 5)


@given(st.lists(st.integers(0, 1), min_size=4), st.floats(0.05, 0.95))
def test_split_keeps_order_and_takes_each_labels_end(labels, fraction):
    labels = np.array(labels)
    counts = np.bincount(labels, minlength=2)
    held = [round(count * fraction) for count in counts]
    if any(not 0 < h < count for h, count in zip(held, counts, strict=True)):
        with pytest.raises(UserError, match=r"^params.yaml: data.test_fraction is .* leaves one part without any"):
            split_by_position(labels, fraction, "data.test_fraction")
        return
    first, second = split_by_position(labels, fraction, "data.test_fraction")
    assert sorted([*first, *second]) == list(range(len(labels)))
    assert list(first) == sorted(first)
    assert list(second) == sorted(second)
    for label in (0, 1):
        own_first, own_second = first[labels[first] == label], second[labels[second] == label]
        assert len(own_second) == held[label]
        assert own_first.max() < own_second.min()


@pytest.fixture
def written(tmp_path):
    sets = {"train": from_lists(LISTS, LABELS), "test": from_lists(LISTS[:2], LABELS[:2])}
    sets = {name: check(reviews, name, 3) for name, reviews in sets.items()}
    counts = {name: {"reviews": len(reviews), "words": len(reviews.ranks)} for name, reviews in sets.items()}
    corpus = Corpus(**sets, vocabulary=["the", "film", "is\u0085"], provenance={"source": "test", **counts})
    write_corpus(corpus, tmp_path / "reviews")
    return tmp_path / "reviews"


def test_a_corpus_is_read_back_as_written(written):
    train = read_reviews(written, "train")
    assert as_lists(train) == LISTS
    assert train.labels.tolist() == LABELS.tolist()
    assert as_lists(read_reviews(written, "test")) == LISTS[:2]
    assert read_vocabulary(written) == ["the", "film", "is\u0085"]


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("train_ranks.npy", None, "train_ranks.npy is missing; run `dvc repro download`"),
        ("train_ranks.npy", b"", "train_ranks.npy is damaged"),
        ("train_offsets.npy", b"\x93NUMPY\x01\x00", "train_offsets.npy is damaged"),
        ("train_labels.npy", np.array([0, 1, 7]), "label 7"),
        ("train_ranks.npy", np.array([1, 2, 3, 2, 2, 9]), "review 2 of the train set has word rank 9"),
        ("train_labels.npy", np.array([None, 1, 1]), "train_labels.npy is damaged"),
        ("vocabulary.txt", None, "vocabulary.txt is missing"),
        ("vocabulary.txt", b"\xff", "vocabulary.txt is damaged"),
        ("vocabulary.txt", b"the\n", "the vocabulary has 1"),
        ("provenance.json", b"{}", "it should name its source"),
        ("provenance.json", b'{"source": "test"}', "its provenance says None"),
        (
            "provenance.json",
            b'{"source": "test", "train": {"reviews": 4, "words": 6}}',
            "the train set has {'reviews': 3, 'words': 6}, its provenance says {'reviews': 4, 'words': 6}",
        ),
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
    assert says in str(error.value)
    assert "run `dvc repro download`" in str(error.value)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("x", "y", "says"),
    [
        (None, [0, 1], "x_train.npy is missing; run `dvc repro pad`"),
        (np.zeros((2, 3), np.int32), None, "y_train.npy is missing"),
        (np.zeros((2, 3), np.int64), [0, 1], "int64 of shape"),
        (np.zeros(2, np.int32), [0, 1], "shape"),
        (np.zeros((0, 3), np.int32), [], "shape"),
        (np.full((2, 3), 10, np.int32), [0, 1], "ids go from 10 to 10, pad.vocab_size is 10"),
        (np.full((2, 3), -1, np.int32), [0, 1], "ids go from -1"),
        (np.zeros((2, 3), np.int32), [0, 1, 1], "for each of 2 reviews"),
        (np.zeros((2, 3), np.int32), [0, 2], "for each of 2 reviews"),
    ],
)
def test_padded_reviews_that_do_not_fit_are_refused(tmp_path, monkeypatch, x, y, says):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "data/padded"
    folder.mkdir(parents=True)
    if x is not None:
        np.save(folder / "x_train.npy", x)
    if y is not None:
        np.save(folder / "y_train.npy", np.array(y, np.uint8))
    with pytest.raises(UserError, match="run `dvc repro pad`") as error:
        read_padded("train", 10)
    assert says in str(error.value)
