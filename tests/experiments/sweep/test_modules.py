"""Each stage of the sweep depends on the code that it runs."""

import yaml
from material import ROOT

from experiments.compare.modules import listing
from experiments.sweep.modules import STAGES
from experiments.sweep.plan import FOLDER

PIPELINE = yaml.safe_load((ROOT / FOLDER / "dvc.yaml").read_text(encoding="utf-8"))["stages"]


def test_each_stage_has_a_list_and_depends_on_it():
    assert {*PIPELINE} == {*STAGES, "modules"}
    for name in STAGES:
        assert f"modules/{name}.txt" in PIPELINE[name]["deps"]
        assert PIPELINE[name]["cmd"] == f"cd ../.. && python -m experiments.sweep.{name}"


def test_what_trains_is_in_the_list_of_the_search():
    listed = listing(FOLDER / "search.py", ROOT)
    for path in ("experiments/sweep/trial.py", "imdb_rnn/training/loop.py", "imdb_rnn/engine/kernels/recurrence.py"):
        assert f"  {path}\n" in listed
