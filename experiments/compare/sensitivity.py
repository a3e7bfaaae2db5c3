"""Measure how far back one network remembers: `python -m experiments.compare.sensitivity NETWORK SEED`.

In: `data/reviews/`, `experiments/compare/runs/NETWORK-SEED/`. Out: `experiments/compare/sensitivity/NETWORK-SEED.json`.
"""

import sys
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from experiments.compare.runs import COMMAND, FOLDER, MODEL, RUNS
from imdb_rnn import model_file
from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError, run_command
from imdb_rnn.engine.ragged import Ragged
from imdb_rnn.evaluation import sensitivity
from imdb_rnn.evaluation.results import Result, Share
from imdb_rnn.model import Model
from imdb_rnn.text.corpus import Reviews, read_reviews
from imdb_rnn.text.encode import encode

SENSITIVITY = FOLDER / "sensitivity"
REVIEWS = 5000  # test reviews on which the sensitivity is measured
TRACED = 300  # test reviews that may be traced, if they have a suitable length
TRACED_WORDS = (50, 200)  # fewest and most words of a review that is traced


class RunSensitivity(Result):
    """How far back the network of one run remembers.

    gradient: by distance from the end of a review
    last_words: accuracy by how many words are left
    traces: for each of `traced_rows` the probability before the first word and after each word that the network reads:
        of positive, or of more than two classes of the label; for these `predicted` has the class predicted in the end
    """

    gradient: Annotated[list[Annotated[float, Field(ge=0)]], Field(min_length=1)]
    last_words: dict[str, Share]
    traces: list[Annotated[list[Share], Field(min_length=1)]]
    predicted: list[int] | None = None


def traced_rows(ranks: Ragged) -> np.ndarray:
    """The rows of the test reviews on which every network is traced: of `TRACED` reviews all of suitable length."""
    rows = sensitivity.sample(len(ranks), TRACED)
    fewest, most = TRACED_WORDS
    return rows[(ranks.lengths[rows] >= fewest) & (ranks.lengths[rows] <= most)]


def measure(network: Model, reviews: Reviews) -> RunSensitivity:
    """Measure a network on test reviews."""
    rows = sensitivity.sample(len(reviews), REVIEWS)
    ids = encode(reviews.ranks.rows(rows), network.encoding)
    measured = sensitivity.measure(network, ids, reviews.labels[rows])
    last_words = measured.last_words
    rows = traced_rows(reviews.ranks)
    traced = encode(reviews.ranks.rows(rows), network.encoding)
    traces = [
        network.trace_ids(traced[row], start) for row, start in enumerate(sensitivity.has_start_token(traced).tolist())
    ]
    decided = None
    if len(network.labels) > 2:
        decided = [int(trace[-1].argmax()) for trace in traces]
        traces = [trace[:, label] for trace, label in zip(traces, reviews.labels[rows], strict=True)]
    return RunSensitivity(
        gradient=measured.gradient["gradient"].tolist(),
        last_words=dict(zip(last_words["n_words"].astype(str), last_words["accuracy"].tolist(), strict=True)),
        traces=[trace.round(4).tolist() for trace in traces],
        predicted=decided,
    )


def main(arguments: list[str], root: Path) -> None:
    if len(arguments) != 2:
        raise UserError("name a preset and a seed: python -m experiments.compare.sensitivity NETWORK SEED")
    name = "-".join(arguments)
    network = model_file.load(root / RUNS / name / MODEL, COMMAND)
    measured = measure(network, read_reviews(root / files.REVIEWS, "test"))
    files.write_text(root / SENSITIVITY / f"{name}.json", measured.model_dump_json(exclude_none=True) + "\n")


if __name__ == "__main__":
    run_command(lambda: main(sys.argv[1:], Path()))
