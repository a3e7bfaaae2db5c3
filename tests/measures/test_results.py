import json

import pytest
from material import ROOT

from stages import files, results
from imdb_rnn.base.errors import UserError

METRICS = """{"kept_epoch": 5, "test":
    {"loss": 0.4, "accuracy": 0.8, "precision": 0.8, "recall": 0.8, "f1": 0.8, "roc_auc": 0.9}}"""
CONFUSION = (
    "label,predicted,reviews\nnegative,negative,8\nnegative,positive,2\npositive,negative,3\npositive,positive,7\n"
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results").mkdir()


def test_the_committed_metrics_are_read(folder):
    files.METRICS.write_text((ROOT / files.METRICS).read_text())
    assert results.read_metrics().model_dump() == json.loads(files.METRICS.read_text())


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", METRICS.replace("5", "Infinity", 1), METRICS.replace("0.9", "NaN"), METRICS.replace("0.9", "1.5")],
)
def test_damaged_metrics_are_named(folder, text):
    files.METRICS.write_text(text)
    with pytest.raises(UserError, match=r"^results.metrics.json is damaged .*; run `dvc repro evaluate`"):
        results.read_metrics()


def test_a_confusion_matrix_is_read(folder):
    files.CONFUSION.write_text(CONFUSION)
    assert results.read_confusion()["reviews"].tolist() == [8, 2, 3, 7]


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
def test_a_damaged_confusion_matrix_is_named(folder, text):
    files.CONFUSION.write_text(text)
    with pytest.raises(UserError, match=r"^results.confusion.csv is damaged .*; run `dvc repro evaluate`"):
        results.read_confusion()


@pytest.mark.parametrize("text", ["", "fpr,tpr\n", "fpr\n0\n", "fpr,tpr\n0,a\nb,1\n", "fpr,tpr\n0,nan\n"])
def test_a_damaged_curve_is_named(folder, text):
    files.ROC.write_text(text)
    with pytest.raises(UserError, match=r"^results.roc.csv is damaged .*; run `dvc repro evaluate`"):
        results.read_points(files.ROC, ("fpr", "tpr"))


def test_the_committed_memory_of_the_comparison_is_read(folder):
    files.COMPARE_MEMORY.write_text((ROOT / files.COMPARE_MEMORY).read_text(encoding="utf-8"), encoding="utf-8")
    found = results.read_compare_memory()
    assert {"simple_rnn", "lstm", "gru"} <= set(found.networks)
    assert all(set(trace.probability) == set(found.networks) for trace in found.traces)


@pytest.mark.parametrize("text", ["", "{}", '{"source": "keras", "networks": {}, "traces": [{}]}'])
def test_a_damaged_memory_of_the_comparison_is_named(folder, text):
    files.COMPARE_MEMORY.write_text(text)
    with pytest.raises(UserError, match=r"^results.compare_memory.json cannot be read .* or run `make compare`"):
        results.read_compare_memory()


@pytest.mark.parametrize(
    "text",
    [
        "label,probability\n0,0.1\n0,0.2\n",
        "label,probability\n0,0.1\n0,0.2\n1,0.3\n2,0.3\n",
        "label,probability\n0,0.1\n0,0.2\n1,0.3\n1,1.3\n",
        "label\n0\n0\n1\n1\n",
    ],
)
def test_damaged_predictions_are_named(folder, text):
    files.PREDICTIONS.write_text(text)
    with pytest.raises(UserError, match=r"^results.predictions.csv is damaged .*; run `dvc repro evaluate`"):
        results.read_predictions()


def test_predictions_are_read(folder):
    files.PREDICTIONS.write_text("review,label,probability\n0,0,0.1\n1,0,0.2\n2,1,0.3\n3,1,1\n")
    y, probability = results.read_predictions()
    assert (y.tolist(), probability.tolist()) == ([0, 0, 1, 1], [0.1, 0.2, 0.3, 1.0])


@pytest.mark.parametrize(
    "probability", [[0.5], [0.5, 0.5, 0.5], [0.5, 1.5], [0.5, float("nan")]], ids=["few", "many", "large", "nan"]
)
def test_damaged_traces_are_named(folder, probability):
    trace = {"review": 0, "label": 0, "kind": "right", "words": ["a"], "known": [True], "probability": probability}
    files.TRACES.write_text(json.dumps({"traces": [trace]}))
    with pytest.raises(UserError, match=r"^results.traces.json is damaged .*; run `dvc repro explain`"):
        results.read_traces()


def test_a_half_life_may_be_absent(folder):
    files.MEMORY_METRICS.write_text('{"memory": {}}')
    assert results.read_memory().half_life_words is None
    files.MEMORY_METRICS.write_text('{"memory": {"half_life_words": NaN}}')
    with pytest.raises(UserError, match=r"^results.memory.json is damaged .*; run `dvc repro explain`"):
        results.read_memory()
