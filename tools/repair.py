"""Repair the files that DVC leaves half-written when it is killed: `python -m tools.repair`, which `make` runs first.

DVC writes `dvc.lock` and `.dvc/tmp/rwlock`, its list of running commands, in place, and refuses to start while one of
them is damaged. The last commit has the `dvc.lock` to go back to; DVC's cache has the results of the runs since then.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, Field, ValidationError

from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError, run_command

PROJECTS = (Path(), Path("experiments/compare"), Path("experiments/sweep"))
PAUSE = 2.0  # seconds; DVC writes either file in a fraction of one


class Entry(BaseModel):
    path: str
    hash: str = "md5"
    md5: Annotated[str, Field(min_length=3)] = "none"
    size: int = 0
    nfiles: int = 0


class Stage(BaseModel):
    cmd: str | list[str]
    deps: list[Entry] = []
    outs: list[Entry] = []
    params: dict[str, dict] = {}


class Lock(BaseModel):
    stages: dict[str, Stage]


def is_lock(text: str) -> bool:
    """Whether a text is a complete `dvc.lock`."""
    try:
        Lock.model_validate(yaml.safe_load(text))
    except (yaml.YAMLError, ValidationError):
        return False
    return True


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def read_stable(path: Path) -> str:
    """Read a file that seemed damaged once more, after a pause. Raises `UserError` if it changed: DVC is writing it."""
    before = path.read_bytes()
    time.sleep(PAUSE)
    if not path.exists() or path.read_bytes() != before:
        raise UserError(f"another DVC command is writing {path}; run again when it has ended")
    return before.decode(errors="replace")


def repair_lock(path: Path) -> None:
    """Replace a damaged `dvc.lock` by the committed one, and keep the damaged one next to it."""
    if not path.exists() or is_lock(path.read_text(encoding="utf-8", errors="replace")):
        return
    text = read_stable(path)
    if "<<<<<<<" in text:
        raise UserError(f"{path} has a merge conflict; `git checkout --ours {path}`, then run again")
    command = ["git", "show", f"HEAD:./{path.name}"]
    try:
        result = subprocess.run(command, cwd=path.parent, capture_output=True, env=os.environ | {"LC_ALL": "C"})  # noqa: S603
        fault = " ".join(result.stderr.decode(errors="replace").split()) if result.returncode else ""
    except OSError as error:
        fault = str(error)
    if fault:
        raise UserError(
            f"{path} is damaged, and git shows no committed one ({fault}); do what git says or delete {path}"
        )
    aside = path.with_suffix(".damaged")
    files.write_text(aside, text)
    files.write_text(path, result.stdout.decode())
    print(f"{path} was half-written: it is now {aside}, and the last committed one is back")


def repair_running(path: Path) -> None:
    """Remove a damaged list of running commands; DVC begins a new one."""
    if path.exists() and not is_json(path.read_text(encoding="utf-8", errors="replace")):
        read_stable(path)
        path.unlink()
        print(f"{path} was half-written and has been removed")


def require_git(root: Path) -> None:
    """Raise `UserError` where DVC would refuse to run, for want of a Git repository."""
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
        repair_lock(root / project / "dvc.lock")
        repair_running(root / project / ".dvc/tmp/rwlock")


if __name__ == "__main__":
    run_command(lambda: main(Path()))
