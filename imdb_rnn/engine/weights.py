"""The weights of a network by name, of Keras' shapes."""

from collections.abc import Mapping
from itertools import count
from typing import NamedTuple

import numpy as np

DIRECTIONS = ("forward", "backward")


class DirectionWeights(NamedTuple):
    """The weights of one direction of a recurrent layer, float32.

    kernel: (inputs, gates * units)
    recurrent_kernel: (units, gates * units)
    bias: (gates * units,); of a GRU (2, gates * units)
    """

    kernel: np.ndarray
    recurrent_kernel: np.ndarray
    bias: np.ndarray


class Weights(NamedTuple):
    """The weights of a network, float32.

    embeddings: (vocab_size, embedding_dim)
    layers: layers[l][d] are the weights of layer l in direction d, forward first
    head_kernel, head_bias: (features, logits) and (logits,): one logit for two classes, otherwise one for each class
    ngrams: the weights of each n-gram: (n-grams,) for one logit, otherwise (n-grams, logits); empty without n-grams
    """

    embeddings: np.ndarray
    layers: tuple[tuple[DirectionWeights, ...], ...]
    head_kernel: np.ndarray
    head_bias: np.ndarray
    ngrams: np.ndarray = np.empty(0, np.float32)


def named(weights: Weights) -> dict[str, np.ndarray]:
    """The arrays by name: `embeddings`, `layers.0.forward.kernel`, ..., `head.kernel`, `head.bias`, `ngrams`."""
    arrays = {"embeddings": weights.embeddings}
    for number, layer in enumerate(weights.layers):
        for direction, of_direction in zip(DIRECTIONS, layer, strict=False):
            arrays |= {f"layers.{number}.{direction}.{name}": a for name, a in of_direction._asdict().items()}
    return arrays | {"head.kernel": weights.head_kernel, "head.bias": weights.head_bias, "ngrams": weights.ngrams}


def from_named(arrays: Mapping[str, np.ndarray]) -> Weights:
    """The inverse of `named`. Raises KeyError when an array is missing."""
    layers = []
    for number in count():
        directions = [direction for direction in DIRECTIONS if f"layers.{number}.{direction}.kernel" in arrays]
        if not directions:
            break
        names = [f"layers.{number}.{direction}" for direction in directions]
        layers.append(tuple(DirectionWeights(*(arrays[f"{n}.{f}"] for f in DirectionWeights._fields)) for n in names))
    head = arrays["head.kernel"], arrays["head.bias"]
    return Weights(arrays["embeddings"], tuple(layers), *head, arrays["ngrams"])
