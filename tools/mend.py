"""Put right what DVC leaves half-written when it is killed: `python -m mend`, which `make repro` runs first.

DVC writes `dvc.lock` and its list of running commands in place, and refuses to run while they are not whole. The lock
comes back from the last commit, and what was done since then from DVC's cache. Not for while another DVC command runs.
"""

import json
import subprocess
from pathlib import Path

import yaml
from dvc.schema import COMPILED_LOCKFILE_SCHEMA
from voluptuous import Invalid

from stages import files
from imdb_rnn.base.errors import UserError, run

LOCK, RUNNING = Path("dvc.lock"), Path(".dvc/tmp/rwlock")


def is_whole(text: str) -> bool:
    """Whether DVC would read this as a `dvc.lock`."""
    try:
        COMPILED_LOCKFILE_SCHEMA(yaml.safe_load(text))
        return True
    except (yaml.YAMLError, Invalid):
        return False


def mend_lock() -> None:
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


def main() -> None:
    if LOCK.exists():
        mend_lock()
    if RUNNING.exists():
        try:
            json.loads(RUNNING.read_text(encoding="utf-8", errors="replace"))
        except ValueError:
            RUNNING.unlink()
            print(f"{RUNNING} was half-written and is removed")


if __name__ == "__main__":
    run(main)
