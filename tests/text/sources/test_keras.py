import hashlib
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from material import as_lists, changed, contents, write_archive

from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import Params
from imdb_rnn.text.sources import keras
from stages import download

LISTS = [[1, 2], [3], [2, 2, 1], [1]]
GOOD = {"x_train": LISTS, "y_train": np.array([0, 1, 0, 1]), "x_test": LISTS[:2], "y_test": np.array([1, 0])}


@pytest.mark.parametrize("name", list(GOOD))
def test_an_archive_without_an_array_is_refused(tmp_path, name):
    write_archive(tmp_path / "imdb.npz", **{key: value for key, value in GOOD.items() if key != name})
    with pytest.raises(UserError, match=f"not Keras' archive of reviews .*{name}"):
        keras.read_archive(tmp_path / "imdb.npz")


@pytest.mark.parametrize("content", [b"", b"PK", b"not an archive" * 100])
def test_what_is_no_archive_is_refused(tmp_path, content):
    (tmp_path / "imdb.npz").write_bytes(content)
    with pytest.raises(UserError, match="not Keras' archive"):
        keras.read_archive(tmp_path / "imdb.npz")


def test_an_archive_is_read(tmp_path):
    write_archive(tmp_path / "imdb.npz", **GOOD)
    arrays = keras.read_archive(tmp_path / "imdb.npz")
    assert arrays["x_train"].tolist() == LISTS
    assert arrays["y_test"].tolist() == [1, 0]


@settings(max_examples=300)
@given(position=st.floats(0, 1, exclude_max=True), change=st.integers(0, 255))
def test_a_damaged_archive_is_read_or_refused_in_words(tmp_path_factory, position, change):
    """A byte is flipped, or with `change` 0 the archive is cut there."""
    path = tmp_path_factory.getbasetemp() / "damaged.npz"
    write_archive(path, **GOOD)
    content = bytearray(path.read_bytes())
    index = int(position * len(content))
    content[index] ^= change
    path.write_bytes(content if change else content[:index])
    try:
        keras.read_archive(path)
    except UserError as error:
        assert str(error).startswith(str(path))


class Harmful:
    """Of these a pickle holds what to call, and with what."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("name", ["x_train", "x_test", "y_test"])
@pytest.mark.parametrize("call", [(open, "was-here", "w"), (os.system, "touch was-here")], ids=["open", "system"])
def test_a_pickle_that_would_run_something_is_refused_unrun(tmp_path, monkeypatch, name, call):
    monkeypatch.chdir(tmp_path)
    write_archive(tmp_path / "imdb.npz", **(GOOD | {name: [Harmful(*call), [1]]}))
    with pytest.raises(UserError, match=rf"asks for .*{call[0].__name__}|Object arrays cannot be loaded"):
        keras.read_archive(tmp_path / "imdb.npz")
    assert contents(tmp_path).keys() == {"imdb.npz"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"the": 1, "and": 3}', "not 1 to 2"),
        ('{"the": 1, "and": 1}', "not 1 to 2"),
        ('{"the": "1"}', "not 1 to 1"),
        ("[1, 2]", "not a JSON object"),
        ("3", "not a JSON object"),
        ('{"the": 1, "and": "2"}', "not a JSON object"),
        ('{"the": 1', "not a JSON object"),
        ('{"the": true}', "not 1 to 1"),
        ('{"the": 1.0}', "not 1 to 1"),
        ('{"": 1}', "'' is not a word"),
        (r'{"the\nfilm": 1}', "is not a word"),
        (r'{"\ud800": 1}', "is not a word"),
    ],
)
def test_a_word_index_with_gaps_or_of_another_form_is_refused(tmp_path, text, says):
    (tmp_path / "index.json").write_text(text)
    with pytest.raises(UserError, match=says):
        keras.read_word_index(tmp_path / "index.json")


def keras_params(params: Params, folder: Path, arrays: dict) -> Params:
    """Parameters that lead to an archive of these arrays, and to an index of three words."""
    sha256 = write_archive(folder / "source.npz", **arrays)
    index = json.dumps({"the": 1, "and": 2, "film": 3})
    (folder / "index.json").write_text(index)
    addresses = {
        "url": (folder / "source.npz").as_uri(),
        "sha256": sha256,
        "word_index_url": (folder / "index.json").as_uri(),
        "word_index_sha256": hashlib.sha256(index.encode()).hexdigest(),
    }
    return changed(params, data={"source": "keras", "keras": addresses})


def test_the_source_delivers_the_archive(params, tmp_path):
    corpus = keras.read(keras_params(params, tmp_path, GOOD).data.keras, tmp_path, "word")
    labelled = zip(as_lists(corpus.train), corpus.train.labels.tolist(), strict=True)
    assert sorted(labelled) == sorted(zip(LISTS, [0, 1, 0, 1], strict=True))
    assert corpus.vocabulary == ["the", "and", "film"]
    assert corpus.provenance["train"] == {"reviews": 4, "negative": 2, "positive": 2, "words": 7}
    assert sorted(contents(tmp_path / files.DOWNLOADS)) == ["imdb.npz", "imdb_word_index.json"]


def test_a_mirror_with_the_same_reviews_gives_the_same_corpus(params, tmp_path):
    """So what is made of it, the model too, does not depend on where it came from."""
    provenances = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        data = keras_params(params, tmp_path / name, GOOD).data.keras
        provenances.append(keras.read(data, tmp_path / name, "word").provenance)
    assert provenances[0] == provenances[1]


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"y_train": np.array([0, 1, 0, 2])}, "has label 2, only 0 and 1 are allowed"),
        ({"y_train": np.array([0, 1, 0])}, "has 4 reviews and 3 labels"),
        ({"x_train": [[1], [], [2], [3]]}, "of the train set is empty"),
        ({"x_train": [[1], [4], [2], [3]]}, "word rank 4, the vocabulary has 3"),
        ({"x_train": [[1], [-1], [2], [3]]}, "word ranks must be from 0"),
        ({"x_train": [[1], ["film"], [2], [3]]}, "not lists of word ranks"),
        ({"x_train": [[1], None, [2], [3]]}, "not lists of word ranks"),
        ({"x_train": [[1], [1.7], [2], [3]]}, "not lists of word ranks"),
        ({"x_train": [[1], "12", [2], [3]]}, "not lists of word ranks"),
        ({"x_train": [[1], [2**70], [2], [3]]}, "not lists of word ranks"),
        ({"x_test": [], "y_test": np.array([], int)}, "the test set is empty"),
    ],
)
def test_bad_reviews_stop_the_stage_and_the_older_result_stays(params, tmp_path, arrays, says):
    older = tmp_path / files.REVIEWS
    older.mkdir(parents=True)
    (older / "vocabulary.txt").write_text("older")
    with pytest.raises(UserError) as error:
        download.main(keras_params(params, tmp_path, GOOD | arrays), tmp_path)
    (line,) = str(error.value).splitlines()
    assert re.search(says, line)
    assert contents(older) == {"vocabulary.txt": b"older"}
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["downloads", "reviews"]


def test_real_reviews_pass_all_of_this(corpus, tmp_path):
    x, y = as_lists(corpus.test)[:50], corpus.test.labels[:50].astype(int)
    write_archive(tmp_path / "imdb.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    arrays = keras.read_archive(tmp_path / "imdb.npz")
    assert list(arrays["x_train"]) == x
