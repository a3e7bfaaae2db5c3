# %% [markdown]
# # Lesson 7: gradients through time
# [English](07-gradients.md) · [中文](07-gradients.zh-CN.md)

# %%
import json
from pathlib import Path

import numpy as np
from shared import CELLS, COLORS, canvas, on_all_reviews, save

import imdb_rnn
from imdb_rnn.text.encode import read_labelled

model = imdb_rnn.load()
E, ((layer,),), V, c, _ = model.weights  # word vectors; recurrent layer; output layer
W, U, b = layer
test = read_labelled(Path("data/padded"), "test", len(E))
REVIEWS = [test.ids[row] for row in np.flatnonzero(test.ids.lengths > 120)[::100]]
DISTANCES = (0, 1, 2, 5, 10, 20, 50, 100)


# %%
def gradients(ids, scale=1.0):
    """How long the gradient of the logit with respect to the state is, 0, 1, 2, … words before the end."""
    h, states = np.zeros(32), []
    for i in ids:
        h = np.tanh(E[i] @ W + h @ (scale * U) + b)
        states.append(h)
    g = V[:, 0].astype(float)
    lengths = [np.sqrt((g**2).sum())]
    for h in reversed(states):  # each step back multiplies by the derivative of tanh, and by U
        g = (scale * U) @ ((1 - h**2) * g)
        lengths.append(np.sqrt((g**2).sum()))
    return np.array(lengths)


def curve(scale=1.0):
    """The mean over some test reviews, relative to its value at the end."""
    mean = np.mean([gradients(ids, scale)[:101] for ids in REVIEWS], axis=0)
    return mean / mean[0]


def at(distances, scale):
    return curve(scale)[list(distances)].round(3).tolist()


# %%
print(f"{len(REVIEWS)} test reviews; largest |eigenvalue| of U: {np.abs(np.linalg.eigvals(U)).max():.2f}")
print("words before the end", *(f"{d:>6}" for d in DISTANCES))
for scale in (0.5, 1.0):
    print(f"U x {scale:<16}", *(f"{value:6.3f}" for value in at(DISTANCES, scale)))

# %%
networks = json.loads(Path("results/experiments/compare_sensitivity.json").read_text())["networks"]
figure, (left, right) = canvas(9, 3, ncols=2)
for scale, color in ((0.5, "#d95f0e"), (1.0, "#555555"), (1.5, "#1f6fb4")):
    left.semilogy(curve(scale), color=color, label=f"U x {scale}")
left.set(title="one SimpleRNN, U scaled", xlabel="words before the end", ylabel="gradient, relative", ylim=(1e-6, 10))
print("relative to the end, mean of five seeds, averages over ten words")
for cell, name in CELLS.items():
    by_distance = np.array(networks[cell]["gradient"])
    tens = by_distance.reshape(-1, 10).mean(axis=1)
    print(f"{name:<9} 50 words {tens[5] / tens[0]:.2f}  100 words {tens[10] / tens[0]:.2f}")
    right.plot(range(0, 210, 10), tens[:21] / tens[0], color=COLORS[cell], label=name)
right.set(title="three trained networks", xlabel="words before the end", ylim=(0, 1.05))
for axes in (left, right):
    axes.legend(frameon=False)
save(figure, "07-gradients")

# %%
print("lowest validation accuracy after epoch 2, five seeds")
for network, clipnorm in (("simple_rnn, zeros skipped", "1.0"), ("simple_rnn, no clipping", "null")):
    print(f"train.clipnorm: {clipnorm:<5}", *(f"{min(run['val_accuracy'][2:]):.3f}" for run in on_all_reviews(network)))
