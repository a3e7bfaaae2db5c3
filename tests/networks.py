"""Networks of every kind, the ids that they read, and what the engine, its reference and Keras compute of both."""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
from material import model_params

from imdb_rnn import keras_model
from imdb_rnn.engine import reference
from imdb_rnn.engine.engine import Engine, Masks
from imdb_rnn.engine.kernels.arithmetic import cross_entropy
from imdb_rnn.engine.layout import Layout
from imdb_rnn.engine.ragged import Ragged, from_lengths
from imdb_rnn.engine.reference import Review
from imdb_rnn.engine.weights import Weights, from_named, named
from imdb_rnn.export.keras_file import as_keras
from imdb_rnn.model import Model, as_read
from imdb_rnn.text.encode import pad

CELLS = ("simple_rnn", "lstm", "gru")
VOCAB_SIZE = 20

# One of each part that a network can have, and all of them together.
NETWORKS = {
    **{cell: model_params(cell=cell) for cell in CELLS},
    "three layers": model_params(cell="gru", layers=3),
    "bidirectional": model_params(cell="lstm", bidirectional=True),
    "max": model_params(pooling="max"),
    "mean": model_params(cell="gru", pooling="mean"),
    "dropout": model_params(word_dropout=0.5, dropout=0.5),
    "pairs": model_params(cell="gru", ngrams=2),
    "everything": model_params(
        cell="gru", layers=2, bidirectional=True, pooling="max+mean", ngrams=3, word_dropout=0.2, dropout=0.2
    ),
}

ALL_AT_ONCE = {
    "layers": 3,
    "bidirectional": True,
    "embedding_dim": 33,
    "units": 17,
    "pooling": "max+mean",
    "ngrams": 3,
    "word_dropout": 0.5,
    "dropout": 0.5,
}  # with widths that fill no whole vectors


def arrays_of(weights: Weights) -> list[np.ndarray]:
    """The arrays of weights in the order of `named`, n-grams last."""
    return list(named(weights).values())


def changed(weights: Weights, change: Callable[[np.ndarray], np.ndarray]) -> Weights:
    """Weights with each array replaced by what `change` makes of it."""
    return from_named({name: change(array) for name, array in named(weights).items()})


def ragged(*rows: list[int] | np.ndarray) -> Ragged:
    """Reviews without padding."""
    flat = np.concatenate([np.asarray(row, np.int32) for row in rows])
    return from_lengths(flat, np.array([len(row) for row in rows]))


def rows_of(rows: Ragged) -> list[list]:
    """The values of each row."""
    return [rows[row].tolist() for row in range(len(rows))]


def reviews_of(vocab_size: int, count: int, longest: int) -> Ragged:
    """Reviews of all lengths from 0 to `longest`, in no order; each word occurs once before any does a second time."""
    random = np.random.default_rng(2)
    lengths = random.permutation(np.arange(count) % (longest + 1))
    words = random.permutation(np.arange(lengths.sum()) % (vocab_size - 1) + 1)
    return ragged(*np.split(words, np.cumsum(lengths)[:-1]))


class Drawn(NamedTuple):
    """What chance decides of a step of training, besides the weights.

    y: float32 (reviews,), classes
    seen, hidden: what dropout multiplies vectors and features by, (vocabulary,) and (reviews, features)
    """

    y: np.ndarray
    seen: np.ndarray
    hidden: np.ndarray


def draw(network: Model, reviews: int, seed: int = 1) -> Drawn:
    """Labels, and what dropout hides, half of everything, where the network has dropout."""
    random, params = np.random.default_rng(seed), network.params
    seen, hidden = np.ones(network.encoding.vocab_size), np.ones((reviews, len(network.weights.head_kernel)))
    if params.word_dropout:
        seen = 2 * random.integers(0, 2, seen.shape)
    if params.dropout:
        hidden = 2 * random.integers(0, 2, hidden.shape)
    y = random.integers(0, len(network.labels), reviews)
    return Drawn(*(array.astype(np.float32) for array in (y, seen, hidden)))


def without_ngrams(network: Model) -> Model:
    """The recurrent network alone: n-grams are not learnt by gradients."""
    weights = network.weights._replace(ngrams=np.empty(0, np.float32))
    params = network.params.model_copy(update={"ngrams": 0})
    return replace(network, params=params, weights=weights, ngram_codes=np.empty(0, np.int64))


def learnt_by_engine(
    network: Model, ids: Ragged, drawn: Drawn, engine: Engine | None = None
) -> tuple[Engine, np.ndarray, np.ndarray, float]:
    """Let an engine compute gradients of all reviews; return it, logits, losses, and the square of their norm.

    Args:
        engine: of this layout; None: a new one.
    """
    network = without_ngrams(network)
    params, vocab_size, order = network.params, network.encoding.vocab_size, np.argsort(-ids.lengths, kind="stable")
    engine, masks = engine or Engine(Layout(params, vocab_size, 0, len(network.weights.head_bias))), Masks()
    if params.word_dropout:
        masks = masks._replace(words=drawn.seen)
    if params.dropout:
        masks = masks._replace(features=engine.feature_masks(drawn.hidden[order].ravel()))
    batch = engine.prepare(as_read(ids, params, network.encoding).rows(order))
    logits, losses, square = engine.learn(
        engine.layout.flatten(network.weights), batch, drawn.y[order], np.ones(len(order)), masks
    )
    back = np.argsort(order)
    return engine, logits[back], losses[back], square


def learnt_by_reference(network: Model, ids: Ragged, drawn: Drawn) -> tuple[np.ndarray, Weights]:
    """The logits of the reference, without n-grams, and its gradients of the mean loss, in float64."""
    network = without_ngrams(network)
    params, weights = network.params, changed(network.weights, lambda array: array.astype(np.float64))
    read = as_read(ids, params, network.encoding)
    rows = zip(rows_of(read), drawn.y, drawn.hidden, strict=True)
    reviews = [Review(np.array(row, int), int(y), 1, drawn.seen[row, None], hidden) for row, y, hidden in rows]
    _, gradients = reference.loss_and_gradients(weights, reviews, params.cell, params.pooling)
    logits = np.array([reference.forward(weights, review, params.cell, params.pooling)[0] for review in reviews])
    return logits.squeeze(1) if logits.shape[1] == 1 else logits, gradients


def learnt_by_keras(network: Model, ids: Ragged, drawn: Drawn) -> tuple[np.ndarray, Weights]:
    """What `learnt_by_reference` returns, by Keras and TensorFlow, in float32."""
    keras = keras_model.load_keras()
    import tensorflow as tf

    network = without_ngrams(network)
    params, weights = network.params, network.weights
    model = as_keras(replace(network, weights=weights._replace(embeddings=weights.embeddings * drawn.seen[:, None])))
    model.get_layer("probability").activation = keras.activations.linear
    if params.dropout:
        model.get_layer("dropout").call = lambda features, **_: features * drawn.hidden
    variables = [*keras_model.named_variables(model, params).values()]
    of_classes = keras.ops.sparse_categorical_crossentropy
    with tf.GradientTape() as tape:
        logits = model(pad(ids, network.encoding.maxlen, network.encoding.padding))
        if len(network.labels) == 2:
            logits, of_classes = logits[:, 0], keras.ops.binary_crossentropy
        loss = keras.ops.mean(of_classes(drawn.y, logits, from_logits=True))
    derivatives = tape.gradient(loss, [variable.value for variable in variables])
    arrays = dict(zip(named(weights), [tf.convert_to_tensor(array).numpy() for array in derivatives], strict=False))
    gradients = from_named({"ngrams": weights.ngrams} | arrays)
    return logits.numpy(), gradients._replace(embeddings=gradients.embeddings * drawn.seen[:, None])


def with_small_kernels(network: Model) -> Model:
    """The network with kernels as small as before training: larger ones are chaotic, and amplify rounding errors."""
    smaller = changed(network.weights, lambda a: a * np.float32(2 / np.sqrt(len(a))) if a.ndim == 2 else a)
    same = network.weights.embeddings, network.weights.ngrams
    return replace(network, weights=smaller._replace(embeddings=same[0], ngrams=same[1]))


def assert_close(gradients: Weights, expected: Weights) -> None:
    """Compare gradients array by array, relative to the largest number of each array."""
    for (name, array), other in zip(named(gradients).items(), arrays_of(expected), strict=True):
        assert array.shape == other.shape, name
        largest = np.abs(other).max(initial=0)
        assert largest > 1e-5 or not other.size, f"{name}: there is nothing to compare"
        np.testing.assert_allclose(array, other, rtol=0, atol=1e-5 * largest, err_msg=name)


def assert_learns_as_reference(network: Model, ids: Ragged) -> None:
    """Compare the logits, losses and gradients of a batch with the reference."""
    network = with_small_kernels(network)
    drawn = draw(network, len(ids))
    engine, logits, losses, square = learnt_by_engine(network, ids, drawn)
    expected_logits, expected = learnt_by_reference(network, ids, drawn)
    np.testing.assert_allclose(logits, expected_logits, atol=1e-5)
    np.testing.assert_array_equal(losses, cross_entropy(drawn.y, logits)[0])
    gradients = engine.layout.split(engine.gradient)
    assert_close(gradients, expected)
    assert square == pytest.approx(
        sum((array.astype(np.float64) ** 2).sum() for array in arrays_of(gradients)), rel=1e-6
    )
    np.testing.assert_array_equal(engine.layout.flatten(gradients), engine.gradient)
