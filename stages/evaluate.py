"""Measure the trained network on reviews that it was not trained on.

In: `data/model.keras`, `data/padded/`. Out: `results/metrics.json` (for `test`, and for `validation` where reviews were
held out), `results/predictions.csv` with a row for every test review, `results/slices.csv` with the accuracy by length
and by unknown words, and the points of the confusion matrix, the ROC and the precision-recall curve.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from imdb_rnn import model_file
from imdb_rnn.core import files, frames
from imdb_rnn.core.params import Params
from imdb_rnn.core.stage import run
from imdb_rnn.engine.kernels.arithmetic import expit
from imdb_rnn.engine.ragged import Ragged
from imdb_rnn.evaluation import metrics, sensitivity, slices
from imdb_rnn.text.encode import read_padded, unpad
from imdb_rnn.text.split import split_by_position
from imdb_rnn.text.vocabulary import words_of_ids
from imdb_rnn.training.decision import is_positive

OPENING_WORDS = 20


def predictions(ids: Ragged, y: np.ndarray, logits: np.ndarray, vocabulary: list[str]) -> pd.DataFrame:
    """A row for each review without padding, in order.

    Columns: review (row of ids), label, predicted (0 or 1), probability (of positive) and its logit, six decimals,
    words (that the network saw), opening (the first `OPENING_WORDS` of them, as it saw them).
    """
    openings = ids.first(1 + OPENING_WORDS)  # a start mark may come before
    probability = expit(logits)
    return pd.DataFrame(
        {
            "review": np.arange(len(y)),
            "label": y,
            "predicted": is_positive(logits).astype(int),
            "probability": probability.round(6),
            "logit": logits.round(6),
            "words": ids.lengths - sensitivity.has_start_token(ids),
            "opening": [
                " ".join(words_of_ids(openings[row].tolist(), vocabulary)[:OPENING_WORDS]) for row in range(len(ids))
            ],
        }
    )


def main(params: Params, root: Path) -> None:
    network = model_file.load(root / files.MODEL)
    x, y = read_padded(root / files.PADDED, "test", network.encoding.vocab_size)
    ids = unpad(x)
    logits = network.logits(ids)
    results: dict = {"best_epoch": network.best_epoch, "test": metrics.measure(y, logits)}
    if params.train.validation == "holdout":
        x_train, y_train = read_padded(root / files.PADDED, "train", network.encoding.vocab_size)
        _, held_out = split_by_position(y_train, params.train.validation_fraction, "train.validation_fraction")
        results["validation"] = metrics.measure(y_train[held_out], network.logits(unpad(x_train[held_out])))

    probability = expit(logits)
    tables = {
        files.PREDICTIONS: predictions(ids, y, logits, network.vocabulary),
        files.CONFUSION: metrics.confusion(y, logits),
        files.ROC: metrics.roc(y, probability),
        files.PRECISION_RECALL: metrics.precision_recall(y, probability),
        files.SLICES: slices.measure(
            y, logits, ids.lengths - sensitivity.has_start_token(ids), slices.unknown_shares(ids)
        ),
    }
    for path, table in tables.items():
        frames.write_csv(root / path, table)
    files.write_json(root / files.METRICS, results)
    print(f"测试准确率: {results['test']['accuracy']:.4f}")
    print(f"Test accuracy: {results['test']['accuracy']:.4f}")


if __name__ == "__main__":
    run(main, reads=("train.validation", "train.validation_fraction"))
