import json

import pytest
from material import ROOT

from stages import files, results
from stages.errors import UserError

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
