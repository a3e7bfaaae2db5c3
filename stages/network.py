"""The networks, and the file that keeps one. The only module that imports TensorFlow."""

import os
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from stages import files, ngrams, recurrence
from stages.batches import Words, longest_first, pad_again
from stages.errors import UserError, holding_interrupts
from stages.params import ModelParams, PadParams, TrainParams
from stages.vocabulary import PADDING


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


@dataclass(frozen=True)
class Cell:
    """A cell as Keras' layer, of which the saved network is made, and as the recurrence that computes it here.

    layer: makes the layer; its weights must be kernel, recurrent kernel and bias, in this order
    recurrence: made by `recurrence.cell` of the two functions of a step
    """

    layer: Callable[..., keras.Layer]
    recurrence: recurrence.Cell


CELLS = {
    "simple_rnn": Cell(keras.layers.SimpleRNN, recurrence.SIMPLE_RNN),
    "lstm": Cell(keras.layers.LSTM, recurrence.LSTM),
    "gru": Cell(keras.layers.GRU, recurrence.GRU),
}
OPTIMIZERS = {
    "adam": keras.optimizers.Adam,
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": partial(keras.optimizers.SGD, momentum=0.9),
}

PREDICTION_BATCH = 256  # reviews; many words of many reviews take much memory
FIXED_DATE = "1980-01-01@00:00:00"
NGRAM_WEIGHT = 0.02  # of every n-gram, before it is learnt: naive Bayes, toned down to the scale of the other logits
PARAMS_MEMBER = "params.json"


def check_cell(name: str) -> None:
    """Raise a `UserError` if there is no such cell."""
    if name not in CELLS:
        *others, last = map(repr, CELLS)
        raise UserError(f"model.cell is {name!r}, it should be {', '.join(others)} or {last}")


def build(params: ModelParams, vocab_size: int, ngram_codes: np.ndarray | None = None) -> keras.Model:
    """Embedding, recurrent layers, pooling, one sigmoid unit, with fresh weights; not compiled.

    Takes int32 (reviews, words) with ids below `vocab_size`, any number of words; gives float32 (reviews, 1), the
    probability that a review is positive. With `mask_padding` recurrence and pooling skip padding; without, padding
    counts like a word, as in the article.

    Args:
        ngram_codes: int64, ascending; the n-grams that have a score, where `params.ngrams` says that there are some.

    Raises:
        UserError: when there is no such cell.
    """
    check_cell(params.cell)
    ids = keras.Input((None,), dtype="int32", name="ids")
    x = keras.layers.Embedding(vocab_size, params.embedding_dim, mask_zero=params.mask_padding, name="embedding")(ids)
    for number in range(1, params.layers + 1):
        whole = number < params.layers or params.pooling != "last"
        layer = CELLS[params.cell].layer(params.units, return_sequences=whole, name=f"{params.cell}_{number}")
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


def _pooled(states, counts, pooling: str):
    """Pool states over the words that count; zero where none does."""
    ops = keras.ops
    counts = ops.expand_dims(ops.cast(counts, "float32"), -1)
    words = ops.sum(counts, axis=1)
    # Least float32 where a word does not count, and zero in the place of it where none does.
    highest = ops.max(ops.where(counts > 0, states, np.finfo(np.float32).min), axis=1) * ops.minimum(words, 1)
    mean = ops.sum(states * counts, axis=1) / ops.maximum(words, 1)
    return {"max": highest, "mean": mean, "max+mean": ops.concatenate([highest, mean], axis=-1)}[pooling]


def _ngram_scores(ids, longest: int, vocab_size: int, known: np.ndarray):
    """Sum the scores of each review's distinct n-grams, by Keras' operations alone: (reviews, 1). See `ngrams`."""
    ops = keras.ops
    ids = ops.cast(ids, "int64")
    codes, code, is_whole = [], ops.zeros_like(ids), ops.ones_like(ids, dtype="bool")
    for back in range(longest):
        # Place i has the n-grams that end at i. Ids are shifted in; before a review stands padding, as in it.
        word = ops.pad(ids, [(0, 0), (back, 0)])[:, :-back] if back else ids
        is_whole = ops.logical_and(is_whole, ops.not_equal(word, PADDING))
        code = code + vocab_size**back * word
        codes.append(ops.where(is_whole, code, -1))
    places = keras.layers.IntegerLookup(vocabulary=known, name="ngram_codes")(ops.concatenate(codes, axis=1))
    places = ops.sort(places, axis=1)
    before = ops.pad(places, [(0, 0), (1, 0)])[:, :-1]
    counts = ops.expand_dims(ops.cast(ops.not_equal(places, before), "float32"), -1)  # place 0 is of unknown ones
    scores = keras.layers.Embedding(len(known) + 1, 1, embeddings_initializer="zeros", name="ngram_scores")(places)
    return ops.sum(scores * counts, axis=1)


def _variables(model: keras.Model, params: ModelParams) -> list[keras.Variable]:
    """The trained weights: word vectors, those of each direction of each layer, those of the head, n-gram scores."""
    layers = ["embedding", *(f"{params.cell}_{number}" for number in range(1, params.layers + 1))]
    layers += ["logit", "ngram_scores"] if params.ngrams else ["probability"]
    return [variable for name in layers for variable in model.get_layer(name).trainable_variables]


def _by_layer(arrays: list[np.ndarray], params: ModelParams) -> list[list[recurrence.Weights]]:
    """Sort the weights of the recurrent layers by layer and direction."""
    directions = [recurrence.Weights(*arrays[i : i + 3]) for i in range(0, len(arrays), 3)]
    ways = 2 if params.bidirectional else 1
    return [directions[i : i + ways] for i in range(0, len(directions), ways)]


def ngram_codes(model: keras.Model) -> np.ndarray:
    """The n-grams that have a score, int64, ascending: that of code i stands in row i + 1 of the scores."""
    return np.array(model.get_layer("ngram_codes").get_vocabulary()[1:], np.int64)


def check_ids(model: keras.Model, words: Words) -> None:
    """Raise a `UserError` if a review holds an id that the network has no vector for; the recurrence does not look."""
    known, largest = model.get_layer("embedding").input_dim, words.tokens.max(initial=0)
    if largest >= known:
        raise UserError(f"the network knows the ids below {known}, the reviews hold {largest}; run `dvc repro`")


def training_step(
    model: keras.Model, model_params: ModelParams, params: TrainParams, steps: int, ratio: np.ndarray | None
) -> tuple[Callable[[Words, np.ndarray, np.random.Generator], tuple[float, int]], list[keras.Variable]]:
    """Return a function that trains `model` on one batch, with binary cross-entropy, and all that it changes.

    The function takes a batch, longest review first, y, float32 (reviews,), and what dropout draws from, and gives the
    mean loss and the number of reviews that the network, before this step and with dropout, put on the right side. With
    weight averaging the model holds the average; in the first steps t its decay is (1 + t) / (10 + t), if that is
    smaller, so that the weights before training are soon forgotten (as in TensorFlow's `ExponentialMovingAverage`).

    Args:
        steps: how many there will be, for the schedule.
        ratio: float32 (n-grams,), the log-count ratios of the n-grams, where the network has scores for them. A score
            is the product of the ratio and a weight, and the weight is what is learnt.
    """
    cell, longest = CELLS[model_params.cell].recurrence, model_params.ngrams
    vocab_size = model.get_layer("embedding").input_dim
    variables, decay = _variables(model, model_params), params.weight_averaging
    # What is learnt is the model's own variables, unless these hold the average, or the product with the ratio.
    weights = [keras.Variable(variable) for variable in variables] if decay else list(variables)
    if longest:
        known, ratio = ngram_codes(model), np.append(np.float32(0), ratio)[:, None]  # row 0 is of unknown n-grams
        weights[-1] = keras.Variable(np.full_like(ratio, NGRAM_WEIGHT))
        variables[-1].assign(ratio * NGRAM_WEIGHT)
    head = weights[-3:-1] if longest else weights[-2:]
    recurrent = weights[: -len(head) - bool(longest)]
    rate = {
        "constant": params.learning_rate,
        "linear": keras.optimizers.schedules.PolynomialDecay(params.learning_rate, steps, end_learning_rate=0.0),
        "cosine": keras.optimizers.schedules.CosineDecay(params.learning_rate, steps),
    }[params.schedule]
    optimizer = OPTIMIZERS[params.optimizer](rate, global_clipnorm=params.clipnorm)
    optimizer.build(weights)

    @tf.function(jit_compile=True)
    def judge(features: tf.Tensor, score: tf.Tensor, y: tf.Tensor) -> tuple:
        kernel, bias = (weight.value for weight in head)
        with tf.GradientTape() as tape:
            tape.watch([features, score, kernel, bias])
            probability = keras.ops.sigmoid((features @ kernel + bias)[:, 0] + score)
            loss = keras.ops.mean(keras.losses.binary_crossentropy(y, probability))
        right = tf.math.count_nonzero((probability > 0.5) == (y > 0.5))
        return loss, right, tape.gradient(loss, [features, score, kernel, bias])

    @tf.function(jit_compile=True)
    def update(gradients: list) -> None:
        optimizer.apply(gradients, weights)
        t = tf.cast(optimizer.iterations.value, tf.float32)
        kept = tf.minimum(decay, (1 + t) / (10 + t)) if decay else 0.0
        for variable, weight in zip(variables, weights, strict=True):
            if weight is not variable:
                value = ratio * weight.value if longest and variable is variables[-1] else weight.value
                variable.assign(kept * variable.value + (1 - kept) * value)

    def step(words: Words, y: np.ndarray, random: np.random.Generator) -> tuple[float, int]:
        vectors, *layers = (weight.numpy() for weight in recurrent)
        seen = dropout_mask(random, (len(vectors), 1), model_params.embedding_dropout)
        features, recurrent_gradients = recurrence.pooled_states_and_gradients(
            cell, vectors * seen, _by_layer(layers, model_params), model_params.pooling, words
        )
        used = dropout_mask(random, features.shape, model_params.dropout)
        score = np.zeros(len(y), np.float32)
        if longest:
            found = ngrams.look_up(ngrams.codes_of(words, longest, vocab_size), known)
            score = ngrams.add_up((weights[-1].numpy() * ratio)[1:, 0], found)
        loss, right, (dfeatures, dscore, *dhead) = judge(*map(tf.constant, (features * used, score, y)))
        dvectors, dlayers = recurrent_gradients(dfeatures.numpy() * used)
        gradients = [dvectors * seen, *(array for layer in dlayers for direction in layer for array in direction)]
        gradients = [*map(tf.constant, gradients), *dhead]
        if longest:
            dscores = ngrams.add_up_back(dscore.numpy(), found, len(known))
            gradients.append(tf.constant(np.append(np.float32(0), dscores)[:, None] * ratio))
        update(gradients)
        return float(loss), int(right)

    # With weights that are not the model's own these are variables of their own.
    learnt = [weight for weight, variable in zip(weights, variables, strict=True) if weight is not variable]
    return step, [*variables, *learnt, *optimizer.variables]


def dropout_mask(random: np.random.Generator, shape: tuple[int, ...], rate: float) -> np.ndarray | np.float32:
    """What dropout multiplies by: 0 in a share `rate` of the places, and in the others 1 / (1 - rate).

    With these factors the mean stays (Srivastava et al., Dropout, 2014); for words they are one a row of the vectors
    (Gal and Ghahramani, A Theoretically Grounded Application of Dropout in Recurrent Neural Networks, 2016).
    """
    if rate == 0:
        return np.float32(1)
    return (random.random(shape, np.float32) >= rate) / np.float32(1 - rate)


class Weights(NamedTuple):
    """What a network has learnt, as the recurrence reads it.

    vectors: float32 (vocabulary, embedding_dim)
    layers: for each layer its direction forwards and, if it is bidirectional, the one backwards
    kernel, bias: of the head, float32 (features, 1) and (1,)
    ngram_codes, ngram_scores: int64 and float32 (n-grams,), both empty without n-grams
    """

    vectors: np.ndarray
    layers: list[list[recurrence.Weights]]
    kernel: np.ndarray
    bias: np.ndarray
    ngram_codes: np.ndarray
    ngram_scores: np.ndarray


def weights_of(model: keras.Model, params: ModelParams) -> Weights:
    """Take the weights out of a network."""
    values = [variable.numpy() for variable in _variables(model, params)]
    codes, scores = np.empty(0, np.int64), np.empty(0, np.float32)
    if params.ngrams:
        codes, scores = ngram_codes(model), values.pop()[1:, 0]
    vectors, *layers, kernel, bias = values
    return Weights(vectors, _by_layer(layers, params), kernel, bias, codes, scores)


def _probability(weights: Weights, params: ModelParams, features: np.ndarray, batch: Words) -> np.ndarray:
    logit = (features @ weights.kernel + weights.bias)[:, 0]
    if params.ngrams:
        codes = ngrams.codes_of(batch, params.ngrams, len(weights.vectors))
        logit += ngrams.add_up(weights.ngram_scores, ngrams.look_up(codes, weights.ngram_codes))
    return expit(logit)


def predict(model: keras.Model, params: ModelParams, words: Words) -> np.ndarray:
    """Give the probability of a positive review for each review of `words`: float64 (reviews,).

    Raises:
        UserError: as `check_ids` does.
    """
    check_ids(model, words)
    cell, weights = CELLS[params.cell].recurrence, weights_of(model, params)
    probability = np.empty(len(words.lengths))
    order = np.argsort(-words.lengths, kind="stable")
    with holding_interrupts() as check_interrupt:
        for i in range(0, len(order), PREDICTION_BATCH):
            batch, rows = longest_first(words, order[i : i + PREDICTION_BATCH])
            features = recurrence.pooled_states(cell, weights.vectors, weights.layers, params.pooling, batch)
            probability[rows] = _probability(weights, params, features, batch)
            check_interrupt()
    return probability


def reader(model: keras.Model, params: ModelParams, pad_params: PadParams) -> Callable[[Words], np.ndarray]:
    """`predict` as a function of reviews without padding, which they get again if the network reads it."""

    def read(words: Words) -> np.ndarray:
        if not params.mask_padding:
            words = pad_again(words, pad_params.maxlen, pad_params.padding)
        return predict(model, params, words)

    return read


def gradient_norms(model: keras.Model, params: ModelParams, words: Words) -> list[np.ndarray]:
    """Give for each review the length of the gradient of its probability by the vector of each of its tokens.

    Each occurrence of a token counts by itself. The n-grams' scores have no vectors, so no part in the gradient.

    Returns:
        For each review float32 (tokens,), Euclidean norms.

    Raises:
        UserError: as `check_ids` does.
    """
    check_ids(model, words)
    cell, weights = CELLS[params.cell].recurrence, weights_of(model, params)
    norms = [np.empty(0, np.float32)] * len(words.lengths)
    order = np.argsort(-words.lengths, kind="stable")
    for i in range(0, len(order), PREDICTION_BATCH):
        batch, rows = longest_first(words, order[i : i + PREDICTION_BATCH])
        ends = np.cumsum(batch.lengths)
        places = np.repeat(batch.starts - ends + batch.lengths, batch.lengths) + np.arange(ends[-1])
        # A vector for each occurrence, so that each has a gradient of its own
        occurrences = Words(np.arange(ends[-1], dtype=np.int32), ends - batch.lengths, batch.lengths)
        features, back = recurrence.pooled_states_and_gradients(
            cell, weights.vectors[batch.tokens[places]], weights.layers, params.pooling, occurrences
        )
        probability = _probability(weights, params, features, batch).astype(np.float32)
        dvectors, _ = back((probability * (1 - probability))[:, None] * weights.kernel[:, 0])
        for row, review in zip(rows, np.split(np.linalg.norm(dvectors, axis=1), ends[:-1]), strict=True):
            norms[row] = review
    return norms


def save(model: keras.Model, params: ModelParams, path: Path) -> None:
    """Write `model` as a `.keras` file whose bytes depend on nothing but the model, with its parameters inside.

    Keras puts the date into its archive (in the members' time stamps and in `metadata.json`) and memory addresses into
    `config.json`, to tell which objects are shared; DVC would take every saving for a change. The archive is written
    again with a fixed date, and with the shared objects numbered in order of appearance. Keras does not look at
    `params.json`, the member that is added.
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
            target.writestr(zipfile.ZipInfo(PARAMS_MEMBER), params.model_dump_json())


def _operations(model: keras.Model) -> list[tuple[str, str | None]]:
    """The kind of each operation in a network, and the name where it is one of a layer."""
    return [
        (type(operation).__name__, operation.name if isinstance(operation, keras.Layer) else None)
        for operation in model.operations
    ]


def load(path: Path) -> tuple[keras.Model, ModelParams]:
    """Read the trained network and its parameters. Raises `UserError` when the file is missing or is not one."""
    files.require(path, "train")
    try:
        with zipfile.ZipFile(path) as archive:
            if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
                raise ValueError("it is compressed")  # `save` never does, so that no file is larger than it looks
            params = ModelParams.model_validate_json(archive.read(PARAMS_MEMBER))
        model = keras.models.load_model(path, compile=False, safe_mode=True)
        expected = build(params, model.get_layer("embedding").input_dim, ngram_codes(model) if params.ngrams else None)
        for part in (_operations, lambda network: [weights.shape for weights in network.weights]):
            if part(model) != part(expected):
                raise ValueError("it is another network than its parameters say")
        return model, params
    except Exception as error:  # zip, JSON, HDF5 and Keras each fail in ways of their own
        if isinstance(error, OSError) and error.errno:  # Keras unpacks into the folder for temporary files
            reason = f"{error.strerror}; free space on the disk and in {tempfile.gettempdir()}, then run again"
            raise UserError(f"{path} cannot be opened: {reason}") from error
        raise files.damaged(path, "train", error) from error
