"""Somebody's own reviews from a table to answers, by the stages' own functions."""

import csv
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from material import changed
from own_reviews import write_table

import imdb_rnn
from imdb_rnn.core import files
from imdb_rnn.text.sources import bundled
from stages import check, download, evaluate, explain, export, pad, report, train

pytestmark = pytest.mark.slow
TEST = 100  # reviews


@pytest.fixture(scope="module")
def texts() -> pd.DataFrame:
    """Some reviews, in turns of both labels."""
    table = bundled.read_table(bundled.find_file())
    halves = [table[table["label"] == label].iloc[:250].reset_index() for label in (0, 1)]
    return pd.concat(halves).sort_index(kind="stable")


@pytest.fixture(scope="module")
def ran(params, texts, tmp_path_factory):
    """A project in which the stages made all of the table."""
    folder = tmp_path_factory.mktemp("own")
    rows = zip(texts["text"], texts["label"], strict=True)
    write_table(folder, [[text, ["bad", "good"][label]] for text, label in rows])
    said = changed(
        params,
        data={"source": "own"},
        pad={"vocab_size": 2000, "maxlen": 100},
        model={"units": 8, "embedding_dim": 8, "cell": "gru", "ngrams": 2},
        train={"epochs": 2},
    )
    (folder / files.COMPARE_SENSITIVITY).parent.mkdir(parents=True)
    (folder / files.COMPARE_SENSITIVITY).write_text('{"source": "none", "networks": {}, "traces": []}')
    columns = "trial,status,epochs,best_epoch,val_loss,val_accuracy,ended,seconds,error"
    (folder / files.SWEEP).write_text(f"{columns}\n")  # of a sweep without a trial
    for stage in (check, download, pad, train, evaluate, explain, report, export):
        stage.main(said, folder)
    return folder


def test_the_command_answers_what_evaluate_predicted(ran, texts, tmp_path):
    """For every test review, in their order, with their columns."""
    tested = texts.groupby("label").tail(TEST // 2).sort_index(kind="stable")
    table = tmp_path / "test.csv"
    tested[["label", "text"]].to_csv(table, index=False, quoting=csv.QUOTE_ALL)
    command = ["-m", "imdb_rnn", "predict", "--table", str(table), "--out", str(tmp_path / "out.csv")]
    subprocess.run([sys.executable, *command, "--model", str(ran / files.MODEL)], check=True)
    scored = pd.read_csv(tmp_path / "out.csv")
    predicted = pd.read_csv(ran / files.PREDICTIONS)
    assert len(predicted) == len(scored) == TEST
    np.testing.assert_allclose(scored["predicted_probability"], predicted["probability"], rtol=0, atol=1e-6)
    assert scored["label"].tolist() == tested["label"].tolist() == predicted["label"].tolist()
    assert scored["text"].tolist() == tested["text"].tolist()
    assert scored["predicted_label"].tolist() == [["bad", "good"][label] for label in predicted["predicted"]]


def test_the_model_speaks_of_labels_as_the_table_does(ran):
    model = imdb_rnn.load(ran / files.MODEL)
    assert set(model.predict(["wonderful great best", "worst awful boring"])) <= {"bad", "good"}


def test_page_and_card_are_of_these_reviews(ran):
    assert '"tokenizer":"word"' in (ran / files.REPORT / "index.html").read_text(encoding="utf-8")
    card = (ran / files.EXPORT / "model_card.md").read_text(encoding="utf-8")
    assert "good" in card
    assert "reviews from data/own" in card
