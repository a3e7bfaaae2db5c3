import json

import pytest
from material import ROOT

from stages import files, plot
from stages.errors import UserError

CONFUSION = (
    "label,predicted,reviews\nnegative,negative,8\nnegative,positive,2\npositive,negative,3\npositive,positive,7\n"
)


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results").mkdir()


def test_the_committed_metrics_are_read(results):
    files.METRICS.write_text((ROOT / files.METRICS).read_text())
    metrics = json.loads(files.METRICS.read_text())
    assert plot.read_metrics() == (metrics["kept_epoch"], metrics["test"]["roc_auc"])


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", '{"kept_epoch": Infinity, "test": {"roc_auc": 1}}', '{"kept_epoch": 1, "test": {"roc_auc": NaN}}'],
)
def test_damaged_metrics_are_named(results, text):
    files.METRICS.write_text(text)
    with pytest.raises(UserError, match=r"^results.metrics.json is damaged .*; run `dvc repro evaluate`"):
        plot.read_metrics()


def test_a_confusion_matrix_is_read(results):
    files.CONFUSION.write_text(CONFUSION)
    assert plot.read_confusion()["reviews"].tolist() == [8, 2, 3, 7]


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
def test_a_damaged_confusion_matrix_is_named(results, text):
    files.CONFUSION.write_text(text)
    with pytest.raises(UserError, match=r"^results.confusion.csv is damaged .*; run `dvc repro evaluate`"):
        plot.read_confusion()


@pytest.mark.parametrize("text", ["", "fpr,tpr\n", "fpr\n0\n", "fpr,tpr\n0,a\nb,1\n", "fpr,tpr\n0,nan\n"])
def test_a_damaged_curve_is_named(results, text):
    files.ROC.write_text(text)
    with pytest.raises(UserError, match=r"^results.roc.csv is damaged .*; run `dvc repro evaluate`"):
        plot.read_points(files.ROC, ("fpr", "tpr"))
