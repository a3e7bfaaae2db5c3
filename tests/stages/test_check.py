import pytest
from material import changed, run_stage, write_params

from imdb_rnn.core import files
from stages import check


def test_sound_parameters_leave_the_same_bytes_whatever_they_are(params, tmp_path):
    """Or every edit would run every stage again."""
    check.main(params, tmp_path)
    written = (tmp_path / files.CHECKED).read_bytes()
    check.main(changed(params, model={"cell": "gru"}, train={"epochs": 3}), tmp_path)
    assert (tmp_path / files.CHECKED).read_bytes() == written


@pytest.mark.slow
def test_what_the_engine_does_not_have_stops_the_pipeline_at_once_with_one_line(params, tmp_path):
    write_params(tmp_path, changed(params, model={"ngrams": 2}, train={"engine": "keras"}))
    ran = run_stage("check", tmp_path)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == (
        "error: params.yaml: model.ngrams is 2, which the engine keras does not have; "
        "set it to 0, or train.engine to compiled\n"
    )
    assert not (tmp_path / files.CHECKED).exists()
