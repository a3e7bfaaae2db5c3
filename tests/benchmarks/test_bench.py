import importlib.util
import os
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from material import ROOT

from benchmarks import bench
from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import parse_params


@pytest.fixture(autouse=True)
def _any_owner(monkeypatch):
    """The checkout may belong to another user, as in some containers."""
    for name, value in {"COUNT": "1", "KEY_0": "safe.directory", "VALUE_0": "*"}.items():
        monkeypatch.setenv(f"GIT_CONFIG_{name}", value)


def stored_results() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (ROOT / "benchmarks").glob("results*")}


def runs() -> pd.DataFrame:
    rows = []
    for number, (keras, ours) in enumerate([(100.0, 10.0), (120.0, 8.0), (110.0, 30.0)], start=1):
        for program, seconds in (("Keras", keras), ("pipeline", ours)):
            rows.append(("simple_rnn", program, number, 10, seconds, seconds + 4, 900.0, 0.86, 0.8, 5.0))
    rows[1] = (*rows[1][:-1], None)
    return pd.DataFrame(rows, columns=bench.COLUMNS)


def test_the_table_shows_medians_and_ratios():
    *_, keras, ours = bench.table(runs(), {"simple_rnn": 2.0}).splitlines()
    assert keras.split(" | ")[2:6] == ["3 × 10", "110.0 (100.0–120.0)", "1.0", "114.0"]
    assert ours.split(" | ")[2:6] == ["3 × 10", "10.0 (8.0–30.0)", "11.0", "14.0"]
    assert ours.split(" | ")[7] == "5.0 (2 of 3)"
    assert ours.endswith("| 5.0 |")


def test_the_table_of_stages_shows_medians_and_their_shares():
    runs = [{"DVC": 1.0, "train": train, "export": 3.0} for train in (6.0, 16.0, 5.0)]
    *_, train, export = bench.stage_table(runs).splitlines()
    assert train == "| train | 6.0 | 60% |"
    assert export == "| export | 3.0 | 30% |"


def test_operations_are_counted_over_words_only(tmp_path):
    (tmp_path / "data/padded").mkdir(parents=True)
    np.save(tmp_path / "data/padded/x_train.npy", np.array([[0, 0, 1], [1, 5, 6]], np.int32))
    np.save(tmp_path / "data/padded/x_test.npy", np.array([[0, 0, 1]], np.int32))
    one_word = 32 * (32 + 32)  # weights of the kernel and the recurrent kernel
    assert bench.operations("simple_rnn", 3, tmp_path) == 3 * (4 * 6 + 1 * 2) * one_word
    assert bench.operations("lstm", 3, tmp_path) == 4 * bench.operations("simple_rnn", 3, tmp_path)


def test_a_copy_of_the_project_has_the_article_s_settings(tmp_path):
    bench.checkout(tmp_path, "bundled", epochs=3, maxlen=70)
    params = parse_params((tmp_path / "params.yaml").read_text())
    assert (params.model.cell, params.model.embedding_dim, params.model.units) == ("simple_rnn", 32, 32)
    assert params.model.mask_padding is False
    assert params.data.source == "bundled"
    assert (params.train.clipnorm, params.train.validation) == (None, "test")
    assert (params.train.epochs, params.pad.maxlen) == (3, 70)
    assert (tmp_path / "stages/train.py").exists()
    for made in ("dvc.lock", "results/metrics.json", "results/sensitivity.json"):
        assert not (tmp_path / made).exists(), made


def test_a_number_that_is_no_parameter_s_is_named_before_anything_runs(tmp_path):
    with pytest.raises(UserError, match=r"params\.yaml: train\.epochs is 0"):
        bench.checkout(tmp_path, "bundled", epochs=0, maxlen=70)


@pytest.mark.parametrize("command", [["-m", "stages.which"], ["-m", "benchmarks.which"]])
def test_a_copy_of_the_project_runs_its_own_code(tmp_path, command):
    """Although the project is installed, and the path names where."""
    bench.checkout(tmp_path, "bundled", epochs=3, maxlen=70)
    for folder in ("stages", "benchmarks"):
        (tmp_path / folder / "which.py").write_text("import imdb_rnn, stages, tools\nprint(imdb_rnn, stages, tools)\n")
    for environment in ({}, {"PYTHONPATH": str(ROOT)}):
        printed = subprocess.check_output(
            [sys.executable, *command], cwd=tmp_path, env=os.environ | environment, text=True
        )
        assert printed.count(str(tmp_path)) == 3, printed


def test_pytorch_is_left_out_for_a_cell_that_it_does_not_have(monkeypatch, tmp_path):
    monkeypatch.setattr(bench, "timed", lambda module, folder, **environment: ("[[1.5, 0.7]]", 3.0, 100.0))
    monkeypatch.setattr(bench.pytorch, "LAYERS", {"lstm": "LSTM"})
    rows = bench.measure_all({"lstm": 1, "gru": 1}, ["PyTorch", "pipeline"], 1, tmp_path)
    assert [(row["cell"], row["program"]) for row in rows] == [
        ("lstm", "Keras"),
        ("lstm", "PyTorch"),
        ("lstm", "pipeline"),
        ("gru", "Keras"),
        ("gru", "pipeline"),
    ]


@pytest.mark.slow
def test_a_short_run_measures_everything(tmp_path):
    before = stored_results()
    options = ["--source", "bundled", "--rounds", "1", "--epochs", "1", "--other-epochs", "0", "--maxlen", "8"]
    options += ["--programs", "PyTorch", "pipeline", "--results", str(tmp_path / "new")]
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.bench", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
    )
    assert run.returncode == 0, run.stderr
    programs = ["Keras", "PyTorch", "pipeline"]
    if importlib.util.find_spec("torch") is None:
        programs.remove("PyTorch")
        assert "PyTorch is not installed and left out" in run.stderr

    runs = pd.read_csv(tmp_path / "new/results-bundled.csv")
    assert list(runs.columns) == bench.COLUMNS
    assert runs["program"].tolist() == programs
    assert set(runs["cell"]) == {"simple_rnn"}
    assert (runs["epochs"] == 1).all()
    assert (runs["seconds"] < runs["wall"]).all()
    assert (runs["last_accuracy"] > 0.6).all()  # the last words tell much
    assert (tmp_path / "new/results-bundled.png").stat().st_size > 10_000

    lines = [line for line in run.stdout.splitlines() if line.startswith("| simple_rnn")]
    assert [line.split(" | ")[1] for line in lines] == programs
    assert lines[0].split(" | ")[4] == "1.0"
    assert re.search(r"^\| train \| \d+\.\d \| \d+% \|$", run.stdout, re.M)
    assert re.search(
        r"^Cold `dvc repro` with the article's settings: \d+\.\d s, .* with nothing to do: \d+\.\d s\.$",
        run.stdout,
        re.M,
    )
    assert stored_results() == before
