"""Where the trials' state may be, and on which machines they may run: said before the first trial."""

import pytest

from experiments.sweep.plan import Domain, Plan
from experiments.sweep.search import check_machines, storage_of
from imdb_rnn.core.errors import UserError


def plan(**values) -> Plan:
    rest = {"trials": 1, "minutes": None, "seed": 1, "epochs_at_least": 1, "keep_one_of": 3}
    space = {"model.units": Domain(choice=[8])}
    return Plan(**{"space": space, "threads": 1, "storage": None} | rest | values)


def machine(processors: float, name: str = "head") -> dict:
    return {"Resources": {"CPU": processors}, "NodeManagerHostname": name, "Alive": True}


def test_a_folder_is_beside_the_plan_or_where_it_says(tmp_path):
    assert storage_of(plan(), tmp_path) == str(tmp_path / "experiments/sweep/state")
    assert storage_of(plan(storage="shared/sweeps"), tmp_path) == str(tmp_path / "shared/sweeps")
    assert storage_of(plan(storage="/shared"), tmp_path) == "/shared"
    assert storage_of(plan(storage=f"file://{tmp_path}"), tmp_path) == f"file://{tmp_path}"


@pytest.mark.parametrize("storage", ["nowhere://bucket/sweeps", "s3://bucket/sweeps?endpoint_override=localhost:9000"])
def test_what_is_no_place_is_named(tmp_path, storage):
    with pytest.raises(UserError, match=r"sweep\.yaml: storage is .*, which cannot be used"):
        storage_of(plan(storage=storage), tmp_path)


def test_a_trial_that_no_machine_can_run_is_said_at_once():
    check_machines(plan(threads=2), [machine(1), machine(2)])
    with pytest.raises(UserError, match="threads is 4, and no machine has more than 2 processors"):
        check_machines(plan(threads=4), [machine(1), machine(2)])


def test_several_machines_need_a_place_that_all_reach():
    check_machines(plan(), [machine(1), machine(1)])  # two nodes of one machine
    check_machines(plan(storage="/shared"), [machine(1), machine(1, "other")])
    with pytest.raises(UserError, match="a place that all of them reach"):
        check_machines(plan(), [machine(1), machine(1, "other")])
