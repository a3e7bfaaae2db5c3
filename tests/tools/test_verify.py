import shutil
import sys

import pytest
import yaml
from material import ROOT
from project import Project, environment

from imdb_rnn.core.errors import UserError
from tools import verify
from tools.verify import different, verdict


def lock(**hashes: str) -> str:
    """A `dvc.lock` of the stages `first`, with two outs, and `second`."""
    outs = {"first": ["a", "b"], "second": ["c"]}
    return yaml.safe_dump(
        {
            "stages": {
                name: {"outs": [{"path": path, "md5": hashes.get(path, "0")} for path in paths]}
                for name, paths in outs.items()
            }
        }
    )


@pytest.mark.parametrize(
    ("here", "expected"),
    [
        (lock(), []),
        (lock(b="1"), [("first", ["b"])]),
        (lock(a="1", b="1", c="1"), [("first", ["a", "b"]), ("second", ["c"])]),
        ("stages: {}", [("first", ["a", "b"]), ("second", ["c"])]),  # they did not run
    ],
)
def test_the_stages_with_other_outs_are_named_in_order(here, expected):
    assert list(different(lock(), here)) == expected


@pytest.mark.slow
def test_the_committed_pipeline_is_run_again_and_what_differs_is_named(tmp_path):
    """A pipeline whose outs tell the time zone; what is not committed does not count."""
    project = Project(tmp_path / "project", environment(tmp_path))
    for name in ("tools/__init__.py", "tools/verify.py", ".dvc/config"):
        (project.folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, project.folder / name)
    (project.folder / "write.py").write_text("import os; open('zone', 'w').write(os.environ['TZ'])")
    stages = {"same": {"cmd": "echo 1 > one", "outs": ["one"]}, "zone": {"cmd": "python write.py", "outs": ["zone"]}}
    (project.folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))
    (project.folder / ".gitignore").write_text("__pycache__\n/one\n/zone\n")
    project.run("git", "init", "--quiet")
    project.repro(TZ="UTC")
    project.commit()
    (project.folder / "write.py").write_text("broken")

    verify = ("python", "-m", "tools.verify")
    printed = project.run(*verify, TZ="UTC")
    assert "without the changes that are not committed\n" in printed
    assert "every hash in dvc.lock is the same" in printed
    printed = project.run(*verify, status=1, TZ="Asia/Tokyo")
    assert "first in the stage zone: zone; docs/reproducibility.md" in printed
    assert "Traceback" not in printed
    printed = project.run(sys.executable, "-m", "tools.verify", status=1, PATH="/usr/bin:/bin")
    assert "-m dvc repro --quiet` ended with status" in printed  # dvc was found; the stage's `python` has no packages
    assert not list(tmp_path.glob("verify-*"))


def test_a_folder_that_may_not_hold_the_clone_is_named(monkeypatch):
    monkeypatch.setattr(verify.os, "access", lambda *_: False)
    with pytest.raises(UserError, match="no permission to write the clone"):
        verify.main()


def test_what_differs_first_is_named():
    with pytest.raises(UserError, match=r"other bytes than 1a2b, first in the stage first: b; docs/"):
        verdict("1a2b", lock(), lock(b="1", c="1"), "")
    with pytest.raises(UserError, match=r"the run changed what is committed: M results/metrics\.json"):
        verdict("1a2b", lock(), lock(), " M results/metrics.json\n")
    assert "the bytes of 1a2b" in verdict("1a2b", lock(), lock(), "")
