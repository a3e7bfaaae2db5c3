# %% [markdown]
# # Lesson 6: overfitting
# [English](06-overfitting.md) · [中文](06-overfitting.zh-CN.md)

# %%
from dataclasses import replace
from pathlib import Path

import numpy as np
from shared import SEEDS, canvas, learn, save

from imdb_rnn.core.params import PadParams
from imdb_rnn.text.encode import read_labelled
from imdb_rnn.text.vocabulary import OOV

ENCODING = PadParams()
reviews = read_labelled(Path("data/padded"), "train", ENCODING.vocab_size)
reviews = reviews._replace(ids=reviews.ids.last(50))  # their last 50 words, so that it takes seconds
ORDER = np.random.default_rng(0).permutation(len(reviews.y))


# %%
def history(seed, count=4000, epochs=10, words=10_000, **settings):
    """Train on some reviews: loss and accuracy on these and on other ones, after each epoch."""
    usual = {"embedding_dim": 32, "units": 32, "learning_rate": 0.001}
    values = np.where(reviews.ids.values < words, reviews.ids.values, OOV)  # only the most frequent words are known
    known = reviews._replace(ids=replace(reviews.ids, values=values))
    training, validation = known.rows(ORDER[:count]), known.rows(ORDER[-2000:])
    return learn("simple_rnn", training, validation, seed, ENCODING, epochs=epochs, **usual | settings)[0].history


def best(table):
    """The epoch with the lowest validation loss."""
    return int(table.epoch[table.val_loss.idxmin()])


def peaks(seeds=SEEDS, epochs=4, **settings):
    """The highest validation accuracy of a few epochs, for each seed."""
    return [round(float(history(seed, epochs=epochs, **settings).val_accuracy.max()), 3) for seed in seeds]


# %%
runs = [history(seed) for seed in SEEDS]
mean = sum(runs) / len(runs)
print("epoch  loss   val_loss  accuracy  val_accuracy   (means of five seeds)")
for row in mean.itertuples():
    print(f"{row.epoch:5.0f}  {row.loss:.3f}  {row.val_loss:8.3f}  {row.accuracy:8.3f}  {row.val_accuracy:12.3f}")
print("best epoch for each seed:     ", *(f"{best(run):>5}" for run in runs))
print("highest accuracy by epoch 4:  ", *(f"{run.val_accuracy[:4].max():.3f}" for run in runs))

# %%
figure, (left, right) = canvas(9, 3, ncols=2)
for axes, of_training, of_validation in ((left, "loss", "val_loss"), (right, "accuracy", "val_accuracy")):
    for column, color, label in ((of_training, "#1f6fb4", "training"), (of_validation, "#d95f0e", "validation")):
        values = np.array([run[column] for run in runs])
        axes.fill_between(mean.epoch, values.min(axis=0), values.max(axis=0), color=color, alpha=0.2)
        axes.plot(mean.epoch, values.mean(axis=0), color=color, label=label)
    axes.set(xlabel="epoch", ylabel=of_training)
left.legend(frameon=False)
save(figure, "06-overfitting")
