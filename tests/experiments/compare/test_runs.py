import json

import numpy as np
import pytest
from material import ROOT

from experiments.compare.runs import PLAN, Run, read_plan, read_run, write_run
from imdb_rnn.core.errors import UserError

RUN = Run(weights=7, training_seconds=2.0, reviews_per_second=8)


def test_a_run_is_read_as_written(tmp_path):
    logits = np.array([-2, 0.7, -0.4, 30])
    write_run(tmp_path, RUN, logits)
    run, again = read_run(tmp_path, 4)
    assert run == RUN
    assert np.load(tmp_path / "logits.npy").dtype == np.float32
    assert again.dtype == np.float64
    np.testing.assert_allclose(again, logits, rtol=1e-7)


def test_a_damaged_run_is_named(tmp_path):
    write_run(tmp_path, RUN, np.zeros(4))
    with pytest.raises(UserError, match=r"logits\.npy is damaged \(it should hold 5 finite.*; run `make compare`"):
        read_run(tmp_path, 5)
    np.save(tmp_path / "logits.npy", np.array([0, 1, np.nan, 2]))
    with pytest.raises(UserError, match=r"logits\.npy is damaged \(it should hold 4 finite"):
        read_run(tmp_path, 4)
    (tmp_path / "logits.npy").write_bytes(b"")
    with pytest.raises(UserError, match=r"logits\.npy is damaged"):
        read_run(tmp_path, 4)
    for fault in ({"weights": None}, {"training_seconds": "2"}, {"accuracy": 0.5}):
        (tmp_path / "run.json").write_text(json.dumps(RUN.model_dump() | fault))
        with pytest.raises(UserError, match=r"run\.json is damaged \(.*; run `make compare`"):
            read_run(tmp_path, 4)


def test_a_missing_run_is_named(tmp_path):
    with pytest.raises(UserError, match=r"gru-2.run\.json is missing; run `make compare`"):
        read_run(tmp_path / "gru-2", 4)


def test_the_plan_is_read_and_a_faulty_one_is_named(tmp_path):
    assert "simple_rnn" in read_plan(ROOT).networks
    (tmp_path / PLAN).parent.mkdir(parents=True)
    for text, fault in (
        ("networks: []\nseeds: [1]", "networks"),
        ("networks: [gru]\nseeds: [one]", r"seeds\.0 is 'one'"),
    ):
        (tmp_path / PLAN).write_text(text)
        with pytest.raises(UserError, match=rf"compare/params\.yaml: .*{fault}"):
            read_plan(tmp_path)
