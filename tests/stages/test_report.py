import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
from material import ROOT, changed, model_params, network_of
from networks import ragged

from imdb_rnn import model_file
from imdb_rnn.core import files, frames
from imdb_rnn.evaluation import behaviour, metrics, results, sensitivity
from imdb_rnn.evaluation.evaluate import evaluate
from imdb_rnn.reporting.small_networks import SMALL_NETWORKS
from imdb_rnn.text.corpus import Reviews
from imdb_rnn.text.data_report import data_report
from imdb_rnn.training.history import COLUMNS
from stages import report


def test_the_page_shows_what_was_written_and_counts_nothing_again(params, tmp_path, monkeypatch):
    """Of logits that six decimals make 0."""
    network = replace(network_of(model_params()), provenance={"source": "bundled"})
    monkeypatch.setattr(model_file, "load", lambda path: network)
    y, logits = np.array([0, 0, 1, 1]), np.array([-1e-9, -1.0, 1e-9, 1e-9])
    ids = ragged(*[[1, 4]] * 4)
    found = evaluate(ids, y, logits, network.vocabulary)
    tables = found.tables
    tables[files.HISTORY] = pd.DataFrame([[1, 0.5, 0.5, 0.5, 0.5]], columns=list(COLUMNS))
    tables[files.EXPLANATION / "behaviour.csv"] = behaviour.measure(network)
    measured = sensitivity.measure(network, ids, y)
    tables[files.EXPLANATION / "gradient.csv"] = measured.gradient
    tables[files.EXPLANATION / "last_words.csv"] = measured.last_words
    names, suspect = list(results.Suspect.model_fields), ["a.csv, row 2", "positive", "negative", 0.01, "model", "fine"]
    tables[files.SUSPECTS] = pd.DataFrame([[n, n, *suspect] for n in range(1, 102)], columns=names)
    point = [[400, 0.8, 0.7, 0.9, 0.8, 0.7, 0.9, False], [800, 0.9, 0.8, 1.0, 0.8, 0.8, 0.8, True]]
    tables[files.LEARNING_CURVE] = pd.DataFrame(point, columns=list(results.CurvePoint.model_fields))
    for path, table in tables.items():
        frames.write_csv(tmp_path / path, table)
    beside = metrics.beside_baseline(y, logits, logits)
    scores = {"best_epoch": 1, "test": found.scores, "test_intervals": found.intervals, **beside}
    files.write_json(tmp_path / files.METRICS, scores)
    reviews = Reviews(ids, y)
    data = data_report({"train": reviews, "test": reviews}, params.pad, network.provenance)
    files.write_json(tmp_path / files.DATA_REPORT, data.model_dump(exclude_unset=True))
    files.write_json(tmp_path / files.SENSITIVITY_METRICS, {"sensitivity": {"half_life_words": 9.87}})
    files.write_json(tmp_path / files.EXPLANATION / "traces.json", {"traces": []})
    (tmp_path / "results/experiments").mkdir()
    for path in (files.COMPARE_SENSITIVITY, files.SWEEP, SMALL_NETWORKS):
        (tmp_path / path).write_bytes((ROOT / path).read_bytes())
    report.main(params, tmp_path)
    page = (tmp_path / files.REPORT / "index.html").read_text(encoding="utf-8")
    shown = json.loads(page.split('id="contents-of-the-page">')[1].split("</script>")[0])
    assert [cell["n_reviews"] for cell in shown["confusion"]] == [2, 0, 0, 2]
    assert {name: score for name, score in shown["metrics"]["test"].items() if score is not None} == found.scores
    assert shown["metrics"]["test_intervals"] == json.loads(json.dumps(found.intervals))
    assert shown["roc"]["tpr"] == found.tables[files.ROC]["tpr"].tolist()
    suspects = shown["suspects"]
    assert (suspects["count"], len(suspects["first"]), suspects["first"][0]["place"]) == (101, 100, "a.csv, row 2")
    assert shown["curve"][1]["expected"] is True
    assert shown["half_life_words"] == 9.87
    own = changed(params, data={"source": "own"})
    report.main(own, tmp_path)
    page = (tmp_path / files.REPORT / "index.html").read_bytes()
    shutil.rmtree(tmp_path / files.SWEEP.parent)
    report.main(own, tmp_path)
    assert (tmp_path / files.REPORT / "index.html").read_bytes() == page, "experiments on films are not shown"
    assert {one["cell"] for one in shown["cells"]["networks"]} == {"simple_rnn", "gru", "lstm"}
