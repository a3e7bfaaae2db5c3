"""The best trial as a preset: read back to the last digit, and nothing else of the file changed."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from material import ROOT, changed

from experiments.sweep.best import NAME, as_yaml, with_preset
from imdb_rnn.core.params import parse_yaml
from imdb_rnn.core.presets import PRESETS_FILE, apply, preset
from imdb_rnn.reporting.sweep_results import Trial, read_sweep

PRESETS = (ROOT / PRESETS_FILE).read_text(encoding="utf-8")


@settings(max_examples=5)  # the presets are parsed with their comments, which takes a tenth of a second
@given(rate=st.floats(1e-9, 1), units=st.integers(1, 4096), averaging=st.none() | st.floats(0.01, 0.99))
def test_a_preset_gives_the_parameters_of_the_trial(params, rate, units, averaging):
    best = changed(
        params, model={"units": units}, train={"learning_rate": rate, "weight_averaging": averaging, "clipnorm": None}
    )
    text = with_preset(PRESETS, best)
    shipped = (ROOT / "params.yaml").read_text(encoding="utf-8")
    assert parse_yaml(apply(preset(text, NAME), shipped), PRESETS_FILE) == best.model_dump()


def test_the_other_presets_and_comments_stay_and_an_older_one_is_replaced(params):
    first = with_preset(PRESETS, changed(params, model={"units": 7}))
    before = PRESETS if f"\n{NAME}:" not in PRESETS else PRESETS[: PRESETS.index("\n# The best trial")]
    assert first.startswith(before)
    second = with_preset(first, changed(params, model={"units": 9}))
    assert second.startswith(before)
    assert preset(second, NAME).model.units == 9
    behind = "\n# Mine:\n# two lines\nmine:\n  model: {units: 3}\n"
    assert with_preset(second + behind, changed(params, model={"units": 9})) == second + behind
    assert second.count(f"{NAME}:") == second.count("The best trial") == 1


@pytest.mark.parametrize("value", [None, True, False, 3, 0.1, 1e-7, "gru", "max+mean"])
def test_dvc_and_the_table_give_the_value_back(tmp_path, value):
    """In the table another trial has nothing there, which must not make a float of an integer."""
    assert parse_yaml(as_yaml(value), PRESETS_FILE) == value
    row = {name: None for name in Trial.model_fields if name != "settings"}
    row |= {"trial": 1, "status": "finished", "epochs": 1, "best_epoch": 1, "seconds": 1.5}
    row |= {"val_loss": 0.3, "val_accuracy": 0.9, "ended": 10}
    rows = [row | {"model.some": value}, row | {"trial": 2, "model.some": None}]
    pd.DataFrame(rows, dtype=object).to_csv(tmp_path / "sweep.csv", index=False)
    found = read_sweep(tmp_path / "sweep.csv")[0].settings["model.some"]
    assert found == value
    assert type(found) is type(value)
