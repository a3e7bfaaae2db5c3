"""Repair the files that DVC leaves half-written when it is killed: `python -m tools.repair`, which `make` runs first.

DVC writes `dvc.lock` and `.dvc/tmp/rwlock`, its list of running commands, in place, and refuses to start while one of
them is damaged. The last commit has the `dvc.lock` to go back to; DVC's cache has the results of the runs since then.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import yaml

from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError, run_command

PROJECTS = (Path(), Path("experiments/cells"), Path("experiments/compare"), Path("experiments/sweep"))
PAUSE = 2.0  # seconds; DVC writes either file in a fraction of one


def is_lock(text: str) -> bool:
    """Whether a text is a complete `dvc.lock`: its last line has an end, and no stage lacks what a key announces."""
    try:
        stages = yaml.safe_load(text)["stages"].values()
        return text.endswith("\n") and all(
            None not in (stage["cmd"], *stage.values(), *stage.get("params", {}).values()) for stage in stages
        )
    except (yaml.YAMLError, AttributeError, KeyError, TypeError):
        return False


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def damaged_text(path: Path, is_whole: Callable[[str], bool]) -> str | None:
    """The text of a damaged file, None of any other. Raises `UserError` if DVC is writing the file."""
    if not path.exists() or is_whole(path.read_text(encoding="utf-8", errors="replace")):
        return None
    before = path.read_bytes()
    time.sleep(PAUSE)
    if not path.exists() or path.read_bytes() != before:
        raise UserError(f"another DVC command is writing {path}; run again when it has ended")
    return before.decode(errors="replace")


def committed(path: Path) -> str:
    """The file in the last commit. Raises `UserError` with what git said if git does not show it."""
    command = ["git", "show", f"HEAD:./{path.name}"]
    try:
        result = subprocess.run(command, cwd=path.parent, capture_output=True, env=os.environ | {"LC_ALL": "C"})  # noqa: S603
        fault = " ".join(result.stderr.decode(errors="replace").split()) if result.returncode else ""
    except OSError as error:
        fault = str(error)
    if fault:
        raise UserError(f"{path} is damaged, and git shows no older one ({fault}); do what git says or delete {path}")
    return result.stdout.decode()


def require_git(root: Path) -> None:
    """Raise `UserError` where DVC would refuse to run because there is no Git repository."""
    if any((folder / ".git").exists() for folder in (root.resolve(), *root.resolve().parents)):
        return
    command = [sys.executable, "-m", "dvc", "config", "core.no_scm"]
    setting = subprocess.run(command, cwd=root, capture_output=True, text=True)  # noqa: S603
    if setting.stdout.strip().lower() != "true":
        raise UserError(
            "this folder is not a Git repository, and DVC expects one: run `git init`, "
            "or `dvc config --local core.no_scm true` to work without Git"
        )


def main(root: Path) -> None:
    require_git(root)
    for project in PROJECTS:
        lock, running = root / project / "dvc.lock", root / project / ".dvc/tmp/rwlock"
        text = damaged_text(lock, is_lock)
        if text is not None:
            if "<<<<<<<" in text:
                raise UserError(f"{lock} has a merge conflict; `git checkout --ours {lock}`, then run again")
            older = committed(lock)
            files.write_text(lock.with_suffix(".damaged"), text)
            files.write_text(lock, older)
            print(
                f"{lock} was half-written: it is now {lock.with_suffix('.damaged')}, and the last committed one is back"
            )
        if damaged_text(running, is_json) is not None:
            running.unlink()
            print(f"{running} was half-written and has been removed")


if __name__ == "__main__":
    run_command(lambda: main(Path()))
