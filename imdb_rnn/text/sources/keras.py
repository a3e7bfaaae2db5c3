"""The reviews of the original tutorial (docs/from-the-article.md): Keras' `imdb.npz` and its word index."""

import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import KerasParams
from imdb_rnn.text.corpus import Corpus, Reviews, from_lists, make_corpus
from imdb_rnn.text.sources.fetch import fetch

SHUFFLE_SEED = 113  # the default of keras.datasets.imdb.load_data


def read(params: KerasParams, root: Path, tokenizer: str) -> Corpus:
    """Fetch and read 25,000 training and 25,000 test reviews, as `keras.datasets.imdb.load_data` orders them.

    Raises:
        UserError: when a download fails, or the archive does not hold what it should.
    """
    downloads = root / files.DOWNLOADS
    archive = fetch(params.url, f"sha256:{params.sha256}", downloads / "imdb.npz")
    index = fetch(params.word_index_url, f"sha256:{params.word_index_sha256}", downloads / "imdb_word_index.json")
    vocabulary = read_word_index(index)
    arrays = read_archive(archive)
    shuffle = np.random.RandomState(SHUFFLE_SEED)

    def shuffled(ranks: np.ndarray, labels: np.ndarray, name: str) -> Reviews:
        if not len(ranks) == len(labels):
            raise UserError(f"{archive}: the {name} set has {len(ranks)} reviews and {len(labels)} labels")
        order = np.arange(len(ranks))
        shuffle.shuffle(order)
        return from_lists(list(ranks[order]), labels[order])

    try:
        # In this order: load_data shuffles the training set first, with the same generator.
        train = shuffled(arrays["x_train"], arrays["y_train"], "train")
        test = shuffled(arrays["x_test"], arrays["y_test"], "test")
    except (TypeError, ValueError, OverflowError) as error:
        raise UserError(f"{archive}: reviews are not lists of word ranks ({error})") from error
    # Without addresses and checksums, so that a mirror with the same reviews gives the same bytes.
    provenance = {
        "source": "keras",
        "description": "Large Movie Review Dataset (Maas et al. 2011) as packed by Keras",
        "split": f"the data set's own; each part in Keras' order (seed {SHUFFLE_SEED})",
    }
    return make_corpus(train, test, vocabulary, provenance)


def read_word_index(path: Path) -> list[str]:
    """Read Keras' word index, a JSON object of word to rank, as a list of words, rank 1 first.

    Raises:
        UserError: when it is not JSON, or its ranks are not 1, 2, 3, … each once.
    """
    try:
        index = dict(json.loads(path.read_text(encoding="utf-8")))
        words = sorted(index, key=index.__getitem__)
        ranks = [index[word] for word in words]
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"{path}: not a JSON object of words and ranks ({error})") from error
    if any(type(rank) is not int for rank in ranks) or ranks != list(range(1, len(ranks) + 1)):
        raise UserError(f"{path}: the ranks are not 1 to {len(ranks)}, each once")
    for word in words:
        if not word or any(letter in "\r\n" or "\ud800" <= letter <= "\udfff" for letter in word):
            raise UserError(f"{path}: {word!a} is not a word")
    return words


def read_archive(path: Path) -> dict[str, np.ndarray]:
    """Read `x_train`, `y_train`, `x_test` and `y_test` from Keras' `imdb.npz`.

    The reviews, `x_*`, are pickled lists of word ranks. The unpickler admits the three names that NumPy needs to
    rebuild an array of plain values, and no other, so that no code in the file is executed.

    Raises:
        UserError: when an array is missing or damaged, or the file asks for anything but arrays.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in ("y_train", "y_test")}
        with zipfile.ZipFile(path) as members:
            for name in ("x_train", "x_test"):
                with members.open(f"{name}.npy") as member:
                    files.read_header(member)
                    arrays[name] = _ArrayUnpickler(member, encoding="latin1").load()
        return arrays
    except Exception as error:  # zip, deflate, header and pickle each fail in ways of their own, memory included
        why = " ".join(str(error).split())
        raise UserError(f"{path}: not Keras' archive of reviews ({why}); check data.keras in params.yaml") from error


class _ArrayUnpickler(pickle.Unpickler):
    """Rebuilds NumPy arrays of plain Python values, and refuses every other name that a pickle could call."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in (("numpy", "ndarray"), ("numpy", "dtype")):
            return getattr(np, name)
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name == "_reconstruct":
            return np.empty(0).__reduce__()[0]  # the same function, by NumPy's public way to it
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")
