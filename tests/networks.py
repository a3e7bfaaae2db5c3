"""Networks of every kind, and the ids that they read."""

import numpy as np
from material import model_params

from imdb_rnn.reviews.ragged import Ragged, from_lengths

CELLS = ("simple_rnn", "lstm", "gru")
VOCAB_SIZE = 20

# One of each part that a network can have, and all of them together.
NETWORKS = {
    **{cell: model_params(cell=cell) for cell in CELLS},
    "three layers": model_params(cell="gru", layers=3),
    "bidirectional": model_params(cell="lstm", bidirectional=True),
    "max": model_params(pooling="max"),
    "mean": model_params(cell="gru", pooling="mean"),
    "dropout": model_params(embedding_dropout=0.5, dropout=0.5),
    "pairs": model_params(cell="gru", ngrams=2),
    "everything": model_params(
        cell="gru", layers=2, bidirectional=True, pooling="max+mean", ngrams=3, embedding_dropout=0.2, dropout=0.2
    ),
}


def ragged(*rows: list[int] | np.ndarray) -> Ragged:
    """Reviews without padding, one behind the other."""
    flat = np.concatenate([np.asarray(row, np.int32) for row in rows])
    return from_lengths(flat, np.array([len(row) for row in rows]))


def rows_of(rows: Ragged) -> list[list]:
    """The values of each row."""
    return [rows[row].tolist() for row in range(len(rows))]
