"""The comparison, run by DVC for real, small."""

import json
import shutil

import pytest
from project import Project, environment

from experiments.compare.runs import FOLDER, PLAN

RESULTS = (
    "compare.csv",
    "compare.png",
    "compare.svg",
    "compare_sentences.csv",
    "differences.csv",
    "experiments/compare_sensitivity.json",
)
PRESET = {
    "pad": {"vocab_size": 2000, "maxlen": 210},
    "train": {"epochs": 1, "batch_size": 64, "learning_rate": 0.01},
}


def compare(project: Project) -> list[str]:
    """Run the comparison, and return the stages whose command was run."""
    printed = project.run("dvc", "--cd", str(FOLDER), "repro")
    return [line.split("'")[1] for line in printed.splitlines() if line.startswith("Running stage ")]


def status(project: Project) -> set[str]:
    """The stages that are not up to date."""
    return set(json.loads(project.run("dvc", "--cd", str(FOLDER), "status", "--json")))


def write_plan(project: Project, seeds: list[int]) -> None:
    (project.folder / PLAN).write_text(json.dumps({"networks": ["simple_rnn"], "seeds": seeds}))


def write_presets(project: Project, **units: int) -> None:
    presets = {cell: PRESET | {"model": {"cell": cell, "embedding_dim": 8, "units": n}} for cell, n in units.items()}
    (project.folder / "presets.yaml").write_text(json.dumps(presets))


@pytest.fixture(scope="module")
def compared(fresh, tmp_path_factory) -> Project:
    """The project after a comparison of one network with two seeds."""
    place = tmp_path_factory.mktemp("compared")
    project = Project(place / "project", environment(place))
    shutil.copytree(fresh.folder, project.folder)
    (project.folder / FOLDER / "dvc.lock").unlink(missing_ok=True)
    write_presets(project, simple_rnn=8, gru=4)  # `fresh` already has what Keras saves of the first
    write_plan(project, [1, 2])
    project.run("dvc", "repro", "download")
    of_networks = {f"{stage}@simple_rnn-{seed}" for stage in ("train", "sensitivity") for seed in (1, 2)}
    assert set(compare(project)) == of_networks | {"linear", "sentences", "table"}
    project.commit()
    return project


@pytest.fixture
def project(compared, tmp_path) -> Project:
    """A copy for one test to change."""
    project = Project(tmp_path / "project", environment(tmp_path))
    shutil.copytree(compared.folder, project.folder)
    return project


@pytest.mark.slow
def test_what_is_done_is_not_done_again(project):
    before = {name: (project.folder / "results" / name).read_bytes() for name in RESULTS}
    assert compare(project) == []
    assert {name: (project.folder / "results" / name).read_bytes() for name in RESULTS} == before
    assert project.run("git", "status", "--porcelain") == ""


@pytest.mark.slow
def test_a_new_seed_and_a_change_in_measuring_sensitivity_train_the_new_network_alone(project):
    write_plan(project, [1, 2, 3])
    with (project.folder / "imdb_rnn/evaluation/sensitivity.py").open("a") as file:
        file.write("\nx = 1\n")
    project.run("dvc", "repro", "check")
    measured = {f"sensitivity@simple_rnn-{seed}" for seed in (1, 2, 3)}
    assert status(project) == {"train@simple_rnn-3", *measured, "sentences", "table"}


@pytest.mark.slow
def test_an_edit_of_a_comment_a_message_or_the_table_reader_trains_nothing(project):
    with (project.folder / "imdb_rnn/text/tables.py").open("a") as file:
        file.write("\nx = 1\n")
    with (project.folder / "imdb_rnn/engine/kernels/recurrence.py").open("a") as file:
        file.write('\n\n# a comment\n"a docstring"\n')
    train = project.folder / FOLDER / "train.py"
    train.write_text(train.read_text().replace('UserError("', 'UserError("please '))
    project.run("dvc", "repro", "check")
    assert status(project) == {"sentences"}  # which reads sentences with the code of the sources


@pytest.mark.slow
def test_a_changed_preset_concerns_its_networks_alone(project):
    write_presets(project, simple_rnn=8, gru=5)
    assert status(project) == set()
    write_presets(project, simple_rnn=9, gru=5)
    assert status(project) == {"train@simple_rnn-1", "train@simple_rnn-2"}


@pytest.mark.slow
def test_a_table_that_fails_leaves_the_old_results(project):
    before = {name: (project.folder / "results" / name).read_bytes() for name in RESULTS}
    params = project.folder / "params.yaml"
    params.write_text(params.read_text().replace('"language": "en"', '"language": "fr"'))
    printed = project.run("dvc", "--cd", str(FOLDER), "repro", status=255)
    assert "error: params.yaml: plots.language is 'fr'" in printed
    assert {name: (project.folder / "results" / name).read_bytes() for name in RESULTS} == before


@pytest.mark.slow
def test_the_pipeline_above_knows_nothing_of_the_comparison(project):
    stages = project.run("dvc", "stage", "list", "--all").split("\n")
    assert any(line.startswith("report ") for line in stages)
    assert not any("compare" in line.split(" ")[0] or "gru" in line for line in stages)
    assert "compare" not in project.run("dvc", "status")
