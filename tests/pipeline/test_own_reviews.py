"""User-supplied reviews from a table to predictions, by the stages' own functions."""

import csv
import os
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from material import ROOT, changed
from own_reviews import write_table

from imdb_rnn.core import files
from imdb_rnn.text.sources import bundled
from stages import check, download, evaluate, export, pad, report, train

pytestmark = pytest.mark.slow


def test_the_command_predicts_for_a_table_what_evaluate_predicted(params, tmp_path):
    """250 reviews of each label, alternating; the last fifth of each label is the test set."""
    reviews = bundled.read_table(bundled.find_file())
    halves = [reviews[reviews["label"] == label].iloc[:250].reset_index() for label in (0, 1)]
    reviews = pd.concat(halves).sort_index(kind="stable")[["text", "label"]]
    names = np.array(["bad", "good"])
    write_table(tmp_path, reviews.assign(label=names[reviews["label"]]).to_numpy().tolist())
    shutil.copytree(ROOT / "results/experiments", tmp_path / "results/experiments")
    settings = changed(
        params,
        data={"source": "own"},
        pad={"vocab_size": 2000, "maxlen": 100},
        model={"units": 8, "embedding_dim": 8, "cell": "gru", "ngrams": 2},
        train={"epochs": 2},
    )
    for stage in (check, download, pad, train, evaluate, report, export):
        stage.main(settings, tmp_path)
    card = (tmp_path / files.EXPORT / "model_card.md").read_text(encoding="utf-8")
    assert "good" in card
    assert "reviews from data/own" in card

    tested = reviews.groupby("label").tail(50).sort_index(kind="stable")
    tested.to_csv(tmp_path / "test.csv", index=False, quoting=csv.QUOTE_ALL)
    command = ["-m", "imdb_rnn", "predict", "--table", "test.csv", "--out", "out.csv"]
    subprocess.run([sys.executable, *command], check=True, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)})
    scored, predicted = pd.read_csv(tmp_path / "out.csv"), pd.read_csv(tmp_path / files.PREDICTIONS)
    np.testing.assert_allclose(scored["predicted_probability"], predicted["probability"], rtol=0, atol=1e-6)
    assert scored["label"].tolist() == tested["label"].tolist() == predicted["label"].tolist()
    assert scored["text"].tolist() == tested["text"].tolist()
    assert scored["predicted_label"].tolist() == names[predicted["predicted"]].tolist()
