import subprocess

import pytest
import yaml
from dvc.schema import COMPILED_LOCKFILE_SCHEMA
from material import ROOT

import mend
from imdb_rnn.base.errors import UserError

LOCK = (ROOT / "dvc.lock").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".dvc/tmp").mkdir(parents=True)
    mend.LOCK.write_text(LOCK, encoding="utf-8")
    author = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    for command in (["init", "--quiet"], ["add", "dvc.lock"], [*author, "commit", "--quiet", "--message", "Lock"]):
        subprocess.run(["git", *command], check=True)
    return tmp_path


def test_half_a_lock_is_replaced_by_the_committed_one(folder, capsys):
    """Where DVC would refuse it, by DVC's own schema; a shorter lock that is sound costs nothing but work."""
    replaced = 0
    for length in [0, 5, 20, *range(len(LOCK) // 2, len(LOCK) // 2 + 40), *range(len(LOCK) - 60, len(LOCK))]:
        mend.LOCK.write_text(LOCK[:length], encoding="utf-8")
        mend.main()
        after = mend.LOCK.read_text(encoding="utf-8")
        COMPILED_LOCKFILE_SCHEMA(yaml.safe_load(after))
        if after != LOCK[:length]:
            assert after == LOCK
            assert (folder / "dvc.damaged").read_text(encoding="utf-8") == LOCK[:length]
            assert "dvc.lock was half-written" in capsys.readouterr().out
            replaced += 1
    assert replaced > 20


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
    mend.RUNNING.write_text("{}")
    mend.main()
    assert mend.LOCK.read_text(encoding="utf-8") == other
    assert mend.RUNNING.read_text() == "{}"
    mend.LOCK.unlink()
    mend.main()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("text", ["", '{"a": ', "\x00"])
def test_half_a_list_of_running_commands_is_removed(folder, text):
    mend.RUNNING.write_text(text)
    mend.main()
    assert not mend.RUNNING.exists()


def test_half_a_lock_that_was_never_committed_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mend.LOCK.write_text("schema: '2.0'\nstag", encoding="utf-8")
    with pytest.raises(UserError, match=r"dvc\.lock is damaged, and git has no other; remove it"):
        mend.main()
