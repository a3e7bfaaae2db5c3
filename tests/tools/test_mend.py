import subprocess
import sys
import threading
from pathlib import Path

import dvc.lock
import pytest
import yaml
from dvc.repo import Repo
from dvc.schema import COMPILED_LOCKFILE_SCHEMA
from material import ROOT

from imdb_rnn.core.errors import UserError
from tools import mend

pytestmark = pytest.mark.slow

LOCK = (ROOT / "dvc.lock").read_text(encoding="utf-8")
# Cut within a key: half of a value may pass for a whole one.
HALF = LOCK[: LOCK.index("    deps:", len(LOCK) // 2) + len("    de")]
RUNNING = Path(".dvc/tmp/rwlock")

# Another DVC command: it holds the lock that argv names until a line comes, and then writes its `dvc.lock` to the end.
COMMAND = """
import sys
from pathlib import Path
from dvc.lock import make_lock
from dvc.repo import Repo

name, text = sys.argv[1:]
tmp = Path(Repo().tmp_dir)
with make_lock(str(tmp / name), tmp_dir=str(tmp)):
    print("held", flush=True)
    sys.stdin.readline()
    if text:
        Path("dvc.lock").write_text(text, encoding="utf-8")
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    (tmp_path / ".dvc").mkdir()
    mend.LOCK.write_text(LOCK, encoding="utf-8")
    author = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    for command in (["init", "--quiet"], ["add", "dvc.lock"], [*author, "commit", "--quiet", "--message", "Lock"]):
        subprocess.run(["git", *command], check=True)
    return tmp_path


@pytest.fixture
def holding(folder):
    """A function that starts another DVC command, and returns it once it holds its lock."""
    started = []

    def start(name: str, text: str = "") -> subprocess.Popen:
        pipe = subprocess.PIPE
        command = [sys.executable, "-c", COMMAND, name, text]
        started.append(subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True))
        assert started[-1].stdout.readline() == "held\n"
        return started[-1]

    yield start
    for process in started:
        process.communicate("\n")
        assert process.returncode == 0


@pytest.mark.slow
def test_half_a_lock_is_replaced_by_the_committed_one(folder, capsys):
    """Where DVC would refuse it, by DVC's own schema; a shorter lock that is sound costs nothing but work."""
    replaced = 0
    for length in [0, 5, 20, *range(len(LOCK) // 2, len(LOCK) // 2 + 40), *range(len(LOCK) - 60, len(LOCK))]:
        mend.LOCK.write_text(LOCK[:length], encoding="utf-8")
        mend.mend_lock()
        after = mend.LOCK.read_text(encoding="utf-8")
        COMPILED_LOCKFILE_SCHEMA(yaml.load(after, yaml.CSafeLoader))
        if after != LOCK[:length]:
            assert after == LOCK
            assert (folder / "dvc.damaged").read_text(encoding="utf-8") == LOCK[:length]
            assert "dvc.lock was half-written" in capsys.readouterr().out
            replaced += 1
    assert replaced > 20


def test_it_works_where_dvc_was_never_run(folder):
    mend.LOCK.write_text(HALF, encoding="utf-8")
    assert not (folder / ".dvc/tmp").exists()
    mend.main()
    assert mend.LOCK.read_text(encoding="utf-8") == LOCK


def test_nothing_is_touched_while_another_dvc_command_holds_its_lock(folder, holding, monkeypatch):
    """As it does while it writes `dvc.lock`, which is then only half there."""
    monkeypatch.setattr(dvc.lock, "DEFAULT_TIMEOUT", 0.1)
    mend.LOCK.write_text(HALF, encoding="utf-8")
    holding("lock")
    with pytest.raises(UserError, match=r"^another DVC command is at work in this project; run again when"):
        mend.main()
    assert mend.LOCK.read_text(encoding="utf-8") == HALF
    assert not (folder / "dvc.damaged").exists()


def test_the_list_of_running_commands_is_left_alone_while_it_is_written(folder, holding, monkeypatch):
    monkeypatch.setattr(dvc.lock, "DEFAULT_TIMEOUT", 0.1)
    holding("rwlock.lock")
    RUNNING.write_text('{"a": ')
    with pytest.raises(UserError, match="another DVC command is at work"):
        mend.main()
    assert RUNNING.read_text() == '{"a": '


def test_a_lock_that_was_only_being_written_is_waited_for(folder, holding):
    other = LOCK.replace("epochs: 10", "epochs: 11")
    assert other != LOCK
    mend.LOCK.write_text(HALF, encoding="utf-8")
    writing = holding("lock", other)

    def go_on() -> None:
        writing.stdin.write("\n")
        writing.stdin.flush()

    threading.Timer(1, go_on).start()
    mend.main()
    assert mend.LOCK.read_text(encoding="utf-8") == other
    assert not (folder / "dvc.damaged").exists()


def test_dvc_s_lock_is_free_again_afterwards(folder):
    mend.main()
    with Repo() as repo, repo.lock:
        pass


def test_outside_of_a_dvc_project_one_line_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="not inside of a DVC repository"):
        mend.main()


def test_a_merge_conflict_is_left_to_the_user(folder):
    text = "<<<<<<< HEAD\n" + LOCK + "=======\n" + LOCK + ">>>>>>> other\n"
    mend.LOCK.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match="has a merge conflict"):
        mend.main()
    assert mend.LOCK.read_text(encoding="utf-8") == text


def test_a_lock_that_is_whole_stays_as_it_is(folder, capsys):
    other = LOCK.replace("epochs: 10", "epochs: 11")
    assert other != LOCK
    mend.LOCK.write_text(other, encoding="utf-8")
    RUNNING.parent.mkdir()
    RUNNING.write_text("{}")
    mend.main()
    assert mend.LOCK.read_text(encoding="utf-8") == other
    assert RUNNING.read_text() == "{}"
    mend.LOCK.unlink()
    mend.main()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("text", ["", '{"a": ', "\x00"])
def test_half_a_list_of_running_commands_is_removed(folder, text, capsys):
    RUNNING.parent.mkdir()
    RUNNING.write_text(text)
    mend.main()
    assert not RUNNING.exists()
    assert capsys.readouterr().out == ".dvc/tmp/rwlock was half-written and is removed\n"


def test_half_a_lock_that_was_never_committed_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mend.LOCK.write_text("schema: '2.0'\nstag", encoding="utf-8")
    with pytest.raises(UserError, match=r"dvc\.lock is damaged, and git has no other; remove it"):
        mend.mend_lock()
