"""Put right what DVC leaves half-written when it is killed: `python -m mend`, which `make repro` runs first.

DVC writes `dvc.lock` and its list of running commands in place. Without them whole it refuses to run. The lock comes
back from git, and what was done since then from DVC's cache.
"""

import json
import subprocess
from pathlib import Path

import yaml

from stages.errors import UserError, run

LOCK, RUNNING = Path("dvc.lock"), Path(".dvc/tmp/rwlock")


def is_whole(text: str) -> bool:
    """Whether this is a `dvc.lock` that DVC would read: every stage has its command and what it wrote."""
    try:
        lock = yaml.safe_load(text)
        return lock["schema"] == "2.0" and all("cmd" in stage and "outs" in stage for stage in lock["stages"].values())
    except (yaml.YAMLError, TypeError, KeyError, AttributeError):
        return False


def main() -> None:
    if LOCK.exists() and not is_whole(LOCK.read_text(encoding="utf-8", errors="replace")):
        restored = subprocess.run(["git", "checkout", "--quiet", "--", str(LOCK)], check=False)  # noqa: S603, S607
        if restored.returncode:
            raise UserError(f"{LOCK} is damaged, and git has no other; remove it and run `dvc repro`")
        print(f"{LOCK} was half-written; the last committed one is back, what was done since is in DVC's cache")
    if RUNNING.exists():
        try:
            json.loads(RUNNING.read_text(encoding="utf-8", errors="replace"))
        except ValueError:
            RUNNING.unlink()
            print(f"{RUNNING} was half-written and is removed")


if __name__ == "__main__":
    run(main)
