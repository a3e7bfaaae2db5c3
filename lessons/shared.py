"""What several lessons need: a place for figures, a task that needs memory, and a training that takes a second."""

import io
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from imdb_rnn.core.params import ModelParams, PadParams, TrainParams
from imdb_rnn.decision import is_correct
from imdb_rnn.engine.ragged import from_lengths
from imdb_rnn.model import compute_logits
from imdb_rnn.text.encode import Labelled
from imdb_rnn.training.loop import Trained, train

CELLS = {"simple_rnn": "SimpleRNN", "gru": "GRU", "lstm": "LSTM"}
COLORS = {"simple_rnn": "#d95f0e", "gru": "#4a9a5b", "lstm": "#1f6fb4"}
SEEDS = (1, 2, 3, 4, 5)
FIGURES = Path("lessons/figures")
LETTERS, FIRST_ID = 4, 3  # the letters a, b, c, d have the ids 3, 4, 5, 6; 0 is padding
ENCODING = PadParams(vocab_size=FIRST_ID + LETTERS, maxlen=1000)


def canvas(width: float = 7, height: float = 3, **options: Any) -> tuple[Figure, Any]:
    """A figure and its axes, without a window."""
    figure = Figure((width, height), layout="constrained", dpi=110)
    return figure, figure.subplots(**options)


def save(figure: Figure, name: str) -> Figure:
    """Write `lessons/figures/NAME.png`, and return the figure, which a notebook then shows."""
    FIGURES.mkdir(parents=True, exist_ok=True)
    figure.savefig(FIGURES / f"{name}.png", metadata={"Software": None})
    return figure


def first_letter(others: np.ndarray, seed: int) -> Labelled:
    """Sequences of random letters, of which the label is the first; `others`, (sequences,), says how many follow it."""
    random = np.random.default_rng(seed)
    letters = random.integers(0, LETTERS, int((others + 1).sum())).astype(np.int32)
    ids = from_lengths(letters + FIRST_ID, others + 1)
    return Labelled(ids, letters[ids.starts].astype(np.uint8))


def up_to(most: int, count: int = 2000) -> np.ndarray:
    """How many letters follow the first: from 0 to `most`, at random."""
    return np.random.default_rng(0).integers(0, most + 1, count)


def learn(
    cell: str, training: Labelled, validation: Labelled, seed: int, encoding: PadParams = ENCODING, **settings: Any
) -> tuple[Trained, ModelParams]:
    """Train a small network without a word; `settings` of `ModelParams` and `TrainParams`."""
    model = {"cell": cell, "embedding_dim": 8, "units": 16}
    steps = {"epochs": 20, "batch_size": 50, "learning_rate": 0.01, "seed": seed}
    for name, value in settings.items():
        (model if name in ModelParams.model_fields else steps)[name] = value
    params = ModelParams(**model)
    with redirect_stdout(io.StringIO()):
        return train(training, validation, params, encoding, TrainParams(**steps)), params


def accuracy(learnt: tuple[Trained, ModelParams], reviews: Labelled, encoding: PadParams = ENCODING) -> float:
    trained, params = learnt
    logits = compute_logits(trained.weights, trained.ngram_codes, params, encoding, reviews.ids)
    return round(float(is_correct(reviews.y, logits).mean()), 3)
