"""Put everything on one page that works offline, with the trained network in it.

In: the parameters, `data/model.safetensors`, the results of `train` and `evaluate`, and, from git, the
results of the last comparison and the last sweep, and for film reviews the three small networks of `make cells`. Out:
`results/report/index.html`. Nothing is counted here. What the page looks like and does is in
`imdb_rnn/reporting/page/`.
"""

from pathlib import Path

from imdb_rnn import model_file
from imdb_rnn.core import files, frames
from imdb_rnn.core.params import Params
from imdb_rnn.evaluation import results
from imdb_rnn.evaluation.intervals import CONFIDENCE
from imdb_rnn.evaluation.suspects import MOST
from imdb_rnn.reporting.comparison_results import read_comparison
from imdb_rnn.reporting.report import page, stored_network, stored_small_networks
from imdb_rnn.reporting.small_networks import SMALL_NETWORKS, load
from imdb_rnn.reporting.sweep_results import read_sweep, summarize
from imdb_rnn.reporting.texts import TESTS
from imdb_rnn.text.columns import TEXT
from imdb_rnn.text.data_report import DataReport
from imdb_rnn.training.history import read_history

SUSPECTS_SHOWN = 100
CALIBRATION = ("predicted", "positive", "low", "high", "n_reviews")


def main(params: Params, root: Path) -> None:
    network = model_file.load(root / files.MODEL)
    explanation = root / files.EXPLANATION
    is_own, has_experiments = params.data.source == "own", (root / files.SWEEP.parent).is_dir()
    comparison = read_comparison(root / files.COMPARE_SENSITIVITY) if has_experiments else None
    if comparison and (comparison.source == "own") != is_own:
        comparison = None  # it is about other reviews
    shows_films = has_experiments and not is_own  # what is in git is about film reviews
    sensitivity = files.read_json(results.SensitivityMetrics, root / files.SENSITIVITY_METRICS, "evaluate")

    suspicious = results.read_rows(results.Suspect, root / files.SUSPECTS, "evaluate")

    def points(path: Path, columns: tuple[str, ...], stage: str) -> dict:
        return frames.read_points(path, columns, stage).to_dict("list")

    contents = {
        "parameters": {
            "data": {"source": params.data.source, params.data.source: params.data.of_source()},
            "pad": params.pad,
            "model": params.model,
            "train": params.train,
            "explain": params.explain,
        },
        "labels": network.labels,
        "provenance": network.provenance,
        "tokenizer": network.tokenizer,
        "text_names": TEXT,
        "threshold": network.threshold,
        "confidence": CONFIDENCE,
        "weights": network.count_weights(),
        "data_report": files.read_json(DataReport, root / files.DATA_REPORT, "pad").model_dump(
            exclude={"confirmation"}
        ),
        "metrics": files.read_json(results.Metrics, root / files.METRICS, "evaluate"),
        "history": read_history(root / files.HISTORY).to_dict("list"),
        "confusion": results.read_rows(results.ConfusionCell, root / files.CONFUSION, "evaluate"),
        "classes": results.read_rows(results.ClassScores, root / files.CLASSES, "evaluate"),
        "roc": points(root / files.ROC, ("fpr", "tpr"), "evaluate"),
        "calibration": points(root / files.CALIBRATION, CALIBRATION, "evaluate"),
        "behaviour": [
            {**row.model_dump(), "name": TESTS[row.test]}
            for row in results.read_rows(results.Behaviour, explanation / "behaviour.csv", "evaluate")
        ],
        "half_life_words": sensitivity.sensitivity.half_life_words,
        "gradient": points(explanation / "gradient.csv", ("k", "gradient", "n_reviews"), "evaluate"),
        "last_words": points(explanation / "last_words.csv", ("n_words", "accuracy"), "evaluate"),
        "traces": files.read_json(results.Traces, explanation / "traces.json", "evaluate").traces,
        "curve": results.read_rows(results.CurvePoint, root / files.LEARNING_CURVE, "folds"),
        "suspects": {"count": len(suspicious), "most": MOST, "first": suspicious[:SUSPECTS_SHOWN]},
        "comparison": comparison,
        "sweep": summarize(read_sweep(root / files.SWEEP)) if shows_films else None,
        "network": stored_network(network),
        "cells": stored_small_networks(load(root / SMALL_NETWORKS)) if shows_films else None,
    }
    text = page(contents)
    with files.replacing(root / files.REPORT) as new:
        new.mkdir()
        (new / "index.html").write_text(text, encoding="utf-8", newline="\n")
    print(f"open {files.REPORT / 'index.html'} in a browser ({len(text.encode()) / 1e6:.1f} MB)")
