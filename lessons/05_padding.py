# %% [markdown]
# # Lesson 5: padding and truncation
# [English](05-padding.md) · [中文](05-padding.zh-CN.md)

# %%
from pathlib import Path

import numpy as np
from shared import CELLS, COLORS, ENCODING, SEEDS, accuracy, canvas, first_letter, learn, on_all_reviews, save, up_to

import imdb_rnn
from imdb_rnn.decision import is_correct
from imdb_rnn.engine.ragged import from_lengths
from imdb_rnn.text.encode import read_labelled

model = imdb_rnn.load()
test = read_labelled(Path("data/padded"), "test", model.encoding.vocab_size)
ZEROS = (0, 1, 5, 10, 20, 50, 100)


# %%
def with_zeros(text, before=0, behind=0):
    """The probability of a text with zeros that the network reads like words."""
    ids = np.concatenate([np.zeros(before, np.int32), model.encode([text])[0], np.zeros(behind, np.int32)])
    return round(float(model.probabilities(from_lengths(ids, np.array([len(ids)])))[0]), 3)


def score(ids):
    """The accuracy on all test reviews, of which the network sees only these ids."""
    return round(float(is_correct(test.y, model.logits(ids)).mean()), 3)


# %%
texts = ("A wonderful film.", "A terrible film.")
print("zeros behind       ", *(f"{n:>6}" for n in ZEROS))
for text in texts:
    print(f"{text:<19}", *(f"{with_zeros(text, behind=n):6.3f}" for n in ZEROS))
print("words that it reads", *(f"{n:>6}" for n in (20, 100, 500)))
print("the last ones      ", *(f"{score(test.ids.last(n)):6.3f}" for n in (20, 100, 500)))
print("the first ones     ", *(f"{score(test.ids.first(n)):6.3f}" for n in (20, 100, 500)))

PLACES = ("skipped", "in front", "behind")
reviews = {
    (cell, p): [run["accuracy"] for run in on_all_reviews(f"{cell}, zeros {p}")] for cell in CELLS for p in PLACES
}
print("trained with zeros", *(f"{place:>19}" for place in PLACES))
for cell, name in CELLS.items():
    of_places = (reviews[cell, place] for place in PLACES)
    print(f"{name:<18}", *(f"  {min(v):.3f} {np.mean(v):.3f} {max(v):.3f}" for v in of_places))


# %%
# Training on letters with padding that is read: 1 to 20 letters in rows of 80, of which the first is to be remembered
def padded(cell, padding, seed, **settings):
    encoding = ENCODING.model_copy(update={"maxlen": 80, "padding": padding})
    parts = (first_letter(up_to(19, count), number) for number, count in ((1, 2000), (2, 500), (3, 500)))
    training, validation, unseen = parts
    learnt = learn(cell, training, validation, seed, encoding, **{"mask_padding": False, "epochs": 10} | settings)
    return accuracy(learnt, unseen, encoding)


results = {(cell, p): [padded(cell, p, seed) for seed in SEEDS] for p in ("pre", "post") for cell in CELLS}
for (cell, padding), values in results.items():
    print(f"{padding:<4} {CELLS[cell]:<9}", *(f"{value:.3f}" for value in values))

# %%
figure, (left, middle, right) = canvas(12, 3, ncols=3, gridspec_kw={"width_ratios": (1, 1.6, 1)})
for text, color in zip(texts, ("#1f6fb4", "#d95f0e"), strict=True):
    left.plot(range(60), [with_zeros(text, behind=n) for n in range(60)], color=color, label=text)
left.set(xlabel="zeros behind the text", ylabel="probability of positive", ylim=(0, 1))
left.legend(frameon=False)
for panel, title, found, chance in (
    (middle, "reviews", reviews, 0.5),
    (right, "which letter came first?", results, 0.25),
):
    names = []
    for place, ((cell, zeros), values) in enumerate(found.items()):
        panel.plot(np.linspace(place - 0.2, place + 0.2, 5), values, "o", color=COLORS[cell], alpha=0.7)
        names.append(f"{CELLS[cell]}\n{zeros}")
    panel.axhline(chance, color="#999999", linewidth=0.8)
    panel.set_xticks(range(len(names)), names, fontsize=5.5)
    panel.set(title=title, ylabel="accuracy, five seeds", ylim=(0, 1.05))
save(figure, "05-padding")
