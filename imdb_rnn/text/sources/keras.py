"""The reviews of the original tutorial (docs/from-the-article.md): Keras' `imdb.npz` and its word index."""

import json
import pickle
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import KerasParams
from imdb_rnn.text.corpus import Corpus, Reviews, from_lists, make_corpus

SHUFFLE_SEED = 113  # the default of keras.datasets.imdb.load_data
PROVENANCE = {  # without addresses and checksums, so that a mirror with the same reviews gives the same bytes
    "source": "keras",
    "description": "Large Movie Review Dataset (Maas et al. 2011) as packed by Keras",
    "split": f"the data set's own; each part in Keras' order (seed {SHUFFLE_SEED})",
}


def read(params: KerasParams, root: Path, tokenizer: str, more_words: Sequence[str] = ()) -> Corpus:
    """Fetch and read 25,000 training and 25,000 test reviews, in the order of `keras.datasets.imdb.load_data`.

    Their vocabulary has all their words already: `more_words` changes nothing.

    Raises:
        UserError: when a download fails, or does not hold what it should.
    """
    from imdb_rnn.text.sources.fetch import fetch

    downloads = root / files.DOWNLOADS
    archive = fetch(params.url, f"sha256:{params.sha256}", downloads / "imdb.npz")
    index = fetch(params.word_index_url, f"sha256:{params.word_index_sha256}", downloads / "imdb_word_index.json")
    try:
        vocabulary, arrays = read_word_index(index), read_archive(archive)
        shuffle = np.random.RandomState(SHUFFLE_SEED)
        # In this order: load_data shuffles the training set first, with the same generator.
        train = _shuffled(arrays["x_train"], arrays["y_train"], shuffle)
        test = _shuffled(arrays["x_test"], arrays["y_test"], shuffle)
        return make_corpus(train, test, vocabulary, PROVENANCE)
    except Exception as error:  # with another SHA-256 in params.yaml the files can hold anything
        why = " ".join(str(error).split())
        raise UserError(f"{downloads}: not Keras' reviews and word index ({why}); check data.keras") from error


def _shuffled(ranks: np.ndarray, labels: np.ndarray, shuffle: np.random.RandomState) -> Reviews:
    if len(ranks) != len(labels):
        raise ValueError(f"{len(ranks)} reviews, but {len(labels)} labels")
    order = np.arange(len(ranks))
    shuffle.shuffle(order)
    return from_lists(list(ranks[order]), labels[order])


def read_word_index(path: Path) -> list[str]:
    """Read Keras' word index, a JSON object of word to rank, as a list of words, rank 1 first."""
    index = json.loads(path.read_text(encoding="utf-8"))
    words = sorted(index, key=index.__getitem__)
    if [index[word] for word in words] != list(range(1, len(words) + 1)):
        raise ValueError(f"the ranks are not 1 to {len(words)}, each once")
    return words


def read_archive(path: Path) -> dict[str, np.ndarray]:
    """Read `x_train`, `y_train`, `x_test` and `y_test` from Keras' `imdb.npz`.

    The reviews, `x_*`, are pickled lists of word ranks. The unpickler admits the three names that NumPy needs to
    rebuild an array of plain values, and no other, so that no code in the file is executed.
    """
    with np.load(path, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in ("y_train", "y_test")}
    with zipfile.ZipFile(path) as archive:
        for name in ("x_train", "x_test"):
            with archive.open(f"{name}.npy") as member:
                np.lib.format.read_magic(member)
                np.lib.format.read_array_header_1_0(member)
                arrays[name] = _ArrayUnpickler(member, encoding="latin1").load()
    return arrays


class _ArrayUnpickler(pickle.Unpickler):
    """Rebuilds NumPy arrays of plain Python values, and refuses every other name that a pickle could call."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in (("numpy", "ndarray"), ("numpy", "dtype")):
            return getattr(np, name)
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name == "_reconstruct":
            return np.empty(0).__reduce__()[0]  # the same function, by NumPy's public way to it
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")
