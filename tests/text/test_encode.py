import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from material import as_lists, changed, keras_source

from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import PadParams
from imdb_rnn.engine.ragged import Ragged
from imdb_rnn.text import encode as encode_module
from imdb_rnn.text.corpus import from_lists
from imdb_rnn.text.encode import Labelled, encode, pad, read_padded, unpad, with_padding, write_padded
from stages import download
from stages import pad as pad_stage

ENDS = ("pre", "post")
LISTS = st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=12), min_size=1, max_size=8)
PARAMS = st.builds(
    PadParams,
    vocab_size=st.integers(5, 40),
    maxlen=st.integers(2, 15),
    padding=st.sampled_from(ENDS),
    truncating=st.sampled_from(ENDS),
)


def by_keras(lists, params: PadParams) -> np.ndarray:
    """What Keras makes of ranks: `load_data`'s rule for ids, one review at a time, and its own `pad_sequences`."""
    import keras  # here, because it takes seconds to load

    ids = [[1] + [rank + 3 if rank > 0 and rank + 3 < params.vocab_size else 2 for rank in ranks] for ranks in lists]
    return keras.utils.pad_sequences(ids, params.maxlen, padding=params.padding, truncating=params.truncating)


def padded(ranks: Ragged, params: PadParams) -> np.ndarray:
    return pad(encode(ranks, params), params.maxlen, params.padding)


def ranks_of(lists: list[list[int]]) -> Ragged:
    return from_lists(lists, np.zeros(len(lists), int)).ranks


@pytest.mark.slow
@pytest.mark.xdist_group("keras")
@given(lists=LISTS, params=PARAMS)
def test_encoded_and_padded_reviews_equal_keras_on_any_reviews(lists, params):
    x = padded(ranks_of(lists), params)
    assert x.dtype == np.int32
    np.testing.assert_array_equal(x, by_keras(lists, params))


@given(lists=LISTS, params=PARAMS, chosen=st.lists(st.integers(0, 7), max_size=10))
def test_some_reviews_are_encoded_as_they_are_among_all(lists, params, chosen):
    """A sample's ranks lie scattered in those of all reviews."""
    rows = np.array([row for row in chosen if row < len(lists)], int)
    ranks = ranks_of(lists)
    np.testing.assert_array_equal(padded(ranks.rows(rows), params), padded(ranks, params)[rows])


@given(lists=LISTS, params=PARAMS)
def test_taking_the_padding_out_undoes_padding(lists, params):
    ids = encode(ranks_of(lists), params)
    back = unpad(pad(ids, params.maxlen, params.padding))
    assert back.values.dtype == np.int32
    assert (back.lengths.tolist(), back.flat().tolist()) == (ids.lengths.tolist(), ids.flat().tolist())


def test_padding_can_be_read_like_words():
    ids = encode(ranks_of([[1], [1, 2, 3, 4]]), PadParams(maxlen=3))
    filled = with_padding(ids, 3, "pre")
    assert [filled[0].tolist(), filled[1].tolist()] == [[0, 1, 4], [5, 6, 7]]
    assert filled.values.dtype == np.int32


def test_labelled_reviews_are_chosen_with_their_labels():
    labelled = Labelled(ranks_of([[1], [2, 3], [4]]), np.array([0, 1, 0]))
    some = labelled.rows(np.array([2, 1]))
    assert ([some.ids[0].tolist(), some.ids[1].tolist()], some.y.tolist()) == ([[4], [2, 3]], [0, 1])


@pytest.mark.slow
@pytest.mark.xdist_group("keras")
def test_both_stages_equal_the_articles_first_lines(corpus, params, tmp_path, monkeypatch):
    """Real reviews in Keras' own archive, through `load_data` and `pad_sequences` and through our two stages."""
    lists = [[rank for rank in ranks if rank] for ranks in as_lists(corpus.test)]
    index = {word: rank for rank, word in enumerate(corpus.vocabulary, start=1)}
    labels = {"y_train": np.arange(3000) % 2, "y_test": np.arange(2000) % 2}
    params = changed(params, data=keras_source(tmp_path, index, x_train=lists[:3000], x_test=lists[3000:], **labels))

    import keras

    module = sys.modules[keras.datasets.imdb.load_data.__module__]
    monkeypatch.setattr(module, "get_file", lambda **_: str(tmp_path / "imdb.npz"))
    (x_train, y_train), (x_test, y_test) = keras.datasets.imdb.load_data(num_words=params.pad.vocab_size)

    for stage in (download, pad_stage):
        stage.main(params, tmp_path)
    for name, x, y in (("train", x_train, y_train), ("test", x_test, y_test)):
        ours, labels = read_padded(tmp_path / files.PADDED, name, params.pad.vocab_size)
        np.testing.assert_array_equal(ours, keras.utils.pad_sequences(x, maxlen=params.pad.maxlen))
        np.testing.assert_array_equal(labels, y)


def test_padded_reviews_are_read_back_as_written(tmp_path, monkeypatch):
    monkeypatch.setattr(encode_module, "CHUNK", 2)  # so that they are written in several pieces
    ranks, y = ranks_of([[6], [7, 1], [5, 5, 5]]), np.array([1, 0, 1], np.uint8)
    x = np.array([[0, 1, 9], [1, 2, 4], [8, 8, 8]], np.int32)
    sets = {"train": (ranks, y), "test": (ranks.first(9).rows(np.array([0])), y[:1])}
    write_padded(tmp_path / "padded", sets, PadParams(vocab_size=10, maxlen=3))
    for name, count in (("train", 3), ("test", 1)):
        x_read, y_read = read_padded(tmp_path / "padded", name, 10)
        assert isinstance(x_read, np.memmap)
        assert (x_read.tolist(), y_read.tolist()) == (x[:count].tolist(), y[:count].tolist())


@pytest.mark.parametrize(
    ("x", "y", "says"),
    [
        (None, [0, 1], "x_train.npy is missing; run `dvc repro pad`"),
        (np.zeros((2, 3), np.int32), None, "y_train.npy is missing"),
        (np.zeros((2, 3), np.int64), [0, 1], "it holds int64 (2, 3)"),
        (np.zeros((0, 3), np.int32), [], "it holds int32 (0, 3)"),
        (np.zeros((2, 3), np.int32), [0, 1, 1], "and the labels uint8 (3,)"),
        (np.full((2, 3), 10, np.int32), [0, 1], "ids go from 10 to 10, pad.vocab_size is 10"),
        (np.full((2, 3), -1, np.int32), [0, 1], "ids go from -1"),
    ],
)
def test_padded_reviews_that_do_not_fit_are_refused(tmp_path, x, y, says):
    if x is not None:
        np.save(tmp_path / "x_train.npy", x)
    if y is not None:
        np.save(tmp_path / "y_train.npy", np.array(y, np.uint8))
    with pytest.raises(UserError, match="run `dvc repro pad`") as error:
        read_padded(tmp_path, "train", 10)
    assert says in str(error.value)
