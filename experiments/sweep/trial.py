"""One trial of a sweep: training as in `stages/train.py`, with other values for some parameters."""

import tempfile
from pathlib import Path
from typing import Any

from experiments.sweep.plan import Domain, rounded, with_values
from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import Params
from imdb_rnn.text.corpus import Reviews
from imdb_rnn.text.encode import Labelled, encode
from imdb_rnn.text.vocabulary import known_words
from imdb_rnn.training.batches import hold_out
from imdb_rnn.training.history import COLUMNS, best_epoch, diverged, is_over
from imdb_rnn.training.loop import train

CHECKPOINT = "checkpoint.npz"
LOSS = "val_loss"  # by which the trials are compared
FAILED = float("inf")


def run(
    values: dict[str, Any], params: Params, space: dict[str, Domain], reviews: Reviews, vocabulary: list[str]
) -> None:
    """Train, and report to Ray after each epoch: the metrics of the best epoch so far, and whether training is over.

    Resumes from the checkpoint that Ray has of this trial, on whatever machine it was written. A trial that cannot be
    trained reports an infinite loss and the reason.

    Args:
        values: by dotted key, the values that replace those of `params`, before they are `rounded`.
        space: of the plan.
        reviews, vocabulary: the training reviews, and their words, rank 1 first.
    """
    from ray import tune

    try:
        _train(with_values(params, rounded(values, space)), reviews, vocabulary)
    except UserError as error:
        tune.report({LOSS: FAILED, "error": str(error)})


def _train(params: Params, reviews: Reviews, vocabulary: list[str]) -> None:
    from ray import tune

    labelled = Labelled(encode(reviews.ranks, params.pad), reviews.labels)
    training, validation = hold_out(labelled, params.train)
    earlier = tune.get_checkpoint()
    with tempfile.TemporaryDirectory() as folder:
        if earlier:
            earlier.to_directory(folder)

        def report(history: list[list[float]]) -> None:
            best = best_epoch(history, params.train)
            row = dict(zip(COLUMNS, history[best - 1], strict=True))
            row |= {"epoch": len(history), "best_epoch": best, "is_over": is_over(history, params.train)}
            tune.report(row, checkpoint=tune.Checkpoint.from_directory(folder))

        path = Path(folder, CHECKPOINT)
        words = known_words(vocabulary, params.pad.vocab_size)
        history = train(training, validation, params.model, params.pad, params.train, path, report, words).history
    if not is_over(history.to_numpy().tolist(), params.train):
        raise UserError(diverged(len(history) + 1))
