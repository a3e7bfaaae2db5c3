"""Small tasks to train on, training on them, and the same training by the reference."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from material import model_params
from networks import arrays_of, changed

from imdb_rnn.core.params import ModelParams, PadParams, TrainParams
from imdb_rnn.decision import num_logits
from imdb_rnn.engine import reference
from imdb_rnn.engine.initializers import initial_weights
from imdb_rnn.engine.ppmi_svd import word_vectors
from imdb_rnn.engine.reference import Review
from imdb_rnn.engine.weights import named
from imdb_rnn.model import Model
from imdb_rnn.text.encode import Labelled, unpad
from imdb_rnn.training import loop
from imdb_rnn.training.batches import sample_weights
from imdb_rnn.training.compiled_learner import CompiledLearner
from imdb_rnn.training.loop import train

VOCAB_SIZE, WORDS = 12, 8
WHOLE = 9 * 32  # reviews in whole batches


def task(count: int, seed: int, classes: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Reviews that anybody can learn: of the first class without word 4, of the others with it, each in its place."""
    random = np.random.default_rng(seed)
    x = random.integers(5, VOCAB_SIZE, (count, WORDS), dtype=np.int32)
    y = random.integers(0, classes, count).astype(np.uint8)
    for label in range(1, classes):
        x[y == label, WORDS - 1 - label] = 4
    return x, y


def by_lot(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Reviews whose labels are drawn by lot, so that nobody can learn them and the best epoch is an early one."""
    x = np.random.default_rng(1).integers(4, VOCAB_SIZE, (count, WORDS), dtype=np.int32)
    return x, np.random.default_rng(2).integers(0, 2, count)


def fit(
    training: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    model: ModelParams,
    params: TrainParams,
    checkpoint: Path | None = None,
    vocab_size: int = VOCAB_SIZE,
) -> tuple[Model, pd.DataFrame]:
    """Train on padded reviews and their labels."""
    encoding = PadParams(vocab_size=vocab_size, maxlen=training[0].shape[1])
    sets = [Labelled(unpad(x), y) for x, y in (training, validation)]
    trained = train(*sets, model, encoding, params, checkpoint)
    provenance = {"tokenizer": "word", "labels": [f"class {label}" for label in range(training[1].max() + 1)]}
    return trained.model(model, encoding, ["word"], provenance), trained.history


def run(
    model: ModelParams | None = None, checkpoint: Path | None = None, classes: int = 2, **train_params: object
) -> tuple[Model, pd.DataFrame]:
    """Train a small network on `task`, three epochs unless `train_params` say otherwise."""
    params = TrainParams(**{"epochs": 3, "batch_size": 32, "learning_rate": 0.01} | train_params)
    return fit(task(300, 1, classes), task(100, 2, classes), model or small(), params, checkpoint)


def small(**values: object) -> ModelParams:
    """The parameters of a network that can learn `task`."""
    return model_params(**{"embedding_dim": 8, "units": 8} | values)


def learnt(network: Model) -> list[np.ndarray]:
    """All the numbers that a network has learnt."""
    return arrays_of(network.weights)


def assert_same_networks(one: Model, other: Model) -> None:
    """Demand that two networks are equal to the last bit."""
    for array, same in zip(learnt(one), learnt(other), strict=True):
        np.testing.assert_array_equal(array, same)


# The last epoch is kept, so that the weights can be compared too.
SHORT = {"epochs": 3, "batch_size": 32, "learning_rate": 0.01, "clipnorm": 0.1, "validation": "test"}


def assert_reference_trains_the_same(monkeypatch, model: ModelParams, params: TrainParams, classes: int = 2) -> None:
    """Train, and take the same steps of Adam with the reference, in float64, from the same initial weights."""
    (x, y), validation = task(WHOLE + 12, 1, classes), task(100, 2, classes)
    x[::3, :3] = 0
    in_order = [np.arange(len(x))[i : i + params.batch_size] for i in range(0, len(x), params.batch_size)]
    monkeypatch.setattr("imdb_rnn.training.loop.shuffled", lambda *_: in_order)
    network, history = fit((x, y), validation, model, params)

    initial = initial_weights(model, VOCAB_SIZE, params.seed, num_logits(classes))
    rows = unpad(x) if model.mask_padding else x
    if model.embeddings == "ppmi_svd":
        vectors = word_vectors(unpad(x), VOCAB_SIZE, model.embedding_dim, params.seed)
        initial = initial._replace(embeddings=vectors)
    reviews = list(map(Review, (rows[row] for row in range(len(x))), y, sample_weights(y, params.class_weight)))
    weights = changed(initial, lambda array: array.astype(np.float64))
    trained = {name: array for name, array in named(weights).items() if array.size}
    if model.embeddings == "ppmi_svd":
        del trained["embeddings"]
    m, v = ({name: np.zeros_like(array) for name, array in trained.items()} for _ in range(2))
    average, losses = changed(weights, np.copy), []
    for step, batch in enumerate(params.epochs * in_order, start=1):
        batch_reviews = [reviews[row] for row in batch]
        loss, gradients = reference.loss_and_gradients(weights, batch_reviews, model.cell, model.pooling)
        reference.adam_step(trained, named(gradients), m, v, step, params.learning_rate, params.clipnorm)
        decay = min(params.weight_averaging or 0, (1 + step) / (10 + step))
        for mean, array in zip(arrays_of(average), arrays_of(weights), strict=True):
            mean[...] = decay * mean + (1 - decay) * array
        losses.append(loss * len(batch) / len(x))
    np.testing.assert_allclose(history["loss"], np.reshape(losses, (params.epochs, -1)).sum(axis=1), atol=1e-5)
    for array, expected in zip(arrays_of(network.weights), arrays_of(average), strict=True):
        np.testing.assert_allclose(array, expected, atol=1e-4)
    assert history["loss"].iloc[-1] < history["loss"].iloc[0] - 1e-3, "nothing was learnt, so nothing is shown"


class _StoppedError(Exception):
    pass


def stop_again_and_again(monkeypatch: pytest.MonkeyPatch, batches: int, train: Callable) -> tuple[Any, int]:
    """Call `train`, which is stopped after so many batches each time, until it ends: what it gave, and the stops."""
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1)
    learn, left, stops = CompiledLearner.learn, 0, 0

    def stops_soon(*arguments):
        nonlocal left
        for result in learn(*arguments):
            left -= 1
            if left < 0:  # the step is done, but nobody has heard of it
                raise _StoppedError
            yield result

    monkeypatch.setattr(CompiledLearner, "learn", stops_soon)
    while True:
        left = batches
        try:
            return train(), stops
        except _StoppedError:
            stops += 1
