"""What the tests of the page share: the report of a finished pipeline, opened in a browser.

It is the page of the small pipeline, or that of `make repro` if the environment says REPORT=1.
"""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from material import ROOT, complaints
from networks import ragged

from imdb_rnn.core.files import CLASSES, CONFUSION
from imdb_rnn.evaluation.evaluate import evaluate
from imdb_rnn.model import Model
from imdb_rnn.reporting.report import page, stored_network


@pytest.fixture(scope="module")
def folder(request) -> Path:
    return ROOT if os.environ.get("REPORT") else request.getfixturevalue("finished").folder


@pytest.fixture
def opened(browser, folder):
    """The report, opened; at the end the browser must have had nothing to complain of."""
    complaints(browser)
    browser.set_window_size(1280, 900)
    browser.get((folder / "results/report/index.html").as_uri())
    yield browser
    assert browser.title != "taken"
    assert complaints(browser) == []


@pytest.fixture(scope="module")
def contents(folder) -> dict:
    text = (folder / "results/report/index.html").read_text(encoding="utf-8")
    return json.loads(text.split('id="contents-of-the-page">')[1].split("</script>")[0])


@pytest.fixture
def open_page(browser, contents, tmp_path):
    """Opens the report with another network in it, and with `changes` of its contents."""
    complaints(browser)

    def open_page(network: Model, **changes: object) -> None:
        params = contents["parameters"] | {"model": network.params.model_dump()}
        shown = {
            **contents,
            "parameters": params,
            "network": stored_network(network),
            "labels": network.labels,
            "threshold": network.threshold,
            **changes,
        }
        if len(network.labels) > 2:
            shown = in_classes(shown, network.labels) | changes
        path = tmp_path / "index.html"
        path.write_text(page(shown), encoding="utf-8")
        browser.get(path.as_uri())

    yield open_page
    assert browser.title != "taken"
    assert complaints(browser) == []


def in_classes(contents: dict, labels: tuple[str, ...]) -> dict:
    """The contents of a page, as if their reviews had these labels."""
    random, count = np.random.default_rng(1), len(labels)
    y, logits = np.tile(np.arange(count), 6), random.normal(size=(6 * count, count))
    found = evaluate(ragged(*[[1, 4]] * len(y)), y, logits, ["film"], labels)
    rows = {
        name: found.tables[path].to_dict("records") for name, path in (("classes", CLASSES), ("confusion", CONFUSION))
    }
    of_part = {"negative": None, "positive": None, "labels": dict.fromkeys(labels, 5)}
    parts = {part: contents["data_report"][part] | of_part for part in ("train", "test")}
    traces = [trace | {"predicted": count - 1} for trace in contents["traces"]]
    scores = {"test": found.scores, "test_intervals": found.intervals, "validation": None, "baseline": found.scores}
    metrics = contents["metrics"] | scores
    return contents | rows | {"metrics": metrics, "traces": traces, "data_report": contents["data_report"] | parts}
