from importlib.util import find_spec

import pytest
from material import changed, contents

from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError
from imdb_rnn.training import learner
from stages import check


def test_parameters_change_no_fingerprint_or_every_edit_would_run_every_stage(params, tmp_path):
    check.main(params, tmp_path)
    written = contents(tmp_path / files.CODE)
    check.main(changed(params, model={"cell": "gru"}, train={"epochs": 3}), tmp_path)
    assert contents(tmp_path / files.CODE) == written
    assert "imdb_rnn/engine/kernels/recurrence.py" in written["train.txt"].decode()
    assert "imdb_rnn/reporting/page/page.js" in written["report.txt"].decode()


def test_without_tensorflow_the_engine_keras_is_refused_before_anything_is_removed(monkeypatch, params, tmp_path):
    monkeypatch.setattr(learner, "find_spec", lambda name: None if name == "tensorflow" else find_spec(name))
    check.main(params, tmp_path)
    before = contents(tmp_path)
    with pytest.raises(
        UserError, match=r"train\.engine is 'keras', which needs TensorFlow, and TensorFlow needs Python"
    ):
        check.main(changed(params, train={"engine": "keras"}), tmp_path)
    assert contents(tmp_path) == before
