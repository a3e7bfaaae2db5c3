"""Put right what DVC leaves half-written when it is killed: `python -m tools.mend`, which `make repro` runs first.

DVC writes `dvc.lock` and its list of running commands in place, and refuses to run while they are not whole. The lock
comes back from the last commit, and what was done since then from DVC's cache. DVC's own locks keep the two apart from
a DVC command that is writing them: it holds the project's lock whenever it writes `dvc.lock`, though not while a stage
runs, and a lock of its own around every edit of the list.
"""

import json
import subprocess
from pathlib import Path

import yaml
from dvc.exceptions import DvcException
from dvc.lock import LockError, make_lock
from dvc.repo import Repo
from dvc.rwlock import RWLOCK_FILE, RWLOCK_LOCK
from dvc.schema import COMPILED_LOCKFILE_SCHEMA
from voluptuous import Invalid

from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError, run_command

LOCK = Path("dvc.lock")


def is_whole(text: str) -> bool:
    """Whether DVC would read this as a `dvc.lock`."""
    try:
        COMPILED_LOCKFILE_SCHEMA(yaml.safe_load(text))
        return True
    except (yaml.YAMLError, Invalid):
        return False


def mend_lock() -> None:
    if not LOCK.exists():
        return
    text = LOCK.read_text(encoding="utf-8", errors="replace")
    if is_whole(text):
        return
    if "<<<<<<<" in text:
        raise UserError(f"{LOCK} has a merge conflict; settle it, or take one side and run `dvc repro`")
    try:
        committed = subprocess.run(["git", "show", f"HEAD:./{LOCK}"], capture_output=True, check=True).stdout.decode()  # noqa: S603, S607
    except (OSError, subprocess.CalledProcessError) as error:
        raise UserError(f"{LOCK} is damaged, and git has no other; remove it and run `dvc repro`") from error
    aside = LOCK.with_suffix(".damaged")
    files.write_text(aside, text)
    files.write_text(LOCK, committed)
    print(f"{LOCK} was half-written and is {aside} now; the last committed one is back, DVC's cache has the rest")


def mend_running(path: Path) -> None:
    if not path.exists():
        return
    try:
        json.loads(path.read_text(encoding="utf-8", errors="replace"))
    except ValueError:
        path.unlink()
        print(f"{path.relative_to(Path.cwd())} was half-written and is removed")


def main() -> None:
    try:
        with Repo() as repo:
            hardlink = repo.config["core"].get("hardlink_lock", False)
            guard = make_lock(str(Path(repo.tmp_dir, RWLOCK_LOCK)), tmp_dir=repo.tmp_dir, hardlink_lock=hardlink)
            with repo.lock, guard:
                mend_lock()
                mend_running(Path(repo.tmp_dir, RWLOCK_FILE))
    except LockError as error:
        raise UserError("another DVC command is at work in this project; run again when it has ended") from error
    except DvcException as error:
        raise UserError(" ".join(str(error).split())) from error


if __name__ == "__main__":
    run_command(main)
