import hashlib
import os
import pickle

import numpy as np
import pytest
from material import as_lists, changed, contents, keras_source

from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError
from imdb_rnn.text.sources import keras
from stages import download

LISTS = [[1, 2], [3], [2, 2, 1], [1]]
GOOD = {"x_train": LISTS, "y_train": np.array([0, 1, 0, 1]), "x_test": LISTS[:2], "y_test": np.array([1, 0])}
INDEX = {"the": 1, "and": 2, "film": 3}


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
    keras_source(tmp_path, INDEX, **(GOOD | {name: [Harmful(*call), [1]]}))
    with pytest.raises((pickle.UnpicklingError, ValueError), match=f"asks for .*{call[0].__name__}|cannot be loaded"):
        keras.read_archive(tmp_path / "imdb.npz")
    assert contents(tmp_path).keys() == {"imdb.npz", "index.json"}


def test_the_source_delivers_the_archive(params, tmp_path):
    params = changed(params, data=keras_source(tmp_path, INDEX, **GOOD))
    corpus = keras.read(params.data.keras, tmp_path, "word")
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
        data = changed(params, data=keras_source(tmp_path / name, INDEX, **GOOD)).data
        provenances.append(keras.read(data.keras, tmp_path / name, "word").provenance)
    assert provenances[0] == provenances[1]


@pytest.mark.parametrize(
    ("arrays", "index", "says"),
    [
        ({"y_train": np.array([0, 1, 0, 2])}, INDEX, "has label 2, only 0 and 1 are allowed"),
        ({"y_train": np.array([0, 1, 0])}, INDEX, "4 reviews, but 3 labels"),
        ({"x_train": [[1], [], [2], [3]]}, INDEX, "of the train set is empty"),
        ({"x_train": [[1], [4], [2], [3]]}, INDEX, "word rank 4, the vocabulary has 3"),
        ({"x_train": [[1], [-1], [2], [3]]}, INDEX, "word ranks must be from 0"),
        ({"x_train": [[1], [1.7], [2], [3]]}, INDEX, "'float' object cannot be interpreted as an integer"),
        ({"x_train": [[1], [2**70], [2], [3]]}, INDEX, "too large"),
        ({"x_test": [], "y_test": np.array([], int)}, INDEX, "the test set is empty"),
        ({}, {"the": 1, "and": 3}, "the ranks are not 1 to 2"),
        ({}, {"the": 1, "and": 1}, "the ranks are not 1 to 2"),
        ({}, {"the": 1, "and": "2"}, "not Keras' reviews and word index"),
        ({}, 3, "not Keras' reviews and word index"),
    ],
)
def test_bad_reviews_stop_the_stage_and_the_older_result_stays(params, tmp_path, arrays, index, says):
    older = tmp_path / files.REVIEWS
    older.mkdir(parents=True)
    (older / "vocabulary.txt").write_text("older")
    with pytest.raises(UserError) as error:
        download.main(changed(params, data=keras_source(tmp_path, index, **(GOOD | arrays))), tmp_path)
    (line,) = str(error.value).splitlines()
    assert says in line
    assert "data.keras" in line
    assert contents(older) == {"vocabulary.txt": b"older"}
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["downloads", "reviews"]


@pytest.mark.parametrize("content", [b"", b"PK", b"not an archive" * 100])
def test_another_file_is_named(params, tmp_path, content):
    data = keras_source(tmp_path, INDEX, **GOOD)
    (tmp_path / "imdb.npz").write_bytes(content)
    data["keras"]["sha256"] = hashlib.sha256(content).hexdigest()
    with pytest.raises(UserError, match=r"not Keras' reviews and word index .*; check data\.keras$"):
        download.main(changed(params, data=data), tmp_path)
