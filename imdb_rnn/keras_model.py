"""The network as a Keras model: its graph, its first weights, and the file that keeps it.

The only module that imports TensorFlow, and it does so when Keras is first needed: to train with it, and to write the
first file of a kind of network on this machine. Networks are of one kind if their parameters, the size of their
vocabulary and their n-grams are the same. What Keras saved of the last kinds is kept beside the machine code.
"""

import hashlib
import importlib
import os
import re
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.abc import MetaPathFinder
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from imdb_rnn import model_file
from imdb_rnn.core import files
from imdb_rnn.core.params import ModelParams
from imdb_rnn.engine.kernels.cells import cell_named
from imdb_rnn.engine.weights import Layout, Weights, from_named
from imdb_rnn.model import Network
from imdb_rnn.text.vocabulary import PADDING

if TYPE_CHECKING:
    import keras

TEMPLATES, KEPT_TEMPLATES = Path(__file__).parent / "__pycache__/keras", 20
CODE = Path(__file__).read_bytes()  # as it was imported, for a file may change while the process runs
FIXED_DATE = "1980-01-01@00:00:00"
UNUSED = {"matplotlib", "sklearn"}  # Keras imports them, which takes a second, only because they are installed
loading = threading.Lock()  # all threads share stderr and the finders of modules
seeding = threading.Lock()  # Keras draws from generators that all threads share


@contextmanager
def _without_start_up_notes() -> Iterator[None]:
    """Hide what TensorFlow's C++ prints while it loads, which no log level stops. TF_CPP_MIN_LOG_LEVEL=0 shows all."""
    if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") == "0":
        yield
        return
    sys.stderr.flush()
    stderr = os.dup(2)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


class _Hiding(MetaPathFinder):
    """Hides `UNUSED` from the thread that made it."""

    def __init__(self) -> None:
        self.thread: int | None = threading.get_ident()

    def find_spec(self, name: str, *_: Any) -> None:
        if name in UNUSED and threading.get_ident() == self.thread:
            raise ModuleNotFoundError(f"{name} is hidden while Keras is loaded", name=name)


@contextmanager
def _without_what_is_unused() -> Iterator[None]:
    hiding = _Hiding()
    sys.meta_path.insert(0, hiding)
    try:
        yield
    finally:
        hiding.thread = None  # somebody may have kept the list, to put it back later
        # a new list: to remove it in place would make a thread that is going through the list skip a finder
        sys.meta_path = [finder for finder in sys.meta_path if finder is not hiding]


def load_keras(*, computing: bool = False) -> tuple[ModuleType, ModuleType]:
    """Import Keras and TensorFlow and set them up; return both. Nothing else in the project may import them.

    While it is imported, Keras finds neither scikit-learn nor matplotlib, unless they were imported before. So its
    wrappers for scikit-learn and its image galleries do not work in this process.

    Args:
        computing: whether Keras is to train in this process, on a GPU where TensorFlow sees one; else none is taken.
            The first call decides, unless Keras and TensorFlow were imported before: then nothing is changed.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"  # or a file in the user's home folder could choose another
    with loading:
        if not {"keras", "tensorflow"} <= set(sys.modules):
            with _without_start_up_notes(), _without_what_is_unused():
                importlib.import_module("keras")
                tensorflow = importlib.import_module("tensorflow")
            if not computing:
                with suppress(RuntimeError):  # TensorFlow alone was imported before, and has computed
                    tensorflow.config.set_visible_devices([], "GPU")
    import keras
    import tensorflow as tf

    keras.config.set_floatx("float32")  # that file could set these two as well
    keras.config.set_epsilon(1e-7)
    return keras, tf


def build(params: ModelParams, vocab_size: int, ngram_codes: np.ndarray) -> "keras.Model":
    """Embedding, recurrent layers, pooling, one sigmoid unit, with fresh weights; not compiled.

    Takes int32 (reviews, words) with ids below `vocab_size`, any number of words; gives float32 (reviews, 1), the
    probability that a review is positive. With `mask_padding` recurrence and pooling skip padding; without, padding
    counts like a word, as in the article.

    Args:
        ngram_codes: int64, ascending; the n-grams that have a score, where `params.ngrams` says that there are some.

    Raises:
        UserError: when there is no such cell.
    """
    keras, _ = load_keras()
    cell = cell_named(params.cell)
    ids = keras.Input((None,), dtype="int32", name="ids")
    x = keras.layers.Embedding(vocab_size, params.embedding_dim, mask_zero=params.mask_padding, name="embedding")(ids)
    for number in range(1, params.layers + 1):
        whole = number < params.layers or params.pooling != "last"
        layer = getattr(keras.layers, cell.layer)(
            params.units, return_sequences=whole, name=f"{params.cell}_{number}", **cell.layer_options
        )
        if params.bidirectional:
            layer = keras.layers.Bidirectional(layer, name=layer.name)
        x = layer(x)
    if params.pooling != "last":
        x = _pooled(x, keras.ops.not_equal(ids, PADDING if params.mask_padding else -1), params.pooling)
    if params.dropout:
        x = keras.layers.Dropout(params.dropout, name="dropout")(x)
    if params.ngrams:
        logit = keras.layers.Dense(1, name="logit")(x) + _ngram_scores(ids, params.ngrams, vocab_size, ngram_codes)
        probability = keras.layers.Activation("sigmoid", name="probability")(logit)
    else:
        probability = keras.layers.Dense(1, activation="sigmoid", name="probability")(x)
    return keras.Model(ids, probability, name="sentiment")


def _pooled(states: Any, counts: Any, pooling: str) -> Any:
    """Pool states over the words that count; zero where none does."""
    ops = load_keras()[0].ops
    counts = ops.expand_dims(ops.cast(counts, "float32"), -1)
    words = ops.sum(counts, axis=1)
    # Least float32 where a word does not count, and zero in the place of it where none does.
    highest = ops.max(ops.where(counts > 0, states, np.finfo(np.float32).min), axis=1) * ops.minimum(words, 1)
    mean = ops.sum(states * counts, axis=1) / ops.maximum(words, 1)
    return {"max": highest, "mean": mean, "max+mean": ops.concatenate([highest, mean], axis=-1)}[pooling]


def _ngram_scores(ids: Any, longest: int, vocab_size: int, codes: np.ndarray) -> Any:
    """Sum the scores of each review's distinct n-grams, by Keras' operations alone: (reviews, 1). See `ngrams`."""
    keras, _ = load_keras()
    ops = keras.ops
    ids = ops.cast(ids, "int64")
    of_lengths, code, is_whole = [], ops.zeros_like(ids), ops.ones_like(ids, dtype="bool")
    for back in range(longest):
        # Place i has the n-grams that end at i. Ids are shifted in; before a review stands padding, as in it.
        word = ops.pad(ids, [(0, 0), (back, 0)])[:, :-back] if back else ids
        is_whole = ops.logical_and(is_whole, ops.not_equal(word, PADDING))
        code = code + vocab_size**back * word
        of_lengths.append(ops.where(is_whole, code, -1))
    places = keras.layers.IntegerLookup(vocabulary=codes, name="ngram_codes")(ops.concatenate(of_lengths, axis=1))
    places = ops.sort(places, axis=1)
    before = ops.pad(places, [(0, 0), (1, 0)])[:, :-1]
    counts = ops.expand_dims(ops.cast(ops.not_equal(places, before), "float32"), -1)  # place 0 is of unknown ones
    scores = keras.layers.Embedding(len(codes) + 1, 1, embeddings_initializer="zeros", name="ngram_scores")(places)
    return ops.sum(scores * counts, axis=1)


def variables(model: "keras.Model", params: ModelParams) -> list[Any]:
    """The trained variables, in the order of `weights.named`, without n-grams."""
    layers = ["embedding", *(f"{params.cell}_{number}" for number in range(1, params.layers + 1))]
    layers += ["logit" if params.ngrams else "probability"]
    return [variable for name in layers for variable in model.get_layer(name).trainable_variables]


def weights_of(variables: list[Any], params: ModelParams) -> Weights:
    """The values of variables as `variables` lists them."""
    *names, _ = Layout(params, 1, 0).matrices
    arrays = {name: variable.numpy() for name, variable in zip(names, variables, strict=True)}
    return from_named(arrays | {"ngrams": np.empty(0, np.float32)})


def save(network: Network, path: Path) -> None:
    """Write a network as a `.keras` file whose bytes depend on nothing but the network; `model_file.load` reads it.

    It is what Keras saves of such a network, with the weights filled in, and with members of which Keras knows nothing.
    """
    kept = TEMPLATES / f"{_kind(network)}.keras"
    with files.replacing(path) as new:
        try:
            members = model_file.filled(_read(kept), network)
            with suppress(OSError):
                os.utime(kept)  # those that were used last are kept
        except Exception:  # it is not there, or damaged
            template = _template(network, new.parent)
            with suppress(OSError):  # it cannot be kept: Keras is asked every time
                _keep(template, kept)
            members = model_file.filled(template, network)
        _write(members, new, zipfile.ZIP_STORED)


def _kind(network: Network) -> str:
    """A fingerprint of all that a template depends on."""
    params, cell = network.params, cell_named(network.params.cell)
    of_network = params.model_dump(), cell.layer, dict(cell.layer_options), network.encoding.vocab_size
    of_code = version("keras"), h5py.version.version_tuple, h5py.version.hdf5_version_tuple, CODE
    digest = hashlib.sha256(repr((of_network, of_code)).encode())
    digest.update(network.ngram_codes.tobytes())
    return digest.hexdigest()[:20]


def _template(network: Network, folder: Path) -> dict[str, bytes]:
    """The members of the archive that Keras makes of such a network, all weights zero, by way of a file in `folder`.

    Keras puts the date into it, addresses and names that it counts; DVC would take every saving for a change. In their
    places stand a fixed date, and what `_counted_anew` says.
    """
    keras, _ = load_keras()
    model = build(network.params, network.encoding.vocab_size, network.ngram_codes)
    for variable in model.weights:
        variable.assign(np.zeros(variable.shape))
    model.save(folder / "dated.keras")
    members = _read(folder / "dated.keras")
    metadata = f'{{"keras_version": "{keras.__version__}", "date_saved": "{FIXED_DATE}"}}'
    return members | {
        "metadata.json": metadata.encode(),
        "config.json": _counted_anew(members["config.json"].decode(), model).encode(),
    }


def _keep(template: dict[str, bytes], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(f".{os.getpid()}")
    try:
        _write(template, new, zipfile.ZIP_DEFLATED)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    for old in sorted(path.parent.iterdir(), key=os.path.getmtime)[:-KEPT_TEMPLATES]:
        old.unlink(missing_ok=True)


def _read(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in sorted(archive.namelist())}


def _write(members: dict[str, bytes], path: Path, compression: int) -> None:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, compression)


def _counted_anew(config: str, model: "keras.Model") -> str:
    """Keras' configuration without memory addresses and names that depend on what else the process has done.

    Keras tells by addresses which objects are shared; they are numbered in order of appearance instead. Operations that
    are no layers have names that Keras counts on from those of earlier networks; they are counted from 0 here.
    """
    keras, _ = load_keras()
    addresses = dict.fromkeys(re.findall(r'"shared_object_id": (\d+)', config))
    numbers = {address: number for number, address in enumerate(addresses)}
    config = re.sub(r'("shared_object_id": )(\d+)', lambda match: f"{match[1]}{numbers[match[2]]}", config)
    operations = [operation.name for operation in model.operations if not isinstance(operation, keras.Layer)]
    names = {name: f"operation_{number}" for number, name in enumerate(operations)}
    named = r'("name": "|"keras_history": \[")(\w+)"'
    return re.sub(named, lambda match: f'{match[1]}{names.get(match[2], match[2])}"', config)
