"""The wheel has the library, the stages and what makes a project; nothing of a checkout is needed with it."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from conftest import copy_checkout
from material import ROOT
from own_reviews import LONG, write_table
from project import Project, environment

from imdb_rnn.core.fingerprints import listing

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """A folder with the files of the wheel, as they are in `site-packages`."""
    place = tmp_path_factory.mktemp("wheel")
    copy_checkout(place / "checkout")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir"]
    subprocess.run([*command, place, place / "checkout"], check=True)
    (wheel,) = place.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place / "site")
    return place / "site"


def test_it_has_all_of_the_library_and_the_stages(site):
    for package in ("imdb_rnn", "stages"):
        for path in (ROOT / package).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert (site / path.relative_to(ROOT)).read_bytes() == path.read_bytes()


def test_a_project_of_the_installed_package_checks_its_code(site, tmp_path):
    write_table(tmp_path, LONG, name="mine.csv")
    user = Project(tmp_path, environment(tmp_path / "user") | {"PYTHONPATH": str(site)})
    assert "is a DVC project now" in user.run(
        "python", "-m", "imdb_rnn", "train", "data/own/mine.csv", "--project", "p"
    )
    assert (tmp_path / "p/.gitignore").read_bytes() == (ROOT / ".gitignore").read_bytes()
    project = Project(tmp_path / "p", user.env)
    project.run("dvc", "repro", "check")
    written = {path.stem: path.read_text(encoding="utf-8") for path in (tmp_path / "p/data/code").iterdir()}
    assert written["train"] == listing(ROOT, "stages/train.py")
    assert not {"compare-train", "check"} & set(written)
