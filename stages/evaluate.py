"""Measure the trained network on reviews that it was not trained on, and show how it reads them.

In: `data/model.safetensors`, `data/baseline.npy`, `data/out_of_fold/`, `data/padded/`, `data/reviews/`.

Out, from the test reviews: `results/metrics.json` (`test`, its `test_intervals`, and `validation` where reviews were
held out, and those of the linear model), `results/predictions.csv` with a row for each test review,
`results/slices.csv` with the accuracy by length and by share of out-of-vocabulary words, `results/classes.csv` with the
scores of each class, the confusion matrix, and the points of the ROC, precision-recall and calibration curves. From a
sample of them, in `results/explanation/`: `gradient.csv` (by distance from the end), `last_words.csv` (accuracy with
only the last words left) and `traces.json` (probability after every word of some reviews); and
`results/sensitivity.json` with the half-life, left out where the gradient does not fall to half.

Out, from the training reviews: `results/suspects.csv`, those whose labels look wrong; without `train.folds` none.

Out, from the behaviour tests: `results/explanation/behaviour.csv`, a row for each test, and `results/behaviour.json`,
the share of cases that passed; both are empty if the network does not know the tests' words, or has more than two
classes of which none are called negative and positive.
"""

import json
from pathlib import Path

import pandas as pd

from imdb_rnn import model_file
from imdb_rnn.core import files, frames
from imdb_rnn.core.params import Params
from imdb_rnn.decision import THRESHOLD
from imdb_rnn.evaluation import behaviour, metrics, sensitivity, suspects
from imdb_rnn.evaluation.evaluate import evaluate
from imdb_rnn.evaluation.results import Metrics, Suspect
from imdb_rnn.evaluation.traces import trace_reviews
from imdb_rnn.model import Model
from imdb_rnn.text.corpus import read_places, read_reviews, read_vocabulary
from imdb_rnn.text.encode import Labelled, encode, read_padded, unpad
from imdb_rnn.training import out_of_fold
from imdb_rnn.training.batches import hold_out


def main(params: Params, root: Path) -> None:
    network = model_file.load(root / files.MODEL)
    measure(network, params, root)
    list_suspects(network, root)
    explain(network, params, root)


def measure(network: Model, params: Params, root: Path) -> None:
    """Write scores, predictions and curves."""
    x, y = read_padded(root / files.PADDED, "test", network.encoding.vocab_size)
    ids = unpad(x)
    logits, baseline = network.logits(ids), files.read_array(root / files.BASELINE, "baseline")
    if baseline.shape != logits.shape:
        raise files.damaged(root / files.BASELINE, "baseline", f"it is of shape {baseline.shape}, not {logits.shape}")
    found = evaluate(ids, y, logits, network.vocabulary, network.labels, network.threshold)
    measured: dict = {"best_epoch": network.best_epoch, "test": found.scores, "test_intervals": found.intervals}
    if params.train.validation == "holdout":
        x_train, y_train = read_padded(root / files.PADDED, "train", network.encoding.vocab_size)
        _, held_out = hold_out(Labelled(unpad(x_train), y_train), params.train)
        of_held_out = network.logits(held_out.ids)
        measured["validation"] = metrics.scores(held_out.y, of_held_out, network.labels, network.threshold)
    for path, table in found.tables.items():
        frames.write_csv(root / path, table)
    measured |= metrics.beside_baseline(y, logits, baseline, network.labels)
    files.write_json(root / files.METRICS, measured)
    show(Metrics.model_validate_json(json.dumps(measured)), network.threshold)


def show(measured: Metrics, threshold: float) -> None:
    """Print the accuracy and the linear model's, and whether the network is worth it."""
    network, linear, chance = measured.test["accuracy"], measured.baseline["accuracy"], measured.chance
    print(f"测试准确率: {network:.4f}；线性模型: {linear:.4f}；全猜多数类: {chance:.4f}")
    print(f"Test accuracy: {network:.4f}; a linear model: {linear:.4f}; chance: {chance:.4f}")
    if threshold != THRESHOLD:
        at_half = linear + measured.above_baseline
        print(f"They are compared at a threshold of 0.5, not {threshold}; there the network has {at_half:.4f}")
    low, high = measured.above_baseline_interval
    if measured.compared() == "worse":
        print(f"The linear model is better, by {-high:.4f} to {-low:.4f}: on these reviews the network is not worth it")
    elif measured.compared() == "level":
        difference = f"{low:.4f} and {high:.4f}"
        print(f"No clear difference: the network's accuracy minus the linear model's is between {difference}")


def list_suspects(network: Model, root: Path) -> None:
    """Write which training reviews have labels that look wrong."""
    found, table = out_of_fold.read(root / files.OUT_OF_FOLD), pd.DataFrame(columns=[*Suspect.model_fields])
    if found:
        folder, separator = root / files.REVIEWS, "" if network.tokenizer == "char" else " "
        reviews = read_reviews(folder, "train")
        if len(found.logits) != len(reviews):
            raise files.damaged(root / files.OUT_OF_FOLD, "folds", f"it does not belong to {len(reviews)} reviews")
        named = read_vocabulary(folder), network.labels, read_places(folder), separator
        table = suspects.suspects(reviews.labels, found.logits, reviews.ranks, *named)
        more = " or more" * (len(table) == suspects.MOST)
        print(f"{len(table):,}{more} of {len(reviews):,} training labels look wrong: {files.SUSPECTS}")
    frames.write_csv(root / files.SUSPECTS, table)


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
    if not measured.gradient["gradient"].any():
        print("the recurrent network has no influence on the output: the n-grams decide alone")
    else:
        words = "longer than the reviews" if measured.half_life is None else f"{measured.half_life:.0f} words"
        print(f"half-life of a word's influence on the output: {words}")
    if len(tests):
        print(f"behaviour tests: {tests['passed'].sum()} of {tests['cases'].sum()} passed")
