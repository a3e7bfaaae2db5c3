"""The network of the article, and the file that keeps it. The only module that imports TensorFlow."""

import os
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from stages import files
from stages.errors import holding_interrupts
from stages.params import ModelParams


@contextmanager
def _without_start_up_notes() -> Iterator[None]:
    """Hide what TensorFlow's C++ prints while it loads, which no log level stops. TF_CPP_MIN_LOG_LEVEL=0 shows all."""
    if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") == "0":
        yield
        return
    stderr = os.dup(2)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


os.environ["KERAS_BACKEND"] = "tensorflow"  # or a file in the user's home folder could choose another
with _without_start_up_notes():
    import keras
    import tensorflow as tf

keras.config.set_floatx("float32")  # that file could set these two as well
keras.config.set_epsilon(1e-7)
tf.config.set_visible_devices([], "GPU")  # sums on a GPU differ from run to run; networks this small gain little there

CELLS = {"simple_rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}

PREDICTION_BATCH = 500  # reviews
FIXED_DATE = "1980-01-01@00:00:00"


def build(params: ModelParams, vocab_size: int) -> keras.Model:
    """Embedding, recurrent layer, one sigmoid unit, with fresh weights; not compiled.

    Takes int32 (reviews, words) with ids below `vocab_size`, any number of words; gives float32 (reviews, 1), the
    probability that a review is positive. Padding runs through the recurrence like a word, as in the article.
    """
    return keras.Sequential(
        [
            keras.Input((None,), dtype="int32", name="ids"),
            keras.layers.Embedding(vocab_size, params.embedding_dim, name="embedding"),
            CELLS[params.cell](params.units, name=params.cell),
            keras.layers.Dense(1, activation="sigmoid", name="probability"),
        ],
        name="sentiment",
    )


def predict(model: keras.Model, x: np.ndarray) -> np.ndarray:
    """Give the probability of a positive review for each row of x: int (reviews, words) to float64 (reviews,)."""
    forward = tf.function(lambda ids: model(ids, training=False), jit_compile=True, reduce_retracing=True)
    batches = []
    with holding_interrupts() as check_interrupt:
        for i in range(0, len(x), PREDICTION_BATCH):
            batches.append(forward(tf.constant(x[i : i + PREDICTION_BATCH])).numpy()[:, 0])
            check_interrupt()
    return np.concatenate(batches).astype(np.float64)


def save(model: keras.Model, path: Path) -> None:
    """Write `model` as a `.keras` file whose bytes depend on nothing but the model.

    Keras puts the date into its archive (in the members' time stamps and in `metadata.json`) and memory addresses into
    `config.json`, to tell which objects are shared; DVC would take every saving for a change. The archive is written
    again with a fixed date, and with the shared objects numbered in order of appearance.
    """
    numbers = {}

    def number(match: re.Match) -> bytes:
        return b'"shared_object_id": %d' % numbers.setdefault(match[1], len(numbers))

    with files.replacing(path) as new:
        dated = new.with_name("dated.keras")
        model.save(dated)
        with zipfile.ZipFile(dated) as source, zipfile.ZipFile(new, "w", zipfile.ZIP_STORED) as target:
            for name in sorted(source.namelist()):
                content = source.read(name)
                if name == "metadata.json":
                    content = f'{{"keras_version": "{keras.__version__}", "date_saved": "{FIXED_DATE}"}}'.encode()
                elif name == "config.json":
                    content = re.sub(rb'"shared_object_id": (\d+)', number, content)
                target.writestr(zipfile.ZipInfo(name), content)


def load(path: Path) -> keras.Model:
    """Read the trained network. Raises `UserError` when the file is missing or is not such a network."""
    files.require(path, "train")
    try:
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # zip, JSON, HDF5 and Keras each fail in ways of their own
        raise files.damaged(path, "train", error) from error
