# %% [markdown]
# # Lesson 3: one step, by hand
# [English](03-one-step.md) · [中文](03-one-step.zh-CN.md)

# %%
import numpy as np
from shared import canvas, save

import imdb_rnn

model = imdb_rnn.load()
E, ((layer,),), V, c, _ = model.weights  # word vectors; recurrent layer; output layer
W, U, b = layer  # kernel; recurrent kernel; bias
TEXT = "I expected a terrible film, but it was not bad at all; in the end I loved it."


# %%
def step(x, h, U=U):
    return np.tanh(x @ W + h @ U + b)  # this line is the whole RNN


def probability(h):
    return round(float(1 / (1 + np.exp(-(h @ V + c)[0]))), 4)


def read(text, U=U, h=None):
    """The probability that a review is positive, before its first word and after each."""
    h = np.zeros(32) if h is None else h
    seen = []
    for i in model.encode([text])[0]:  # the first id is the start token
        h = step(E[i], h, U)
        seen.append(probability(h))
    return seen


# %%
by_hand = read(TEXT)
print(f"by hand {by_hand[-1]:.4f}  predict_proba {model.predict_proba([TEXT])[0]:.4f}")
for word, value in zip(["(start)", *model.tokenize(TEXT)], by_hand, strict=True):
    print(f"{word:<9} {value:.4f} {'#' * round(40 * value)}")

# %%
figure, axes = canvas()
axes.axhline(0.5, color="#999999", linewidth=0.8)
axes.plot(by_hand, marker="o", color="#1f6fb4", label="U as trained")
axes.plot(read(TEXT, U=0 * U), marker=".", color="#d95f0e", linestyle=":", label="U = 0")
axes.set_xticks(range(len(by_hand)), ["(start)", *model.tokenize(TEXT)], rotation=60)
axes.set(ylabel="probability of positive", ylim=(0, 1))
axes.legend(frameon=False)
save(figure, "03-one-step")
