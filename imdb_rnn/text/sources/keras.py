"""The article's set: Keras' archive of all 50,000 reviews of the Large Movie Review Dataset, and its word index."""

import json
import pickle
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np

from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import KerasParams
from imdb_rnn.text.corpus import Corpus, Reviews, from_lists, make_corpus
from imdb_rnn.text.sources.fetch import fetch

SHUFFLE_SEED = 113  # the default of keras.datasets.imdb.load_data
LIMIT = 2**30  # bytes of what an archive holds unpacked; Keras' holds 60 million


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
        if ranks.ndim != 1 or len(ranks) != len(labels):
            raise UserError(f"{archive}: the {name} set has reviews of shape {ranks.shape} and {len(labels)} labels")
        order = np.arange(len(ranks))
        shuffle.shuffle(order)
        return from_lists(list(ranks[order]), labels[order])

    try:
        # In this order: load_data draws the order of the training set first, from the same generator.
        train = shuffled(arrays["x_train"], arrays["y_train"], "train")
        test = shuffled(arrays["x_test"], arrays["y_test"], "test")
    except (TypeError, ValueError, OverflowError) as error:
        raise UserError(f"{archive}: reviews are not lists of word ranks ({error})") from error
    # Addresses and checksums are parameters, and no part of it: a mirror with the same reviews gives the same bytes.
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
    """Read `x_train`, `y_train`, `x_test` and `y_test` from Keras' `imdb.npz` without running what a pickle asks for.

    The reviews are pickled object arrays of lists. Only the three names that NumPy needs to rebuild an array are
    admitted; any other stops the reading.

    Returns:
        x_*: object arrays of lists of word ranks; y_*: arrays of integers.

    Raises:
        UserError: when the archive or an array is missing, damaged, or asks for anything but arrays.
    """
    names = ("x_train", "y_train", "x_test", "y_test")
    try:
        with zipfile.ZipFile(path) as archive:
            missing = [name for name in names if f"{name}.npy" not in archive.namelist()]
            if missing:
                raise UserError(f"{path}: the archive has no array {', '.join(missing)}; is it Keras' imdb.npz?")
            if sum(archive.getinfo(f"{name}.npy").file_size for name in names) > LIMIT:
                raise UserError(f"{path}: unpacked it would be more than {LIMIT} bytes; is it Keras' imdb.npz?")
            arrays = {}
            for name in names:
                with archive.open(f"{name}.npy") as member:
                    arrays[name] = _read_array(member)
    except UserError:
        raise
    except Exception as error:  # zip, deflate, header and pickle each fail in ways of their own, memory included
        raise UserError(f"{path}: not a readable archive of reviews ({error}); delete it and run again") from error
    return arrays


def _read_array(member: IO[bytes]) -> np.ndarray:
    shape, dtype = files.read_header(member)
    if dtype.hasobject:
        array = _ArrayUnpickler(member, encoding="latin1").load()
    else:
        array = np.frombuffer(member.read(), dtype)
    if not isinstance(array, np.ndarray) or array.shape != shape:
        raise ValueError(f"an array is not of the shape {shape} that it claims")
    return array


class _ArrayUnpickler(pickle.Unpickler):
    """Rebuilds NumPy arrays of plain Python values, and refuses every other name that a pickle could call."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in (("numpy", "ndarray"), ("numpy", "dtype")):
            return getattr(np, name)
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name == "_reconstruct":
            return np.empty(0).__reduce__()[0]  # that very function, by NumPy's public way to it
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")
