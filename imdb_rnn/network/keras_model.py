"""The network as a Keras model: its graph, its first weights, and the file that keeps it.

The only module that imports TensorFlow, and it does so when Keras is first needed.
"""

import os
import re
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from imdb_rnn.base import files
from imdb_rnn.base.params import ModelParams
from imdb_rnn.network import model_file
from imdb_rnn.network.cells import cell_named
from imdb_rnn.network.model import Network
from imdb_rnn.reviews.vocabulary import PADDING

if TYPE_CHECKING:
    import keras

FIXED_DATE = "1980-01-01@00:00:00"
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


def load_keras(*, computing: bool = False) -> tuple[ModuleType, ModuleType]:
    """Import Keras and TensorFlow and set them up; return both. Nothing else in the project may import them.

    Args:
        computing: whether Keras is to train, on a GPU where TensorFlow sees one; else none is taken.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"  # or a file in the user's home folder could choose another
    with _without_start_up_notes():
        import keras
        import tensorflow as tf
    keras.config.set_floatx("float32")  # that file could set these two as well
    keras.config.set_epsilon(1e-7)
    if not computing:
        with suppress(RuntimeError):  # Keras has trained in this process, so the devices are chosen
            tf.config.set_visible_devices([], "GPU")
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
    """The trained variables, in the order of `weights.Layout`, but for the scores of n-grams."""
    layers = ["embedding", *(f"{params.cell}_{number}" for number in range(1, params.layers + 1))]
    layers += ["logit" if params.ngrams else "probability"]
    return [variable for name in layers for variable in model.get_layer(name).trainable_variables]


def as_keras(network: Network) -> "keras.Model":
    """The network as a Keras model, with its weights."""
    model = build(network.params, network.encoding.vocab_size, network.ngram_codes)
    for variable, array in zip(variables(model, network.params), network.weights, strict=True):
        variable.assign(array)
    if network.params.ngrams:
        scores = np.append(np.float32(0), network.ngram_scores)[:, None]  # row 0 is of unknown n-grams
        model.get_layer("ngram_scores").embeddings.assign(scores)
    return model


def save(network: Network, path: Path) -> None:
    """Write a network as a `.keras` file whose bytes depend on nothing but the network; `model_file.load` reads it.

    Keras puts the date into its archive (in the members' time stamps and in `metadata.json`); DVC would take every
    saving for a change. The archive is written again with a fixed date, and with `_counted_anew`. Keras does not look
    at the members that are added.
    """
    keras, _ = load_keras()
    model = as_keras(network)
    with files.replacing(path) as new:
        dated = new.with_name("dated.keras")
        model.save(dated)
        with zipfile.ZipFile(dated) as source, zipfile.ZipFile(new, "w", zipfile.ZIP_STORED) as target:
            for name in sorted(source.namelist()):
                content = source.read(name)
                if name == "metadata.json":
                    content = f'{{"keras_version": "{keras.__version__}", "date_saved": "{FIXED_DATE}"}}'.encode()
                elif name == "config.json":
                    content = _counted_anew(content.decode(), model).encode()
                target.writestr(zipfile.ZipInfo(name), content)
            for name, content in model_file.members(network).items():
                target.writestr(zipfile.ZipInfo(name), content)


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
