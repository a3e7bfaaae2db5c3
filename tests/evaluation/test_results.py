import json

import pytest
from material import ROOT

from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError
from imdb_rnn.evaluation import results

SCORES = {"loss": 0.8, "accuracy": 0.8}
BESIDE = {"baseline": SCORES, "chance": 0.5, "above_baseline": 0.0, "above_baseline_interval": [-0.1, 0.1]}
INTERVALS = {"accuracy": [0.7, 0.9], "f1": None}
METRICS = json.dumps({"best_epoch": 5, "test": SCORES, "test_intervals": INTERVALS, **BESIDE})
CONFUSION = (
    "label,predicted,n_reviews\nnegative,negative,8\nnegative,positive,2\npositive,negative,3\npositive,positive,7\n"
)


def test_the_committed_metrics_are_read():
    text = (ROOT / files.METRICS).read_text()
    metrics = files.read_json(results.Metrics, ROOT / files.METRICS, "evaluate")
    assert metrics.model_dump(exclude_none=True) == json.loads(text)
    sensitivity = files.read_json(results.SensitivityMetrics, ROOT / files.SENSITIVITY_METRICS, "evaluate").sensitivity
    assert sensitivity.half_life_words > 0


@pytest.mark.parametrize(
    "text",
    ["", "{}", METRICS.replace("5", "Infinity", 1), METRICS.replace("0.8", "NaN"), METRICS.replace("[0.7, 0.9]", "[]")],
)
def test_damaged_metrics_are_named(tmp_path, text):
    path = tmp_path / "metrics.json"
    path.write_text(METRICS)
    assert files.read_json(results.Metrics, path, "evaluate").test_intervals == INTERVALS
    path.write_text(text)
    with pytest.raises(UserError, match=r"metrics.json is damaged .*; run `dvc repro evaluate`"):
        files.read_json(results.Metrics, path, "evaluate")


@pytest.mark.parametrize(
    "text", [None, "", CONFUSION.replace("8", "many"), CONFUSION.replace("8", "-8"), CONFUSION.replace("label", "y")]
)
def test_a_damaged_table_is_named(tmp_path, text):
    path = tmp_path / "confusion.csv"
    path.write_text(CONFUSION)
    rows = results.read_rows(results.ConfusionCell, path, "evaluate")
    assert [row.n_reviews for row in rows] == [8, 2, 3, 7]
    path.write_text(CONFUSION.replace("negative", "1").replace("positive", "NA"))  # any text may name a class
    rows = results.read_rows(results.ConfusionCell, path, "evaluate")
    assert [(row.label, row.predicted) for row in rows] == [("1", "1"), ("1", "NA"), ("NA", "1"), ("NA", "NA")]
    path.unlink() if text is None else path.write_text(text)
    with pytest.raises(UserError, match=r"confusion.csv is (missing|damaged .*); run `dvc repro evaluate`"):
        results.read_rows(results.ConfusionCell, path, "evaluate")


def test_a_half_life_may_be_absent(tmp_path):
    path = tmp_path / "sensitivity.json"
    path.write_text('{"sensitivity": {}}')
    assert files.read_json(results.SensitivityMetrics, path, "evaluate").sensitivity.half_life_words is None
