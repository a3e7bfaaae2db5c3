"""Measure the trained network on reviews that it was not trained on.

In: `data/model.safetensors`, `data/padded/`. Out: `results/metrics.json` (`test`, its `test_intervals`, and
`validation` where reviews were held out), `results/predictions.csv` with a row for each test review,
`results/slices.csv` with the accuracy by length and by share of out-of-vocabulary words, the confusion matrix, and the
points of the ROC, precision-recall and calibration curves.
"""

from pathlib import Path

from imdb_rnn import model_file
from imdb_rnn.core import files, frames
from imdb_rnn.core.params import Params
from imdb_rnn.evaluation import metrics
from imdb_rnn.evaluation.evaluate import evaluate
from imdb_rnn.text.encode import Labelled, read_padded, unpad
from imdb_rnn.training.batches import hold_out


def main(params: Params, root: Path) -> None:
    network = model_file.load(root / files.MODEL)
    x, y = read_padded(root / files.PADDED, "test", network.encoding.vocab_size)
    ids = unpad(x)
    found = evaluate(ids, y, network.logits(ids), network.vocabulary)
    results: dict = {"best_epoch": network.best_epoch, "test": found.scores, "test_intervals": found.intervals}
    if params.train.validation == "holdout":
        x_train, y_train = read_padded(root / files.PADDED, "train", network.encoding.vocab_size)
        _, held_out = hold_out(Labelled(unpad(x_train), y_train), params.train)
        results["validation"] = metrics.scores(held_out.y, network.logits(held_out.ids))
    for path, table in found.tables.items():
        frames.write_csv(root / path, table)
    files.write_json(root / files.METRICS, results)
    print(f"测试准确率: {found.scores['accuracy']:.4f}")
    print(f"Test accuracy: {found.scores['accuracy']:.4f}")
