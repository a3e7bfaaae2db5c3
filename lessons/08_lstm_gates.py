# %% [markdown]
# # Lesson 8: the gates of an LSTM
# [English](08-lstm-gates.md) · [中文](08-lstm-gates.zh-CN.md)

# %%
import numpy as np
from shared import SEEDS, accuracy, canvas, first_letter, learn, save, up_to

from imdb_rnn.engine.reference import sigmoid

TRAINING, VALIDATION, TEST = first_letter(up_to(40), 1), *(first_letter(np.full(500, 40), seed) for seed in (2, 3))


# %%
def step(x, h, c, weights, f_is=None):
    """One step of an LSTM. `f_is` forces the forget gate to a value."""
    W, U, b = weights
    i, f, g, o = np.split(x @ W + h @ U + b, 4)
    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
    if f_is is not None:
        f = np.full_like(f, f_is)
    c = f * c + i * g  # keep some of the old cell state, add some of the new
    h = o * np.tanh(c)  # show some of it
    return h, c, (i, f, o)


def read(ids, weights, f_is=None):
    """All states: the hidden state, the cell state, and the input, forget and output gates after each letter."""
    layer = weights.layers[0][0]
    h = c = np.zeros(layer.recurrent_kernel.shape[0])
    seen = []
    for i in ids:
        h, c, gates = step(weights.embeddings[i], h, c, layer, f_is)
        seen.append((h, c, *gates))
    return [np.array(part) for part in zip(*seen, strict=True)]


def by_hand(learnt, reviews=TEST, count=200, f_is=None):
    """The accuracy on some sequences, read by hand."""
    weights = learnt[0].weights
    right = 0
    for row in range(count):
        h = read(reviews.ids[row], weights, f_is)[0][-1]
        right += (h @ weights.head_kernel + weights.head_bias).argmax() == reviews.y[row]
    return float(right / count)


# %%
networks = {seed: learn("lstm", TRAINING, VALIDATION, seed) for seed in SEEDS}
network = networks[1]
print("accuracy 40 letters later, five seeds:", *(f"{accuracy(networks[seed], TEST):.3f}" for seed in SEEDS))
_, c, i, f, _ = read(TEST.ids[0], network[0].weights)
print("letters read      ", *(f"{t:>6}" for t in (1, 2, 5, 10, 20, 40)))
print("mean input gate   ", *(f"{i[t - 1].mean():6.2f}" for t in (1, 2, 5, 10, 20, 40)))
print("mean forget gate  ", *(f"{f[t - 1].mean():6.2f}" for t in (1, 2, 5, 10, 20, 40)))
strongest = int(np.abs(c[-1]).argmax())
print(f"cell state, unit {strongest:<2}", *(f"{c[t - 1, strongest]:6.2f}" for t in (1, 2, 5, 10, 20, 40)))
kept = f[1:].min(axis=0)
print(f"units whose forget gate never falls below 0.95 after the first letter: {(kept > 0.95).sum()} of {len(kept)}")

# %%
figure, panels = canvas(8, 5, nrows=3, sharex=True)
rows = (
    ("input gate", i, "Greys", 0),
    ("forget gate", f, "Greys", 0),
    ("tanh of the cell state", np.tanh(c), "RdBu", -1),
)
for axes, (title, values, colors, low) in zip(panels, rows, strict=True):
    image = axes.imshow(values.T, cmap=colors, vmin=low, vmax=1, aspect="auto")
    axes.set(ylabel="unit", title=title)
    figure.colorbar(image, ax=axes)
panels[-1].set_xlabel("letters read")
save(figure, "08-lstm-gates")
