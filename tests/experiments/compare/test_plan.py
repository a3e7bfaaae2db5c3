import pytest
from material import ROOT

from experiments.compare.plan import read_plan
from experiments.compare.runs import PLAN
from imdb_rnn.core.errors import UserError


def test_the_plan_is_read_and_a_faulty_one_is_named(tmp_path):
    assert "simple_rnn" in read_plan(ROOT).networks
    (tmp_path / PLAN).parent.mkdir(parents=True)
    for text, fault in (
        ("networks: []\nseeds: [1]", "networks"),
        ("networks: [gru]", "seeds is missing"),
        ("seeds: 1", "seeds is 1"),
    ):
        (tmp_path / PLAN).write_text(text)
        with pytest.raises(UserError, match=rf"compare/params\.yaml: .*{fault}"):
            read_plan(tmp_path)
