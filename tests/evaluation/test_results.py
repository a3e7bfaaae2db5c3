import json

import pytest
from material import ROOT

from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError
from imdb_rnn.evaluation import results

METRICS = """{"best_epoch": 5, "test":
    {"loss": 0.4, "accuracy": 0.8, "precision": 0.8, "recall": 0.8, "f1": 0.8, "roc_auc": 0.9}}"""
CONFUSION = (
    "label,predicted,reviews\nnegative,negative,8\nnegative,positive,2\npositive,negative,3\npositive,positive,7\n"
)


def test_the_committed_metrics_are_read():
    text = (ROOT / files.METRICS).read_text()
    assert files.read_json(results.Metrics, ROOT / files.METRICS, "evaluate").model_dump() == json.loads(text)
    assert (
        files.read_json(
            results.SensitivityMetrics, ROOT / files.SENSITIVITY_METRICS, "explain"
        ).sensitivity.half_life_words
        > 0
    )


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", METRICS.replace("5", "Infinity", 1), METRICS.replace("0.9", "NaN"), METRICS.replace("0.9", "1.5")],
)
def test_damaged_metrics_are_named(tmp_path, text):
    (tmp_path / "metrics.json").write_text(text)
    with pytest.raises(UserError, match=r"metrics.json is damaged .*; run `dvc repro evaluate`"):
        files.read_json(results.Metrics, tmp_path / "metrics.json", "evaluate")


def test_a_confusion_matrix_is_read(tmp_path):
    (tmp_path / "confusion.csv").write_text(CONFUSION)
    assert results.read_confusion(tmp_path / "confusion.csv")["reviews"].tolist() == [8, 2, 3, 7]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "label,predicted,reviews\n",
        CONFUSION.replace("8", "many"),
        CONFUSION.replace("8", "-8"),
        CONFUSION.replace("8", "0").replace("2", "0"),
        CONFUSION.replace("negative,positive", "negative,negative"),
        CONFUSION + "positive,positive,7\n",
        CONFUSION[: CONFUSION.index("positive,neg")],
    ],
)
def test_a_damaged_confusion_matrix_is_named(tmp_path, text):
    (tmp_path / "confusion.csv").write_text(text)
    with pytest.raises(UserError, match=r"confusion.csv is damaged .*; run `dvc repro evaluate`"):
        results.read_confusion(tmp_path / "confusion.csv")


@pytest.mark.parametrize(
    "text",
    [
        "label,logit\n0,0.1\n0,0.2\n",
        "label,logit\n0,0.1\n0,0.2\n1,0.3\n2,0.3\n",
        "label,logit\n0,0.1\n0,0.2\n1,0.3\n1,inf\n",
        "label\n0\n0\n1\n1\n",
    ],
)
def test_damaged_predictions_are_named(tmp_path, text):
    (tmp_path / "predictions.csv").write_text(text)
    with pytest.raises(UserError, match=r"predictions.csv is damaged .*; run `dvc repro evaluate`"):
        results.read_predictions(tmp_path / "predictions.csv")


def test_predictions_are_read(tmp_path):
    (tmp_path / "predictions.csv").write_text("review,label,logit\n0,0,-0.1\n1,0,0.2\n2,1,30\n3,1,1\n")
    y, logits = results.read_predictions(tmp_path / "predictions.csv")
    assert (y.tolist(), logits.tolist()) == ([0, 0, 1, 1], [-0.1, 0.2, 30, 1])


@pytest.mark.parametrize(
    "probability", [[0.5], [0.5, 0.5, 0.5], [0.5, 1.5], [0.5, float("nan")]], ids=["few", "many", "large", "nan"]
)
def test_damaged_traces_are_named(tmp_path, probability):
    trace = {"review": 0, "label": 0, "kind": "right", "words": ["a"], "known": [True], "probability": probability}
    (tmp_path / "traces.json").write_text(json.dumps({"traces": [trace]}))
    with pytest.raises(UserError, match=r"traces.json is damaged .*; run `dvc repro explain`"):
        files.read_json(results.Traces, tmp_path / "traces.json", "explain")


def test_a_half_life_may_be_absent(tmp_path):
    (tmp_path / "sensitivity.json").write_text('{"sensitivity": {}}')
    assert (
        files.read_json(
            results.SensitivityMetrics, tmp_path / "sensitivity.json", "explain"
        ).sensitivity.half_life_words
        is None
    )
    (tmp_path / "sensitivity.json").write_text('{"sensitivity": {"half_life_words": NaN}}')
    with pytest.raises(UserError, match=r"sensitivity.json is damaged .*; run `dvc repro explain`"):
        files.read_json(results.SensitivityMetrics, tmp_path / "sensitivity.json", "explain")
