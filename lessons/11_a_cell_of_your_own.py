# %% [markdown]
# # Lesson 11: a cell of your own
# [English](11-a-cell-of-your-own.md) · [中文](11-a-cell-of-your-own.zh-CN.md)

# %%
import numpy as np
from shared import FIRST_ID, LETTERS, SEEDS, canvas, save

from imdb_rnn.engine.reference import CELLS, Review, adam_step, forward, loss_and_gradients
from imdb_rnn.engine.weights import DirectionWeights, Weights, named


# %%
def leaky(a):
    """The two functions of a cell, see `CELLS` in `engine/reference.py`."""

    def step(x, state, weights):
        (h, c), (W, U, b) = state, weights
        g = np.tanh(x @ W + h @ U + b)
        return (a * h + (1 - a) * g, c), g  # the new state, and what the backward pass needs

    def step_backward(dh, dc, g):
        da = dh * (1 - a) * (1 - g**2)  # through the new value g
        return da, da, dh * a, dc  # dh * a: straight to the state before

    return step, step_backward


def random_weights(seed, units=8, inputs=4):
    random = np.random.default_rng(seed)
    U, _ = np.linalg.qr(random.normal(size=(units, units)))  # orthogonal
    layer = DirectionWeights(random.normal(0, 0.5, (inputs, units)), U, np.zeros(units))
    embeddings = random.normal(0, 0.5, (FIRST_ID + LETTERS, inputs))
    return Weights(embeddings, ((layer,),), random.normal(0, 0.35, (units, LETTERS)), np.zeros(LETTERS))


def sequences(task, count, seed):
    """11 random letters each; what is asked for is their first letter, or the one that there is most of."""
    random, made = np.random.default_rng(seed), []
    while len(made) < count:
        letters = random.integers(0, LETTERS, 11)
        *_, second, most = np.sort(np.bincount(letters, minlength=LETTERS))
        if most > second:  # the question has one answer
            answer = letters[0] if task == "first" else np.bincount(letters).argmax()
            made.append(Review(letters + FIRST_ID, int(answer)))
    return made


def learn(a, task, seed, steps=60, batch=20):
    """Train a leaky network on 1,200 sequences, and return its accuracy on 200 others."""
    CELLS["leaky"] = leaky(a)
    weights = random_weights(seed)
    w = {name: array for name, array in named(weights).items() if array.size}
    m, v = ({name: np.zeros_like(array) for name, array in w.items()} for _ in "mv")
    training = sequences(task, steps * batch, seed)
    for t in range(steps):
        _, d = loss_and_gradients(weights, training[t * batch :][:batch], "leaky", "last")
        adam_step(w, named(d), m, v, t + 1, learning_rate=0.03, clipnorm=1.0)
    right = [forward(weights, s, "leaky", "last")[0].argmax() == s.y for s in sequences(task, 200, seed=99)]
    return float(np.mean(right))


def slope_errors(cell, seed=1, nudge=1e-6):
    """How far the gradients are from slopes that are measured: each weight a little up, a little down."""
    CELLS["leaky"] = cell
    weights, some = random_weights(seed, units=3), sequences("first", 2, seed)
    _, d = loss_and_gradients(weights, some, "leaky", "last")
    errors = []
    for array, gradient in zip(named(weights).values(), named(d).values(), strict=True):
        for i in np.ndindex(array.shape):
            losses = []
            for change in (nudge, -2 * nudge):
                array[i] += change
                losses.append(loss_and_gradients(weights, some, "leaky", "last")[0])
            array[i] += nudge
            errors.append(abs((losses[0] - losses[1]) / (2 * nudge) - gradient[i]))
    return np.array(errors)


# %%
errors = slope_errors(leaky(0.9))
print(f"{len(errors)} gradients, largest error {errors.max():.7f}")
LEAKS = (0, 0.5, 0.966)
results = {(task, a): [learn(a, task, seed) for seed in SEEDS] for task in ("first", "most") for a in LEAKS}
for (task, a), values in results.items():
    print(f"{task:<5} a = {a:<5}", *(f"{value:.2f}" for value in values), f" mean {np.mean(values):.2f}")

# %%
figure, (left, right) = canvas(9, 3, ncols=2)
steps = np.arange(61)
for a, color in zip((0.5, 0.9, 0.966), ("#d95f0e", "#4a9a5b", "#1f6fb4"), strict=True):
    left.plot(steps, a**steps, color=color, label=f"a = {a}")
left.axhline(0.5, color="#999999", linewidth=0.8)
left.set(xlabel="steps", ylabel="what is left of a state")
left.legend(frameon=False)
for task, color, label in (("first", "#d95f0e", "the first letter"), ("most", "#1f6fb4", "the most frequent letter")):
    values = np.array([results[task, a] for a in LEAKS])
    right.plot(range(3), values.mean(axis=1), color=color, label=label)
    right.plot(range(3), values, "o", color=color, alpha=0.4)
right.axhline(0.25, color="#999999", linewidth=0.8)
right.set_xticks(range(3), [f"a = {a}" for a in LEAKS])
right.set(ylabel="accuracy, five seeds", ylim=(0, 1.05))
right.legend(frameon=False)
save(figure, "11-a-cell-of-your-own")
