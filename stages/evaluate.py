"""Measure the trained network on reviews that it was not trained on, and show how it reads them.

In: `data/model.safetensors`, `data/padded/`, `data/reviews/`.

Out, from the test reviews: `results/metrics.json` (`test`, its `test_intervals`, and `validation` where reviews were
held out), `results/predictions.csv` with a row for each test review, `results/slices.csv` with the accuracy by length
and by share of out-of-vocabulary words, `results/classes.csv` with the scores of each class, the confusion matrix, and
the points of the ROC, precision-recall and calibration curves. From a sample of them, in `results/explanation/`:
`gradient.csv` (by distance from the end), `last_words.csv` (accuracy with only the last words left) and `traces.json`
(probability after every word of some reviews); and `results/sensitivity.json` with the half-life, left out where the
gradient does not fall to half.

Out, from the behaviour tests: `results/explanation/behaviour.csv`, a row for each test, and `results/behaviour.json`,
the share of cases that passed; both are empty if the network does not know the tests' words, or has more than two
classes of which none are called negative and positive.
"""

import json
from pathlib import Path

from imdb_rnn import model_file
from imdb_rnn.core import files, frames
from imdb_rnn.core.params import Params
from imdb_rnn.evaluation import behaviour, metrics, sensitivity
from imdb_rnn.evaluation.evaluate import evaluate
from imdb_rnn.evaluation.traces import trace_reviews
from imdb_rnn.model import Model
from imdb_rnn.text.corpus import read_reviews, read_vocabulary
from imdb_rnn.text.encode import Labelled, encode, read_padded, unpad
from imdb_rnn.training.batches import hold_out


def main(params: Params, root: Path) -> None:
    network = model_file.load(root / files.MODEL)
    measure(network, params, root)
    explain(network, params, root)


def measure(network: Model, params: Params, root: Path) -> None:
    """Write scores, predictions and curves."""
    x, y = read_padded(root / files.PADDED, "test", network.encoding.vocab_size)
    ids = unpad(x)
    found = evaluate(ids, y, network.logits(ids), network.vocabulary, network.labels, network.threshold)
    results: dict = {"best_epoch": network.best_epoch, "test": found.scores, "test_intervals": found.intervals}
    if params.train.validation == "holdout":
        x_train, y_train = read_padded(root / files.PADDED, "train", network.encoding.vocab_size)
        _, held_out = hold_out(Labelled(unpad(x_train), y_train), params.train)
        logits = network.logits(held_out.ids)
        results["validation"] = metrics.scores(held_out.y, logits, network.labels, network.threshold)
    for path, table in found.tables.items():
        frames.write_csv(root / path, table)
    files.write_json(root / files.METRICS, results)
    print(f"测试准确率: {found.scores['accuracy']:.4f}")
    print(f"Test accuracy: {found.scores['accuracy']:.4f}")


def explain(network: Model, params: Params, root: Path) -> None:
    """Write how far back the network remembers, how it reads some reviews, and which behaviour tests it passes."""
    reviews, vocabulary = read_reviews(root / files.REVIEWS, "test"), read_vocabulary(root / files.REVIEWS)
    rows = sensitivity.sample(len(reviews), params.explain.reviews)
    ranks, y = reviews.ranks.rows(rows), reviews.labels[rows]
    measured = sensitivity.measure(network, encode(ranks, network.encoding), y)
    traces = trace_reviews(network, ranks, y, vocabulary)
    traces = [{"review": int(rows[trace.pop("row")]), **trace} for trace in traces]
    tests = behaviour.measure(network)
    tables = {"behaviour.csv": tests, "gradient.csv": measured.gradient, "last_words.csv": measured.last_words}
    texts = {name: table.to_csv(index=False, lineterminator="\n") for name, table in tables.items()}
    texts["traces.json"] = json.dumps({"traces": traces}, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    with files.replacing(root / files.EXPLANATION) as new:
        new.mkdir()
        for name, text in texts.items():
            (new / name).write_text(text, encoding="utf-8", newline="\n")
    half_life = {} if measured.half_life is None else {"half_life_words": measured.half_life}
    files.write_json(root / files.SENSITIVITY_METRICS, {"sensitivity": half_life})
    files.write_json(root / files.BEHAVIOUR_METRICS, behaviour.as_metrics(tests))
    words = "longer than the reviews" if measured.half_life is None else f"{measured.half_life:.0f} words"
    print(f"half-life of a word's influence on the output: {words}")
    if len(tests):
        print(f"behaviour tests: {tests['passed'].sum()} of {tests['cases'].sum()} passed")
