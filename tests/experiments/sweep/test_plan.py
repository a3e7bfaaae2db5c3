"""The plan of a sweep: what may be searched, and that a fault is named before the first trial."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from material import ROOT, changed

from experiments.sweep.plan import PLAN, Domain, read_plan, rounded, with_values
from imdb_rnn.core.errors import UserError

REST = {
    "trials": 4,
    "minutes": None,
    "seed": 1,
    "threads": 1,
    "epochs_at_least": 1,
    "keep_one_of": 3,
    "storage": None,
}


def read(root, params, space: dict, **rest):
    path = root / PLAN
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump({"space": space} | REST | rest))
    return read_plan(root, params)


def test_the_plan_that_the_project_ships_is_one(params):
    assert "model.cell" in read_plan(ROOT, params).space


@pytest.mark.parametrize(
    ("space", "fault"),
    [
        ({}, "space"),
        ({"model.unit": {"choice": [1]}}, "space.model.unit is not a parameter of model, pad, train"),
        ({"plots.language": {"choice": ["en"]}}, "space.plots.language is not a parameter of model, pad, train"),
        ({"model": {"choice": [1]}}, "space.model is not a parameter"),
        ({"model.units": {"choice": [8, 0]}}, "with model.units: 0: .*model.units is 0"),
        ({"model.units": {"integer": [0, 8]}}, "with model.units: 0: .*model.units is 0"),
        ({"model.units": {"uniform": [1.5, 8.0]}}, "with model.units: 1.5"),
        ({"model.dropout": {"uniform": [0.0, 1.0]}}, "with model.dropout: 1.0"),
        ({"model.dropout": {"uniform": [0.5, 0.1]}}, "first bound should be below the second"),
        ({"train.learning_rate": {"loguniform": [0.0, 0.1]}}, "should be above 0"),
        ({"model.units": {"choice": [8], "integer": [1, 2]}}, "it should have one of choice, uniform"),
        ({"model.units": {"choices": [8]}}, "choices is not a parameter"),
        ({"model.units": {"choice": []}}, "space.model.units.choice"),
        ({"train.validation": {"choice": ["holdout", "test"]}}, "set train.validation to holdout"),
        ({"train.validation": {"choice": ["test", "holdout"]}}, "set train.validation to holdout"),
    ],
)
def test_what_cannot_be_searched_is_named(tmp_path, params, space, fault):
    with pytest.raises(UserError, match=rf"sweep\.yaml: .*{fault}"):
        read(tmp_path, params, space)


def test_what_two_parameters_cannot_be_together_is_named(tmp_path, params):
    alone = {"train.patience": {"choice": [None, 2]}}
    assert read(tmp_path, params, alone)
    with pytest.raises(UserError, match=r"with .*train\.patience: 2"):
        read(tmp_path, params, alone | {"train.validation": {"choice": ["holdout", "test"]}})


def test_the_test_reviews_choose_no_trial(tmp_path, params):
    by_test = changed(params, train={"validation": "test"})
    with pytest.raises(UserError, match="held-out reviews"):
        read(tmp_path, by_test, {"model.units": {"choice": [8]}})


def test_what_is_drawn_has_three_digits_and_keeps_to_its_bounds():
    space = {
        "train.learning_rate": Domain(loguniform=[0.001, 0.01]),
        "train.weight_averaging": Domain(uniform=[0.9, 0.9996]),
        "model.dropout": Domain(choice=[0.12345, None]),
        "model.units": Domain(integer=[1, 2000]),
    }
    tried = rounded(dict(zip(space, (0.00424310861, 0.99958, 0.12345, 1999), strict=True)), space)
    assert list(tried.values()) == [0.00424, 0.9996, 0.12345, 1999]
    assert rounded({"model.dropout": None}, space) == {"model.dropout": None}


@given(units=st.integers(1, 4096), rate=st.floats(1e-9, 1), averaging=st.none() | st.floats(0.01, 0.99))
def test_values_take_their_places_and_nothing_else_changes(params, units, rate, averaging):
    values = {"model.units": units, "train.learning_rate": rate, "train.weight_averaging": averaging}
    expected = params.model_dump()
    expected["model"]["units"], expected["train"]["learning_rate"] = units, rate
    expected["train"]["weight_averaging"] = averaging
    assert with_values(params, values).model_dump() == expected
