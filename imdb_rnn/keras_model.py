"""The network as a Keras model: for training with the engine `keras`, and for `export`.

Keras and its back end are imported when a function is called, not with this module.
"""

import os
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from imdb_rnn.core.params import ModelParams
from imdb_rnn.engine.layout import Layout
from imdb_rnn.text.vocabulary import PADDING

if TYPE_CHECKING:
    import keras

# The Keras layer of each cell; the weights of each are kernel, recurrent kernel and bias
LAYERS = {"simple_rnn": "SimpleRNN", "lstm": "LSTM", "gru": "GRU"}
WINDOW = 2**16  # places, the last ones in use, among which an n-gram's place is searched


class Trie(NamedTuple):
    """N-grams in a double array (Aoe 1989), in which a few additions and comparisons of int32 find an n-gram.

    Every n-gram has a place. The place of a single word is its id; the place of a longer n-gram is `base[p] + word`,
    where p is the place of the n-gram without its last word; `parent` holds p there. Place 0 is that of no n-gram.

    base: int32 (places,); 0 where no longer n-gram begins so
    parent: int32 (places,); -1 where there is no n-gram of two or more words
    places: int64 (n-grams,), the places of the n-grams
    """

    base: np.ndarray
    parent: np.ndarray
    places: np.ndarray


def trie_of(codes: np.ndarray, vocab_size: int) -> Trie:
    """Arrange n-grams in a trie.

    Args:
        codes: int64 (n-grams,); for the codes see `engine.kernels.ngrams`.
    """
    every, shorter = codes, codes // vocab_size  # dividing a code drops the last word
    while shorter.any():
        every, shorter = np.union1d(every, shorter), shorter // vocab_size
    every = every[every >= vocab_size]
    before, words = np.divmod(every, vocab_size)
    beginnings, first, counts = np.unique(before, return_index=True, return_counts=True)
    bases = np.zeros(len(beginnings), np.int64)
    used = (1 << vocab_size) - 1  # a bit for each place
    order = np.argsort(-counts, kind="stable")  # the beginnings of most n-grams first
    for number in order[counts[order] > 1].tolist():
        last = words[first[number] : first[number] + counts[number]].tolist()
        start = max(0, used.bit_length() - WINDOW)
        free = fits = ~used >> start
        for word in last:
            fits &= free >> word
        bases[number] = base = start + (fits & -fits).bit_length() - 1  # the first place where all fit
        used |= sum(1 << word for word in last) << base
    alone = order[counts[order] == 1]  # they fill the gaps
    bits = np.frombuffer(used.to_bytes((used.bit_length() + len(alone)) // 8 + 1, "little"), np.uint8)
    bases[alone] = np.flatnonzero(np.unpackbits(bits, bitorder="little") == 0)[: len(alone)] - words[first[alone]]

    def place_of(wanted: np.ndarray) -> np.ndarray:
        start, word = np.divmod(wanted, vocab_size)
        return np.where(start > 0, np.append(bases, 0)[np.searchsorted(beginnings, start)] + word, word)

    following = np.zeros(vocab_size + bases.max(initial=0), np.int32)
    parent = np.full_like(following, -1)
    following[place_of(beginnings)] = bases
    parent[place_of(every)] = place_of(before)
    return Trie(following, parent, place_of(codes))


def load_keras() -> ModuleType:
    """Import Keras with TensorFlow as its back end, set up as the project needs it whatever the user's settings are.

    Without TensorFlow, as on Python 3.14, the back end is JAX.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # or TensorFlow prints even more notes
    # ~/.keras/keras.json could choose another
    os.environ["KERAS_BACKEND"] = "tensorflow" if find_spec("tensorflow") else "jax"
    import keras

    keras.config.set_floatx("float32")  # keras.json could set these two as well
    keras.config.set_epsilon(1e-7)
    return keras


def build(params: ModelParams, vocab_size: int, trie: Trie | None = None, num_logits: int = 1) -> "keras.Model":
    """Embedding, recurrent layers, pooling, the units on top, with initial weights that Keras draws; not compiled.

    Takes int32 (reviews, words) with ids below `vocab_size`, any number of words; gives float32 (reviews, num_logits):
    with one logit the probability of the second of two classes, otherwise of each class. With `mask_padding` recurrence
    and pooling skip padding; without, padding counts like a word, as in the tutorial (docs/from-the-article.md).

    Args:
        trie: the n-grams that have a weight, where `params.ngrams` is above 0.
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
    activation = "sigmoid" if num_logits == 1 else "softmax"
    if trie and params.ngrams:
        logit = keras.layers.Dense(num_logits, name="logit")(x) + _ngram_scores(ids, trie, params.ngrams, num_logits)
        probability = keras.layers.Activation(activation, name="probability")(logit)
    else:
        probability = keras.layers.Dense(num_logits, activation=activation, name="probability")(x)
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


def _ngram_scores(ids: Any, trie: Trie, longest: int, num_logits: int) -> Any:
    """Sum the weights of each review's distinct n-grams: (reviews, num_logits).

    Keras' own layer for looking numbers up, `IntegerLookup`, needs TensorFlow with every back end.
    """
    keras = load_keras()
    ops = keras.ops
    place, of_lengths = ids, [ids]
    for _ in range(longest - 1):
        before = ops.pad(place, [(0, 0), (1, 0)])[:, :-1]  # of the n-gram that ends one word earlier
        place = ops.take(trie.base, before) + ids
        place = ops.where(ops.equal(ops.take(trie.parent, place), before), place, 0)
        of_lengths.append(place)
    places = ops.sort(ops.concatenate(of_lengths, axis=1), axis=1)
    before = ops.pad(places, [(0, 0), (1, 0)])[:, :-1]
    counts = ops.expand_dims(ops.cast(ops.not_equal(places, before), "float32"), -1)
    scores = keras.layers.Embedding(len(trie.base), num_logits, embeddings_initializer="zeros", name="ngram_scores")
    return ops.sum(scores(places) * counts, axis=1)


def named_variables(model: "keras.Model", params: ModelParams) -> dict[str, Any]:
    """The trained variables by the names of `engine.weights.named`, without the n-grams' weights."""
    layers = ["embedding", *(f"{params.cell}_{number}" for number in range(1, params.layers + 1))]
    layers += ["logit" if params.ngrams else "probability"]
    variables = [variable for name in layers for variable in model.get_layer(name).trainable_variables]
    *names, _ = Layout(params, 1, 0).blocks
    return dict(zip(names, variables, strict=True))
