import hashlib
import json
import sys

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from material import as_lists, changed, contents, run_stage, write_archive, write_params

from stages.pad import pad
from imdb_rnn.base.params import PadParams
from stages.reviews import from_lists

ENDS = ("pre", "post")


def by_keras(lists, params: PadParams) -> np.ndarray:
    """What Keras makes of ranks: `load_data`'s rule for ids, one review at a time, and its own `pad_sequences`."""
    ids = [[1] + [rank + 3 if rank > 0 and rank + 3 < params.vocab_size else 2 for rank in ranks] for ranks in lists]
    return keras.utils.pad_sequences(ids, params.maxlen, padding=params.padding, truncating=params.truncating)


@given(
    lists=st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=12), min_size=1, max_size=8),
    vocab_size=st.integers(4, 40),
    maxlen=st.integers(1, 15),
    padding=st.sampled_from(ENDS),
    truncating=st.sampled_from(ENDS),
)
def test_pad_equals_keras_on_any_reviews(lists, vocab_size, maxlen, padding, truncating):
    params = PadParams(vocab_size=vocab_size, maxlen=maxlen, padding=padding, truncating=truncating)
    x = pad(from_lists(lists, np.zeros(len(lists), int)), params)
    assert x.dtype == np.int32
    np.testing.assert_array_equal(x, by_keras(lists, params))


@pytest.mark.parametrize("truncating", ENDS)
@pytest.mark.parametrize("padding", ENDS)
def test_pad_equals_keras_on_the_bundled_reviews(corpus, params, padding, truncating):
    params = changed(params, pad={"padding": padding, "truncating": truncating, "maxlen": 100}).pad
    np.testing.assert_array_equal(pad(corpus.test, params), by_keras(as_lists(corpus.test), params))


def test_both_stages_equal_the_articles_first_lines(corpus, params, tmp_path, monkeypatch):
    """Real reviews in Keras' own archive, through `load_data` and `pad_sequences` and through our two stages."""
    lists = [[rank for rank in ranks if rank] for ranks in as_lists(corpus.test)]
    archive = tmp_path / "imdb.npz"
    sha256 = write_archive(
        archive,
        x_train=lists[:3000],
        y_train=np.arange(3000) % 2,
        x_test=lists[3000:],
        y_test=np.arange(2000) % 2,
    )
    index = tmp_path / "index.json"
    index.write_text(json.dumps({word: rank for rank, word in enumerate(corpus.vocabulary, start=1)}))

    module = sys.modules[keras.datasets.imdb.load_data.__module__]
    monkeypatch.setattr(module, "get_file", lambda **_: str(archive))
    (x_train, y_train), (x_test, y_test) = keras.datasets.imdb.load_data(num_words=params.pad.vocab_size)

    write_params(
        tmp_path,
        changed(
            params,
            data={
                "source": "keras",
                "url": archive.as_uri(),
                "sha256": sha256,
                "word_index_url": index.as_uri(),
                "word_index_md5": hashlib.md5(index.read_bytes()).hexdigest(),
            },
        ),
    )
    for stage in ("download", "pad"):
        result = run_stage(stage, tmp_path)
        assert result.returncode == 0, result.stderr
    padded = tmp_path / "data/padded"
    maxlen = params.pad.maxlen
    np.testing.assert_array_equal(np.load(padded / "x_train.npy"), keras.utils.pad_sequences(x_train, maxlen=maxlen))
    np.testing.assert_array_equal(np.load(padded / "x_test.npy"), keras.utils.pad_sequences(x_test, maxlen=maxlen))
    np.testing.assert_array_equal(np.load(padded / "y_train.npy"), y_train)
    np.testing.assert_array_equal(np.load(padded / "y_test.npy"), y_test)


def test_a_missing_upstream_file_is_named_and_the_older_result_stays(params, tmp_path):
    write_params(tmp_path, params)
    older = tmp_path / "data/padded"
    older.mkdir(parents=True)
    (older / "x_train.npy").write_bytes(b"older")
    before = contents(tmp_path)
    result = run_stage("pad", tmp_path)
    assert result.returncode == 1
    assert result.stderr == "error: data/reviews/train_ranks.npy is missing; run `dvc repro download` to make it\n"
    assert contents(tmp_path) == before
