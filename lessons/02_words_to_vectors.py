# %% [markdown]
# # Lesson 2: words become vectors
# [English](02-words-to-vectors.md) · [中文](02-words-to-vectors.zh-CN.md)

# %%
import numpy as np
from shared import canvas, save

import imdb_rnn

model = imdb_rnn.load()
E = model.weights.embeddings
PRAISE = "wonderful excellent superb brilliant perfect amazing fantastic great loved beautiful".split()
CRITICISM = "terrible awful worst boring dull waste poor bad horrible annoying".split()


# %%
def ids(text):
    """The ids that the network reads: 1 is the start, 2 any word that is not in the vocabulary."""
    return model.encode([text])[0].tolist()


def vector(word):
    return E[ids(word)[1]]


def cosine(a, b):
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def nearest(word, count=5):
    """The words whose vectors point in the most similar direction."""
    units = E / np.sqrt((E**2).sum(axis=1, keepdims=True))
    order = np.argsort(-(units @ units[ids(word)[1]]))
    known = [model.vocabulary[i - 4] for i in order if i > 3]
    return [other for other in known if other != word][:count]


def mean_cosine(some, others):
    return np.mean([cosine(vector(a), vector(b)) for a in some for b in others if a != b])


# %%
print("ids:", ids("A wonderful, zyzzyva film."))
print("vector of wonderful:", vector("wonderful").shape, vector("wonderful")[:4].round(2))
print(f"within praise     {mean_cosine(PRAISE, PRAISE):+.2f}")
print(f"within criticism  {mean_cosine(CRITICISM, CRITICISM):+.2f}")
print(f"between the two   {mean_cosine(PRAISE, CRITICISM):+.2f}")

# %%
words = [*PRAISE, *CRITICISM, *model.vocabulary[:180]]
vectors = np.array([vector(word) for word in words])
centred = vectors - vectors.mean(axis=0)
_, _, directions = np.linalg.svd(centred, full_matrices=False)
x, y = (centred @ directions[:2].T).T
push = model.predict_proba(words)
figure, axes = canvas(height=5)
points = axes.scatter(x, y, c=push, cmap="RdBu", vmin=0.2, vmax=0.8, s=14)
for i, word in enumerate(words[:20]):
    axes.annotate(word, (x[i], y[i]), fontsize=8)
axes.set(xlabel="first principal component", ylabel="second")
figure.colorbar(points, label="probability of the word as a review")
save(figure, "02-words-to-vectors")
