"""The network of the article, and the file that keeps it. The only module that imports TensorFlow."""

import os
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from stages import files
from stages.batches import Words, longest_first
from stages.errors import UserError, holding_interrupts
from stages.params import ModelParams, TrainParams
from stages.recurrence import last_states, last_states_and_gradients


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
# With more threads sums would be cut up by the number of CPUs, and the last bits of the weights with them.
tf.config.threading.set_intra_op_parallelism_threads(1)

CELLS = {"simple_rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}

PREDICTION_BATCH = 500  # reviews
FIXED_DATE = "1980-01-01@00:00:00"


def build(params: ModelParams, vocab_size: int) -> keras.Model:
    """Embedding, recurrent layer, one sigmoid unit, with fresh weights; not compiled.

    Takes int32 (reviews, words) with ids below `vocab_size`, any number of words; gives float32 (reviews, 1), the
    probability that a review is positive. With `mask_padding` the recurrence skips padding; without, padding runs
    through it like a word, as in the article.
    """
    return keras.Sequential(
        [
            keras.Input((None,), dtype="int32", name="ids"),
            keras.layers.Embedding(vocab_size, params.embedding_dim, mask_zero=params.mask_padding, name="embedding"),
            CELLS[params.cell](params.units, name=params.cell),
            keras.layers.Dense(1, activation="sigmoid", name="probability"),
        ],
        name="sentiment",
    )


def masks_padding(model: keras.Model) -> bool:
    """Tell whether padding is kept from the recurrence."""
    return model.get_layer("embedding").mask_zero


def check_ids(model: keras.Model, words: Words) -> None:
    """Raise a `UserError` if a review holds an id that the network has no vector for; the recurrence does not look."""
    known, largest = model.get_layer("embedding").input_dim, words.tokens.max(initial=0)
    if largest >= known:
        raise UserError(f"the network knows the ids below {known}, the reviews hold {largest}; run `dvc repro`")


def _before_recurrence(model: keras.Model) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """What the recurrence needs of a network: the table of what each word adds, recurrent kernel and recurrent bias.

    Only a GRU has a recurrent bias; the others' is empty.
    """
    embedding, recurrent, _ = model.layers
    cell = recurrent.cell
    bias, recurrent_bias = tf.unstack(cell.bias) if recurrent.name == "gru" else (cell.bias, tf.zeros(0))
    return embedding.embeddings @ cell.kernel + bias, tf.identity(cell.recurrent_kernel), recurrent_bias


def training_step(model: keras.Model, params: TrainParams) -> Callable[[Words, np.ndarray], tuple[float, int]]:
    """Return a function that trains `model` on one batch, with Adam and binary cross-entropy.

    It takes a batch, longest review first, and y, float32 (reviews,), and gives the mean loss and the number of reviews
    that the network, before this step, put on the right side. The recurrence is `recurrence`'s; what lies before and
    behind it has few shapes (a last, smaller batch is the second), so that XLA has little to compile.
    """
    _, layer, head = model.layers
    weights = model.trainable_variables
    optimizer = keras.optimizers.Adam(params.learning_rate, global_clipnorm=params.clipnorm)
    optimizer.build(weights)

    @tf.function(jit_compile=True)
    def read_weights() -> tuple:
        return _before_recurrence(model)

    @tf.function(jit_compile=True)
    def judge(last: tf.Tensor, y: tf.Tensor) -> tuple:
        with tf.GradientTape() as tape:
            tape.watch(last)
            probability = head(last)[:, 0]
            loss = keras.ops.mean(keras.losses.binary_crossentropy(y, probability))
        right = tf.math.count_nonzero((probability > 0.5) == (y > 0.5))
        return loss, right, tape.gradient(loss, [last, *head.trainable_variables])

    @tf.function(jit_compile=True)
    def update(recurrence_gradients: tuple, head_gradients: list) -> tuple:
        with tf.GradientTape() as tape:
            read = _before_recurrence(model)
        gradients = tape.gradient(read, weights[: -len(head_gradients)], output_gradients=recurrence_gradients)
        optimizer.apply([*gradients, *head_gradients], weights)
        return _before_recurrence(model)

    read = read_weights()

    def step(words: Words, y: np.ndarray) -> tuple[float, int]:
        nonlocal read
        last, gradients = last_states_and_gradients(layer.name, *(array.numpy() for array in read), words)
        loss, right, (dlast, *head_gradients) = judge(tf.constant(last), tf.constant(y))
        read = update(tuple(map(tf.constant, gradients(dlast.numpy()))), head_gradients)
        return float(loss), int(right)

    return step


def predict(model: keras.Model, words: Words) -> np.ndarray:
    """Give the probability of a positive review for each review of `words`: float64 (reviews,).

    Raises:
        UserError: as `check_ids` does.
    """
    check_ids(model, words)
    _, layer, head = model.layers
    weights = [array.numpy() for array in _before_recurrence(model)]
    probability = np.empty(len(words.lengths))
    order = np.argsort(-words.lengths, kind="stable")
    with holding_interrupts() as check_interrupt:
        for i in range(0, len(order), PREDICTION_BATCH):
            batch, rows = longest_first(words, order[i : i + PREDICTION_BATCH])
            probability[rows] = head(last_states(layer.name, *weights, batch)).numpy()[:, 0]
            check_interrupt()
    return probability


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
        model = keras.models.load_model(path, compile=False, safe_mode=True)
        names = [layer.name for layer in model.layers]
        if names not in [["embedding", cell, "probability"] for cell in CELLS]:
            raise ValueError(f"it has the layers {', '.join(names)}")
        return model
    except Exception as error:  # zip, JSON, HDF5 and Keras each fail in ways of their own
        raise files.damaged(path, "train", error) from error
