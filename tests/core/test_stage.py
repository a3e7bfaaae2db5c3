import json
import subprocess
import sys
from pathlib import Path

import pytest
from material import ROOT, changed, contents, run_stage, write_params

from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import Params
from imdb_rnn.core.stage import declared_params, run

KERAS = {"data": {"source": "keras"}}


@pytest.fixture
def folder(params, tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_params(tmp_path, params)
    return tmp_path


def complaint(main, *keys: str) -> str:
    """The one line with which a stage fails."""
    with pytest.raises(UserError) as error:
        run(main, keys)
    (line,) = str(error.value).splitlines()
    return line


def editing(before: Params, **sections):
    """A stage that does its work while the user edits `params.yaml`."""

    def main(params: Params, root: Path) -> None:
        assert params == before
        write_params(root, changed(params, **sections))

    return main


def test_a_stage_gets_the_parameters_and_the_projects_folder(params, folder):
    calls = []
    run(lambda *given: calls.append(given), ("pad",))
    assert calls == [(params, Path())]


@pytest.mark.parametrize(
    ("reads", "edit"),
    [
        (("model", "pad", "train"), {"plots": {"language": "zh"}}),
        (("pad.maxlen",), {"pad": {"vocab_size": 5000}}),
        (("train.validation",), {"train": {"epochs": 3}, "model": {"units": 8}, "pad": {"maxlen": 20}}),
        (("data.source", "data.${data.source}"), {"data": {"keras": {"url": "file:///elsewhere"}}}),
    ],
    ids=["section", "key", "three", "source"],
)
def test_an_edit_of_what_a_stage_does_not_read_does_not_concern_it(params, folder, reads, edit):
    run(editing(params, **edit), reads)
    assert contents(folder)["params.yaml"] != (ROOT / "params.yaml").read_bytes()


@pytest.mark.parametrize(
    ("reads", "edit", "edited"),
    [
        (("model", "train"), {"train": {"epochs": 3}}, "train"),
        (("model", "train"), {"train": {"epochs": 3}, "model": {"units": 8}}, "model, train"),
        (("pad.maxlen", "plots"), {"pad": {"maxlen": 20}}, "pad.maxlen"),
        (("data.source", "data.${data.source}"), {"data": {"bundled": {"test_fraction": 0.3}}}, "data.${data.source}"),
        (("data.source",), KERAS, "data.source"),
    ],
    ids=["section", "two", "key", "source", "other source"],
)
def test_an_edit_of_what_a_stage_reads_fails_it_by_name(params, folder, capsys, reads, edit, edited):
    line = complaint(editing(params, **edit), *reads)
    assert line == f"params.yaml: {edited} was edited while this ran; run the same again"


def test_a_value_in_another_notation_and_a_mistyped_one_elsewhere_are_no_edit(folder):
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")

    def main(params: Params, root: Path) -> None:
        edited = text.replace("learning_rate: 0.001 ", "learning_rate: 1e-3 # less").replace("language: en", "lang: e")
        assert edited.count("1e-3 # less") == edited.count("lang: e") == 1
        (root / "params.yaml").write_text(edited, encoding="utf-8")

    run(main, ("train",))


@pytest.mark.parametrize(
    ("text", "says"), [("", "train was edited"), ("train: [", "not valid YAML"), (None, "cannot be read")]
)
def test_a_file_that_was_damaged_meanwhile_is_one_line(folder, capsys, text, says):
    def main(params: Params, root: Path) -> None:
        (root / "params.yaml").unlink()
        if text is not None:
            (root / "params.yaml").write_text(text)

    assert complaint(main, "train").startswith(f"params.yaml: {says}")


def test_the_keys_are_those_of_dvc_yaml(tmp_path):
    pipeline = tmp_path / "dvc.yaml"
    stages = {"check": {"params": [{"params.yaml": None}]}, "pad": {"params": ["pad", "data.${data.source}"]}}
    pipeline.write_text(json.dumps({"stages": stages}))
    assert declared_params(pipeline) == {"check": [*Params.model_fields], "pad": ["pad", "data.${data.source}"]}


@pytest.mark.parametrize(
    ("arguments", "says"), [([], "name a stage"), (["x"], "there is no stage 'x'"), (["pad", "x"], "no stage 'pad x'")]
)
def test_a_stage_that_is_not_there_is_one_line_that_names_those_there_are(arguments, says):
    ran = subprocess.run([sys.executable, "-m", "stages", *arguments], cwd=ROOT, capture_output=True, text=True)
    (line,) = ran.stderr.splitlines()
    assert ran.returncode == 1
    assert line.startswith("error: ")
    assert says in line
    assert "check, download, pad, baseline, folds, train, evaluate, plot, report, export" in line


@pytest.mark.parametrize("name", ["pad", pytest.param("check", marks=pytest.mark.slow)])
def test_a_stage_with_a_bad_parameter_writes_nothing_and_fails(tmp_path, name):
    """A parameter of another stage, since the whole file is checked."""
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    (tmp_path / "params.yaml").write_text(text.replace("language: en", "language: fr"), encoding="utf-8")
    before = contents(tmp_path)
    result = run_stage(name, tmp_path)
    assert result.returncode == 1
    assert result.stderr == "error: params.yaml: plots.language is 'fr', it should be 'en' or 'zh'\n"
    assert contents(tmp_path) == before


@pytest.mark.parametrize("installed", [(), ("numba", "numpy", "tensorflow")], ids=["nothing", "not all"])
def test_a_python_without_the_projects_packages_says_what_to_do_instead(tmp_path, installed):
    """DVC runs the first `python` on the path, which may be any."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "other"], check=True)
    for name in installed:
        (tmp_path / name).mkdir()
    python = tmp_path / "other/bin/python"
    result = subprocess.run(
        [python, "-m", "stages", "pad"],
        cwd=ROOT,
        env={"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"error: {python} does not have the project's packages (")
    assert "run `make repro`" in line
