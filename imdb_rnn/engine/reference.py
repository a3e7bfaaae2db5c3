"""Recurrent networks in plain NumPy: three cells, backpropagation through time, the loss, and a step of Adam.

Written to be read from top to bottom, by somebody who wants to know how recurrent networks work. It reads one review at
a time, word by word. `engine/kernels` is the fast form: compiled, and for many reviews at once. Tests compare the two.

    x_t           input of step t, (inputs,)              W   kernel, (inputs, gates * units)
    h_prev, h_t   state before and after it, (units,)     U   recurrent kernel, (units, gates * units)
    c_prev, c_t   cell state of the LSTM, (units,)        b   bias, (gates * units,); of the GRU (2, gates * units)

T is the number of words of a review. A SimpleRNN has 1 gate, an LSTM 4 and a GRU 3, side by side in Keras' order. dh
is the gradient of the loss with respect to h, and so on. All arrays are float32, or all are float64.
"""

from typing import Any, NamedTuple

import numpy as np

from imdb_rnn.engine.weights import DirectionWeights, Weights, from_named, named

Array = np.ndarray
Arrays = dict[str, Array]  # weights by name, see `named`
State = tuple[Array, Array]  # h and c; the c of a cell without one stays zero


def sigmoid(x: Array) -> Array:
    return (1 + np.tanh(x / 2)) / 2  # = 1 / (1 + exp(-x)), without overflow


# A cell is two functions. `step` returns the state after the step, and a cache for the backward pass. `step_backward`
# takes dh and dc, the gradients with respect to that state. It returns da_x and da_h, the gradients with respect to
# x_t W + b and h_prev U, which differ only in the GRU; then dh_prev, without what flows through h_prev U, and dc_prev.


# SimpleRNN (Elman, 1990)
#   h_t = tanh(x_t W + h_prev U + b)
def simple_rnn_step(x_t: Array, state: State, weights: DirectionWeights) -> tuple[State, Any]:
    (h_prev, c_prev), (W, U, b) = state, weights
    h_t = np.tanh(x_t @ W + h_prev @ U + b)
    return (h_t, c_prev), h_t


def simple_rnn_step_backward(dh: Array, dc: Array, h_t: Array) -> tuple[Array, ...]:
    da = dh * (1 - h_t**2)  # the derivative of tanh(a) is 1 - tanh(a)^2
    return da, da, np.zeros_like(dh), dc


# LSTM (Hochreiter and Schmidhuber, 1997): input gate i, forget gate f, candidate g, output gate o
#   i, f, o = sigmoid(x_t W + h_prev U + b) and g = tanh(x_t W + h_prev U + b), each with its own columns of W, U, b
#   c_t = f * c_prev + i * g
#   h_t = o * tanh(c_t)
def lstm_step(x_t: Array, state: State, weights: DirectionWeights) -> tuple[State, Any]:
    (h_prev, c_prev), (W, U, b) = state, weights
    i, f, g, o = np.split(x_t @ W + h_prev @ U + b, 4)
    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
    c_t = f * c_prev + i * g
    h_t = o * np.tanh(c_t)
    return (h_t, c_t), (i, f, g, o, c_prev, c_t)


def lstm_step_backward(dh: Array, dc: Array, cache: Any) -> tuple[Array, ...]:
    i, f, g, o, c_prev, c_t = cache
    do = dh * np.tanh(c_t)
    dc = dc + dh * o * (1 - np.tanh(c_t) ** 2)
    di, df, dg = dc * g, dc * c_prev, dc * i
    # the derivative of sigmoid(a) is sigmoid(a) (1 - sigmoid(a))
    da = np.concatenate([di * i * (1 - i), df * f * (1 - f), dg * (1 - g**2), do * o * (1 - o)])
    return da, da, np.zeros_like(dh), dc * f


# GRU (Cho et al., 2014; in Keras with reset_after=True): update gate z, reset gate r, candidate g
#   z, r = sigmoid(x_t W + b[0] + h_prev U + b[1]) and g = tanh(x_t W + b[0] + r * (h_prev U + b[1]))
#   h_t = z * h_prev + (1 - z) * g
def gru_step(x_t: Array, state: State, weights: DirectionWeights) -> tuple[State, Any]:
    (h_prev, c_prev), (W, U, b) = state, weights
    x_z, x_r, x_g = np.split(x_t @ W + b[0], 3)
    h_z, h_r, h_g = np.split(h_prev @ U + b[1], 3)
    z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
    g = np.tanh(x_g + r * h_g)
    h_t = z * h_prev + (1 - z) * g
    return (h_t, c_prev), (z, r, g, h_prev, h_g)


def gru_step_backward(dh: Array, dc: Array, cache: Any) -> tuple[Array, ...]:
    z, r, g, h_prev, h_g = cache
    da_z = dh * (h_prev - g) * z * (1 - z)
    da_g = dh * (1 - z) * (1 - g**2)
    da_r = da_g * h_g * r * (1 - r)
    return np.concatenate([da_z, da_r, da_g]), np.concatenate([da_z, da_r, da_g * r]), dh * z, dc


CELLS = {
    "simple_rnn": (simple_rnn_step, simple_rnn_step_backward),
    "lstm": (lstm_step, lstm_step_backward),
    "gru": (gru_step, gru_step_backward),
}


def direction_forward(cell: str, direction: int, x: Array, weights: DirectionWeights) -> tuple[Array, list]:
    """Read x (T, inputs), backward if `direction` is -1. Returns h (T, units), and the steps for the backward pass."""
    step, _ = CELLS[cell]
    h, steps = np.zeros((len(x), len(weights.recurrent_kernel)), x.dtype), []
    h_t = c_t = np.zeros(h.shape[1], x.dtype)
    for t in range(len(x))[::direction]:
        h_prev = h_t
        (h_t, c_t), cache = step(x[t], (h_prev, c_t), weights)
        h[t] = h_t
        steps.append((t, x[t], h_prev, cache))
    return h, steps


def direction_backward(cell: str, dh: Array, steps: list, weights: DirectionWeights, d: DirectionWeights) -> Array:
    """Backpropagation through time: add the gradients of the weights to `d`, and return dx (T, inputs)."""
    _, step_backward = CELLS[cell]
    (W, U, b), (dW, dU, db) = weights, d
    dx, dh_prev, dc_prev = np.zeros((len(dh), len(W)), dh.dtype), np.zeros(len(U), dh.dtype), np.zeros(len(U), dh.dtype)
    for t, x_t, h_prev, cache in reversed(steps):
        # The gradient that reaches a state from above, and what comes from the next step
        da_x, da_h, dh_prev, dc_prev = step_backward(dh[t] + dh_prev, dc_prev, cache)
        dW += np.outer(x_t, da_x)
        dU += np.outer(h_prev, da_h)
        db += da_x if b.ndim == 1 else np.stack([da_x, da_h])
        dx[t], dh_prev = W @ da_x, dh_prev + U @ da_h
    return dx


def pool_shares(kind: str, h: Array, units: int) -> Array:
    """How much each state h (T, directions * units) counts: the features are the sum over T of share * h."""
    share = np.zeros_like(h)
    if kind == "last":
        share[-1:, :units] = share[:1, units:] = 1  # the second direction reads the first word last
    elif kind == "mean":
        share[:] = 1 / max(len(h), 1)
    elif len(h):  # max: the first of the highest states
        share[h.argmax(axis=0), np.arange(h.shape[1])] = 1
    return share


class Review(NamedTuple):
    ids: Array  # int (T,)
    y: int = 0  # its class
    weight: float = 1  # what its loss is multiplied by
    word_mask: Array | float = 1  # (T, 1), what dropout multiplies the embeddings by
    feature_mask: Array | float = 1  # (features,), what dropout multiplies the features by


def forward(weights: Weights, review: Review, cell: str, pooling: str) -> tuple[Any, Any]:
    """Embeddings, recurrent layers, pooling (last, max, mean or max+mean), and logits: returns them, and a cache."""
    x, steps = weights.embeddings[review.ids] * review.word_mask, []  # (T, embedding_dim)
    for layer in weights.layers:
        outputs = [direction_forward(cell, direction, x, w) for direction, w in zip((1, -1), layer, strict=False)]
        x = np.concatenate([h for h, _ in outputs], axis=1)  # (T, directions * units)
        steps.append([steps_of_direction for _, steps_of_direction in outputs])
    shares = [pool_shares(kind, x, x.shape[1] // len(layer)) for kind in pooling.split("+")]
    features = np.concatenate([(share * x).sum(axis=0) for share in shares]) * review.feature_mask
    return features @ weights.head_kernel + weights.head_bias, (features, shares, steps)


def backward(dlogits: Array, weights: Weights, review: Review, cell: str, cache: Any, d: Weights) -> None:
    """Go back through `forward`, and add the gradients of the weights to `d`."""
    features, shares, steps = cache
    d.head_kernel[...] += np.outer(features, dlogits)
    d.head_bias[...] += dlogits
    dfeatures = np.split(weights.head_kernel @ dlogits * review.feature_mask, len(shares))
    dx = sum(share * dfeature for share, dfeature in zip(shares, dfeatures, strict=True))
    for layer in reversed(range(len(weights.layers))):
        dh = np.split(dx, len(steps[layer]), axis=1)
        directions = zip(dh, steps[layer], weights.layers[layer], d.layers[layer], strict=True)
        dx = sum(direction_backward(cell, *direction) for direction in directions)
    np.add.at(d.embeddings, review.ids, dx * review.word_mask)  # a word that occurs twice gets the sum


def cross_entropy(logits: Array, y: int) -> tuple[Any, Array]:
    """-log(p[y]), where p = softmax(logits) = exp(logits) / sum(exp(logits)), and its derivative, p - (1 at y)."""
    x = logits if len(logits) > 1 else np.append(0 * logits, logits)  # two classes have one logit: p[1] is its sigmoid
    log_p = x - np.logaddexp.reduce(x)
    return -log_p[y], (np.exp(log_p) - (np.arange(len(x)) == y))[-len(logits) :]


def loss_and_gradients(weights: Weights, reviews: list[Review], cell: str, pooling: str) -> tuple[Any, Weights]:
    """The mean cross-entropy, and its gradients with respect to all weights."""
    loss, d = 0, from_named({name: np.zeros_like(array) for name, array in named(weights).items()})
    for review in reviews:
        logits, cache = forward(weights, review, cell, pooling)
        value, dlogits = cross_entropy(logits, review.y)
        share = review.weight / len(reviews)
        loss += share * value
        backward(share * dlogits, weights, review, cell, cache, d)
    return loss, d


def adam_step(w: Arrays, dw: Arrays, m: Arrays, v: Arrays, t: int, learning_rate: float, clipnorm: float) -> None:
    """Step t = 1, 2, ... of Adam (Kingma and Ba, 2015), in place, of the weights in `w`; others are not trained."""
    norm = sum(float((dw[name] ** 2).sum()) for name in w) ** 0.5
    rate = learning_rate * (1 - 0.999**t) ** 0.5 / (1 - 0.9**t)  # makes up for m and v having begun with zeros
    for name in w:
        g = dw[name] * min(1, clipnorm / max(norm, clipnorm))
        m[name] += (1 - 0.9) * (g - m[name])  # moving averages of g and of its square, zeros before the first step
        v[name] += (1 - 0.999) * (g**2 - v[name])
        w[name] -= rate * m[name] / (np.sqrt(v[name]) + 1e-7)
