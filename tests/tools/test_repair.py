import os
import subprocess
from pathlib import Path

import pytest
from material import ROOT
from project import Project, environment

from imdb_rnn.core.errors import UserError
from tools import repair

TEXT = (ROOT / "dvc.lock").read_text(encoding="utf-8")
# Cut within a key: half of a value may pass for a whole one.
HALF = TEXT[: TEXT.index("    deps:", len(TEXT) // 2) + len("    de")]
LOCK, RUNNING = Path("dvc.lock"), Path(".dvc/tmp/rwlock")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A Git repository whose commit has a `dvc.lock`; the tests run in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(repair, "PAUSE", 0)
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    LOCK.write_text(TEXT, encoding="utf-8")
    RUNNING.parent.mkdir(parents=True)
    author = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    for command in (["init", "--quiet"], ["add", "dvc.lock"], [*author, "commit", "--quiet", "--message", "Lock"]):
        subprocess.run(["git", *command], check=True)
    return tmp_path


@pytest.mark.parametrize("length", [0, 5, 20, len(HALF), len(TEXT) - 5])
def test_half_a_lock_is_replaced_by_the_committed_one(folder, capsys, length):
    LOCK.write_text(TEXT[:length], encoding="utf-8")
    repair.main(Path())
    assert LOCK.read_text(encoding="utf-8") == TEXT
    assert Path("dvc.damaged").read_text(encoding="utf-8") == TEXT[:length]
    assert capsys.readouterr().out == (
        "dvc.lock was half-written: it is now dvc.damaged, and the last committed one is back\n"
    )


def test_a_lock_that_ends_within_an_entry_is_damaged():
    for end in ("\n      size:", "\n      nfiles:", "\n      md5:", "\n      hash:", "\n    outs:\n", "\n    cmd"):
        assert not repair.is_lock(TEXT[: TEXT.rindex(end) + len(end)]), end
    assert repair.is_lock(TEXT)
    assert repair.is_lock(TEXT[: TEXT.rindex("\n    deps:") + 1])  # shorter, and sound: it costs a run at most


@pytest.mark.parametrize("text", ["", '{"a": ', "\x00"])
def test_half_a_list_of_running_commands_is_removed(folder, text, capsys):
    RUNNING.write_text(text)
    repair.main(Path())
    assert not RUNNING.exists()
    assert capsys.readouterr().out == ".dvc/tmp/rwlock was half-written and has been removed\n"


def test_what_is_whole_stays_as_it_is(folder, capsys):
    other = TEXT.replace("epochs: 10", "epochs: 11")
    LOCK.write_text(other, encoding="utf-8")
    RUNNING.write_text("{}")
    repair.main(Path())
    assert (LOCK.read_text(encoding="utf-8"), RUNNING.read_text()) == (other, "{}")
    LOCK.unlink()
    repair.main(Path())
    assert not LOCK.exists()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("path", [LOCK, RUNNING], ids=str)
def test_a_file_that_dvc_is_writing_is_left_alone(folder, monkeypatch, path):
    path.write_text(HALF, encoding="utf-8")
    monkeypatch.setattr(repair.time, "sleep", lambda _: path.write_text(HALF + "\n", encoding="utf-8"))
    with pytest.raises(UserError, match=f"another DVC command is writing {path}; run again when it has ended"):
        repair.main(Path())
    assert path.read_text(encoding="utf-8") == HALF + "\n"
    assert not Path("dvc.damaged").exists()


def test_a_merge_conflict_is_left_to_the_user(folder):
    text = "<<<<<<< HEAD\n" + TEXT + "=======\n" + TEXT + ">>>>>>> other\n"
    LOCK.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=r"has a merge conflict; `git checkout --ours dvc\.lock`"):
        repair.main(Path())
    assert LOCK.read_text(encoding="utf-8") == text


def test_a_lock_that_was_never_committed_is_named(folder):
    path = Path("experiments/compare/dvc.lock")
    path.parent.mkdir(parents=True)
    path.write_text("schema: '2.0'\nstag", encoding="utf-8")
    with pytest.raises(UserError, match=r"compare/dvc\.lock is damaged, .*not in 'HEAD'\); do what git says or delete"):
        repair.main(Path())


def test_where_git_refuses_to_answer_its_own_advice_is_shown(folder, monkeypatch):
    """As it does in the checkout of another user; git's own tests pretend that one with this variable."""
    LOCK.write_text(HALF, encoding="utf-8")
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(UserError, match=r"dubious ownership .*git config --global --add safe\.directory") as error:
        repair.main(Path())
    assert len(str(error.value).splitlines()) == 1
    assert LOCK.read_text(encoding="utf-8") == HALF


@pytest.mark.slow
def test_without_git_the_way_out_is_named_and_works(tmp_path):
    project = Project(tmp_path / "project", environment(tmp_path))
    for name in ("tools/repair.py", ".dvc/config"):
        (project.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (project.folder / name).write_bytes((ROOT / name).read_bytes())
    repairing = ("python", "-m", "tools.repair")
    (line,) = project.run(*repairing, status=1).splitlines()
    assert line.startswith("error: this folder is not a Git repository, and DVC expects one: run `git init`, or `dvc ")
    project.run("dvc", "config", "--local", "core.no_scm", "true")
    assert project.run(*repairing) == ""
    (project.folder / ".dvc/config.local").unlink()
    project.run("git", "init", "--quiet")
    assert project.run(*repairing) == ""


@pytest.mark.slow
def test_dvc_starts_again_after_a_repair(tmp_path):
    """Both files damaged at once: DVC refuses before and is content afterwards."""
    project = Project(tmp_path / "project", environment(tmp_path))
    for name in ("tools/repair.py", ".dvc/config"):
        (project.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (project.folder / name).write_bytes((ROOT / name).read_bytes())
    (project.folder / "dvc.yaml").write_text("stages: {one: {cmd: echo 1 > one, outs: [one]}}")
    (project.folder / ".gitignore").write_text("/one\n/.dvc/cache\n/.dvc/tmp\n")
    project.run("git", "init", "--quiet")
    assert project.repro() == ["one"]
    project.commit()
    lock = (project.folder / LOCK).read_bytes()
    (project.folder / LOCK).write_bytes(lock[: lock.index(b"    outs") + 5])
    (project.folder / RUNNING).write_text('{"read": {')
    project.run("dvc", "repro", status=255)
    project.run("python", "-m", "tools.repair")
    assert project.repro() == []
    assert (project.folder / LOCK).read_bytes() == lock
