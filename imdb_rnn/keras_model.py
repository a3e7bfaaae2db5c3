"""The network as a Keras model: for training with the engine `keras`, and for `export`.

Keras and TensorFlow are imported when a function is called, not with this module.
"""

import os
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from imdb_rnn.core.params import ModelParams
from imdb_rnn.engine.layout import Layout
from imdb_rnn.text.vocabulary import PADDING

if TYPE_CHECKING:
    import keras

# The Keras layer of each cell; the weights of each are kernel, recurrent kernel and bias
LAYERS = {"simple_rnn": "SimpleRNN", "lstm": "LSTM", "gru": "GRU"}


def load_keras() -> ModuleType:
    """Import Keras with TensorFlow as its back end, set up as the project needs it whatever the user's settings are."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # or TensorFlow prints even more notes
    os.environ["KERAS_BACKEND"] = "tensorflow"  # or ~/.keras/keras.json could choose another
    import keras

    keras.config.set_floatx("float32")  # keras.json could set these two as well
    keras.config.set_epsilon(1e-7)
    return keras


def build(params: ModelParams, vocab_size: int, ngram_codes: np.ndarray) -> "keras.Model":
    """Embedding, recurrent layers, pooling, one sigmoid unit, with initial weights that Keras draws; not compiled.

    Takes int32 (reviews, words) with ids below `vocab_size`, any number of words; gives float32 (reviews, 1), the
    probability that a review is positive. With `mask_padding` recurrence and pooling skip padding; without, padding
    counts like a word, as in the original tutorial (docs/from-the-article.md).

    Args:
        ngram_codes: int64, ascending; the n-grams that have a weight, where `params.ngrams` is above 0.
    """
    keras = load_keras()
    ids = keras.Input((None,), dtype="int32", name="ids")
    x = keras.layers.Embedding(vocab_size, params.embedding_dim, mask_zero=params.mask_padding, name="embedding")(ids)
    for number in range(1, params.layers + 1):
        every_state = number < params.layers or params.pooling != "last"
        layer = getattr(keras.layers, LAYERS[params.cell])(
            params.units, return_sequences=every_state, name=f"{params.cell}_{number}"
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
    """Pool states over the words that count; zero where no word counts."""
    ops = load_keras().ops
    counts = ops.expand_dims(ops.cast(counts, "float32"), -1)
    words = ops.sum(counts, axis=1)
    # The least float32 where a word does not count, and zero instead of it where no word counts
    highest = ops.max(ops.where(counts > 0, states, np.finfo(np.float32).min), axis=1) * ops.minimum(words, 1)
    mean = ops.sum(states * counts, axis=1) / ops.maximum(words, 1)
    return {"max": highest, "mean": mean, "max+mean": ops.concatenate([highest, mean], axis=-1)}[pooling]


def _ngram_scores(ids: Any, longest: int, vocab_size: int, codes: np.ndarray) -> Any:
    """Sum the weights of each review's distinct n-grams: (reviews, 1). For the codes see `engine.kernels.ngrams`."""
    keras = load_keras()
    ops = keras.ops
    ids = ops.cast(ids, "int64")
    of_lengths, code, is_whole = [], ops.zeros_like(ids), ops.ones_like(ids, dtype="bool")
    for back in range(longest):
        # Position i has the n-grams that end at i. Ids are shifted in, with padding before the review.
        word = ops.pad(ids, [(0, 0), (back, 0)])[:, :-back] if back else ids
        is_whole = ops.logical_and(is_whole, ops.not_equal(word, PADDING))
        code = code + vocab_size**back * word
        of_lengths.append(ops.where(is_whole, code, -1))
    indices = keras.layers.IntegerLookup(vocabulary=codes, name="ngram_codes")(ops.concatenate(of_lengths, axis=1))
    indices = ops.sort(indices, axis=1)
    before = ops.pad(indices, [(0, 0), (1, 0)])[:, :-1]
    counts = ops.expand_dims(ops.cast(ops.not_equal(indices, before), "float32"), -1)  # index 0: unknown n-grams
    scores = keras.layers.Embedding(len(codes) + 1, 1, embeddings_initializer="zeros", name="ngram_scores")(indices)
    return ops.sum(scores * counts, axis=1)


def named_variables(model: "keras.Model", params: ModelParams) -> dict[str, Any]:
    """The trained variables by the names of `engine.weights.named`, without those of n-grams."""
    layers = ["embedding", *(f"{params.cell}_{number}" for number in range(1, params.layers + 1))]
    layers += ["logit" if params.ngrams else "probability"]
    variables = [variable for name in layers for variable in model.get_layer(name).trainable_variables]
    *names, _ = Layout(params, 1, 0).blocks
    return dict(zip(names, variables, strict=True))
