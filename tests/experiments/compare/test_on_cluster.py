"""The runs of the comparison on a Ray cluster of this machine: what they give is what one machine gives."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from material import ROOT, contents
from project import Project, environment

from experiments.compare import on_cluster
from experiments.compare.on_cluster import Stage, concerns, due, execute
from experiments.compare.runs import FOLDER, PLAN
from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError
from imdb_rnn.text.corpus import from_lists, make_corpus, write_corpus
from tools.preset import PRESETS_FILE

STAGES = ["linear", "train@gru-1", "train@simple_rnn-1", "memory@gru-1", "memory@simple_rnn-1"]
TIMES = ["training_seconds", "training_ratio", "reviews_per_second"]
PRESETS = {
    cell: {
        "pad": {"vocab_size": 2000, "maxlen": 210},
        "model": {"cell": cell, "embedding_dim": 4, "units": 4},
        "train": {"epochs": 1, "batch_size": 64, "learning_rate": 0.01},
    }
    for cell in ("gru", "simple_rnn")
}


def test_only_what_dvc_calls_changed_is_run_and_what_is_trained_is_measured():
    changed = ["modules", "memory@lstm-2", "train@lstm-1", "train@my-own-3", "memory@lstm-1", "table"]
    assert [*map(str, due(changed))] == [
        "train@lstm-1",
        "train@my-own-3",
        "memory@lstm-1",
        "memory@lstm-2",
        "memory@my-own-3",
    ]
    assert due(["modules", "table"]) == []


@pytest.mark.parametrize("name", ["train@my-own-3", "memory@my-own-3", "linear"])
def test_a_stage_is_run_and_kept_as_dvc_yaml_says(name):
    stage = Stage(*name.split("@"))
    of_dvc = yaml.safe_load((ROOT / FOLDER / "dvc.yaml").read_text())["stages"][stage.verb]
    text = json.dumps(of_dvc).replace("${item.network}", "my-own").replace("${item.seed}", "3")
    assert json.loads(text)["outs"] == [stage.out.relative_to(FOLDER).as_posix()]
    command = ["python -m", f"experiments.compare.{stage.verb}", *stage.arguments]
    assert json.loads(text)["cmd"] == f"cd ../.. && {' '.join(command)}"


def test_of_the_presets_its_own_alone_concerns_a_stage():
    def given(**units: int) -> dict[str, bytes]:
        presets = {name: {"model": {"units": n}} for name, n in units.items()}
        return {"data/reviews/a": b"1", PRESETS_FILE.as_posix(): json.dumps(presets).encode()}

    train, linear = Stage("train", "gru-1"), Stage("linear")
    before = given(gru=4, lstm=4)
    assert concerns(train, before) == concerns(train, given(gru=4, lstm=5))
    assert concerns(train, before) != concerns(train, given(gru=5, lstm=4))
    assert concerns(linear, before) == concerns(linear, given(gru=5))
    for stage in (train, linear):
        assert concerns(stage, before) != concerns(stage, before | {"data/reviews/a": b"2"})


def test_a_stage_gets_no_other_files_than_those_given(tmp_path):
    ranks = [[*[1, 2] * 3, 3 + label] for label in (0, 1) * 8]
    reviews = from_lists(ranks, np.array([0, 1] * 8))
    write_corpus(make_corpus(reviews, reviews, [*"abcd"], {"source": "bundled"}), tmp_path / files.REVIEWS)
    made = execute(Stage("linear"), on_cluster.read([files.REVIEWS], tmp_path))
    assert {*made} == {"experiments/compare/runs/linear/logits.npy", "experiments/compare/runs/linear/run.json"}
    with pytest.raises(UserError, match=r"^data/reviews/\S+ is missing"):
        execute(Stage("linear"))
    with pytest.raises(UserError, match=r"^presets.yaml: cannot be read"):
        execute(Stage("train", "gru-1"))


def test_what_the_stages_write_is_not_sent_to_the_machines():
    """Ray leaves out what the `.gitignore` of a folder that it sends, or of one in it, names."""
    ignored = (ROOT / FOLDER / ".gitignore").read_text().splitlines()
    for stage in yaml.safe_load((ROOT / FOLDER / "dvc.yaml").read_text())["stages"].values():
        assert all(f"/{out.split('/')[0]}/" in ignored for out in stage["outs"] if isinstance(out, str))


@pytest.mark.parametrize("arguments", [[], ["127.0.0.1:1", "2"]])
def test_an_address_is_needed(arguments, tmp_path):
    with pytest.raises(UserError, match="name the head of a cluster"):
        on_cluster.main(arguments, tmp_path)


@pytest.fixture(scope="module")
def unfinished(fresh, tmp_path_factory) -> Project:
    """The project with its reviews, and with nothing trained."""
    project = copied(fresh, tmp_path_factory.mktemp("unfinished"))
    (project.folder / FOLDER / "dvc.lock").unlink(missing_ok=True)
    (project.folder / PLAN).write_text(json.dumps({"networks": ["simple_rnn", "gru"], "seeds": [1]}))
    (project.folder / PRESETS_FILE).write_text(json.dumps(PRESETS))
    project.run("dvc", "repro", "download")
    return project


@pytest.fixture
def project(unfinished, tmp_path) -> Project:
    """A copy for one test to change."""
    return copied(unfinished, tmp_path)


@pytest.fixture(scope="module")
def cluster():
    """Two machines of one processor each."""
    pytest.importorskip("ray")
    from machines import machines

    with machines(2) as cluster:
        yield cluster


def copied(project: Project, place: Path) -> Project:
    copy = Project(place / "project", environment(place))
    shutil.copytree(project.folder, copy.folder)
    return copy


def repro(project: Project) -> set[str]:
    """Run the comparison as on one machine, and return the stages whose command was run."""
    printed = project.run("dvc", "--cd", str(FOLDER), "repro")
    return {line.split("'")[1] for line in printed.splitlines() if line.startswith("Running stage ")} - {"modules"}


def run(project: Project, address: str, then: Callable[[subprocess.Popen], None] = lambda _: None):
    """Run the comparison on a cluster; `then` is called when the first stage is done.

    Returns:
        Exit status, the stages that were done, and what went to stderr.
    """
    with subprocess.Popen(
        [sys.executable, "-m", "experiments.compare.on_cluster", address],
        cwd=project.folder,
        env=project.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # also where the tests do not heed it
    ) as process:
        first = process.stdout.readline()
        if first:
            then(process)
        printed, errors = process.communicate(timeout=400)
    done = [line.split(" ")[0] for line in (first + printed).splitlines() if " is done, " in line]  # Ray prints too
    return process.returncode, done, errors


@pytest.mark.slow
@pytest.mark.cluster
def test_the_table_has_the_bytes_of_one_machine_though_a_machine_is_lost(cluster, project, tmp_path):
    from machines import NODE

    alone = copied(project, tmp_path / "alone")
    assert repro(alone) == {*STAGES, "sentences", "table"}

    def lose_one(_) -> None:
        cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False)
        cluster.add_node(**NODE)

    status, done, errors = run(project, cluster.address, lose_one)
    assert (status, sorted(done), errors) == (0, sorted(STAGES), "")
    assert repro(project) == {"sentences", "table"}, "DVC has not locked the others"
    assert repro(project) == set()

    def untimed(folder: Path) -> dict:
        found = {name: contents(folder / name) for name in ("results", FOLDER / "runs", FOLDER / "memory")}
        of_compare = [name for name in found["results"] if "compare" in name or name == "differences.csv"]
        found["results"] = {name: found["results"][name] for name in of_compare}
        found["results"]["compare.csv"] = pd.read_csv(folder / "results/compare.csv").drop(columns=TIMES).to_csv()
        for name in found[FOLDER / "runs"]:
            if name.endswith("run.json"):
                run = json.loads(found[FOLDER / "runs"][name])
                found[FOLDER / "runs"][name] = {key: value for key, value in run.items() if key not in TIMES}
        return found

    expected = untimed(alone.folder)
    assert len(expected["results"]) == 6
    assert len(expected[FOLDER / "runs"]) == 3 + 3 + 2
    assert untimed(project.folder) == expected


@pytest.mark.slow
@pytest.mark.cluster
def test_a_stop_keeps_what_is_done_and_an_edit_is_not_locked_with_results_of_before(cluster, project):
    presets = project.folder / PRESETS_FILE

    def edit(_) -> None:
        changed = {name: preset | {"model": preset["model"] | {"units": 5}} for name, preset in PRESETS.items()}
        presets.write_text(json.dumps(changed))

    status, first, errors = run(project, cluster.address, edit)
    assert status == 1
    assert len(first) >= 1
    assert errors.startswith("error: what ")
    assert errors.endswith(" reads was edited while it ran; run the same again\n")
    presets.write_text(json.dumps(PRESETS))

    status, second, errors = run(project, cluster.address, lambda process: process.send_signal(signal.SIGINT))
    assert (status, "Traceback" in errors) == (130, False)
    assert len(second) >= 1

    status, third, errors = run(project, cluster.address)
    assert (status, errors) == (0, "")
    assert not {*first, *second} & {*third}
    assert {*first, *second, *third} <= {*STAGES}
    assert repro(project) == {"sentences", "table"}


@pytest.mark.slow
@pytest.mark.cluster
def test_a_preset_that_cannot_be_trained_ends_with_its_one_line(cluster, project):
    impossible = PRESETS["gru"]["model"] | {"ngrams": 1, "ngram_min_reviews": 1_000_000}
    changed = PRESETS | {"gru": PRESETS["gru"] | {"model": impossible}}
    (project.folder / PRESETS_FILE).write_text(json.dumps(changed))
    status, done, errors = run(project, cluster.address)
    assert status == 1
    assert errors.startswith("error: train@gru-1: ")
    assert "no n-gram is in 1000000 training reviews" in errors
    assert errors.count("\n") == 1
    assert not any("gru" in stage for stage in done)


@pytest.mark.slow
@pytest.mark.cluster
def test_a_preset_that_is_none_is_refused_before_anything_is_run(project):
    pytest.importorskip("ray")
    (project.folder / PRESETS_FILE).write_text(json.dumps(PRESETS | {"gru": {"model": {"units": "many"}}}))
    status, done, errors = run(project, "127.0.0.1:1")
    assert (status, done) == (1, [])
    assert errors.startswith("error: presets.yaml: gru.model.units is 'many'")
