# %% [markdown]
# # Lesson 4: what the hidden state holds
# [English](04-hidden-state.md) · [中文](04-hidden-state.zh-CN.md)

# %%
import numpy as np
from shared import canvas, save

import imdb_rnn

model = imdb_rnn.load()
E, ((layer,),), V, c, _ = model.weights  # word vectors; recurrent layer; output layer
W, U, b = layer
v = V[:, 0]
TEXT = "I expected a terrible film, but it was not bad at all; in the end I loved it."


# %%
def states(text, silent=()):
    """The hidden state after each word, (words, 32); the units in `silent` are kept at 0."""
    h, seen = np.zeros(32), []
    for i in model.encode([text])[0]:
        h = np.tanh(E[i] @ W + h @ U + b)
        h[list(silent)] = 0
        seen.append(h)
    return np.array(seen)


def logit(text, silent=()):
    return round(float(states(text, silent)[-1] @ v + c[0]), 2)


# %%
votes = states(TEXT) * v  # how much each unit adds to the logit, after each word
largest = np.argsort(-np.abs(votes[-1]))
print(f"logit {logit(TEXT):.2f} = bias {c[0]:.2f} + 32 votes that sum to {votes[-1].sum():.2f}")
print(f"for positive {votes[-1][votes[-1] > 0].sum():.2f}, for negative {votes[-1][votes[-1] < 0].sum():.2f}")
for unit in largest[:5]:
    print(f"unit {unit:>2}  h {states(TEXT)[-1][unit]:+.2f}  v {v[unit]:+.2f}  vote {votes[-1][unit]:+.2f}")
print(f"units with |h| above 0.9: {(np.abs(states(TEXT)[-1]) > 0.9).sum()} of 32")

# %%
figure, axes = canvas(height=4.5)
order = np.argsort(-np.abs(v))
words = ["(start)", *model.tokenize(TEXT)]
image = axes.imshow(votes[:, order].T, cmap="RdBu", vmin=-0.5, vmax=0.5, aspect="auto")
axes.set_xticks(range(len(words)), words, rotation=60)
axes.set_yticks(range(32), order, fontsize=6)
axes.set_ylabel("unit, largest |v| first")
figure.colorbar(image, label="vote h · v (blue: positive)")
save(figure, "04-hidden-state")
