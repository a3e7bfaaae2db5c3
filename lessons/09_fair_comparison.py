# %% [markdown]
# # Lesson 9: a fair comparison
# [English](09-fair-comparison.md) · [中文](09-fair-comparison.zh-CN.md)

# %%
import csv
from pathlib import Path

import numpy as np
from shared import CELLS, COLORS, SEEDS, accuracy, canvas, first_letter, learn, save, up_to

VALIDATION, TEST = (first_letter(np.full(500, 40), seed) for seed in (2, 3))  # the first of 41 letters
TRAINING = first_letter(up_to(40), 1)  # shorter ones too
ALWAYS_LONG = first_letter(np.full(2000, 40), 1)  # none is shorter


# %%
def train_five(cell, training=TRAINING, **settings):
    """One network for each seed."""
    return [learn(cell, training, VALIDATION, seed, **settings) for seed in SEEDS]


def scores(networks, later=40):
    """The accuracy of each network, when it is asked so many letters after the first."""
    sequences = TEST._replace(ids=TEST.ids.first(1 + later))
    return [accuracy(network, sequences) for network in networks]


def on_reviews(cell):
    """What `make compare` measured: the lowest, the mean and the highest test accuracy of five seeds."""
    with Path("results/compare.csv").open(newline="", encoding="utf-8") as file:
        row = next(row for row in csv.DictReader(file) if row["network"] == cell)
    return [float(row[name]) for name in ("min", "accuracy", "max")]


# %%
networks, results = {}, {}
for name, training in (("0 to 40 letters after the first", TRAINING), ("always 40 letters", ALWAYS_LONG)):
    print(f"{name:<32}", *(f"seed {seed}" for seed in SEEDS))
    for cell in CELLS:
        networks[name, cell] = train_five(cell, training)
        results[name, cell] = scores(networks[name, cell])
        print(f"{CELLS[cell]:<32}", *(f"{value:6.3f}" for value in results[name, cell]))
print("the same networks, asked earlier")
for cell in ("simple_rnn", "lstm"):
    for later in (39, 38, 37):
        values = scores(networks["always 40 letters", cell], later)
        print(f"{CELLS[cell]:<9} {later} letters later      ", *(f"{value:6.3f}" for value in values))

# %%
figure, panels = canvas(8, 2.6, ncols=2, sharey=True)
for axes, name in zip(panels, dict.fromkeys(name for name, _ in results), strict=True):
    for place, cell in enumerate(CELLS):
        values = results[name, cell]
        axes.plot([place, place], [min(values), max(values)], color=COLORS[cell], linewidth=1)
        axes.plot(np.linspace(place - 0.15, place + 0.15, 5), values, "o", color=COLORS[cell], alpha=0.7)
    axes.axhline(0.25, color="#999999", linewidth=0.8)
    axes.set_title(name)
    axes.set_xticks(range(3), CELLS.values())
panels[0].set(ylabel="test accuracy, five seeds", ylim=(0, 1.05))
save(figure, "09-fair-comparison")
