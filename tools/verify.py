"""Run the committed pipeline in a clone, and say whether this machine gives the committed bytes: `make verify`."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import yaml

from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError, run_command

ROOT = Path(__file__).resolve().parent.parent


def different(committed: str, here: str) -> Iterator[tuple[str, list[str]]]:
    """The stages whose outs have different hashes in two `dvc.lock`, in the order of the first, with these outs."""
    stages, others = (yaml.safe_load(text)["stages"] for text in (committed, here))
    for name, stage in stages.items():
        hashes = {out["path"]: out["md5"] for out in others.get(name, {}).get("outs", [])}
        outs = [out["path"] for out in stage["outs"] if hashes.get(out["path"]) != out["md5"]]
        if outs:
            yield name, outs


def verdict(commit: str, committed: str, here: str, changed: str) -> str:
    """The message that a run gave the committed bytes.

    Args:
        committed, here: `dvc.lock` of the commit, and after the run.
        changed: the output of `git status --porcelain` after the run.

    Raises:
        UserError: when the bytes differ; names the first stage that differs.
    """
    if first := next(different(committed, here), None):
        raise UserError(
            f"this machine gives other bytes than {commit}, first in the stage {first[0]}: {', '.join(first[1])}; "
            f"docs/reproducibility.md says what is promised"
        )
    if changed:
        raise UserError(f"the run changed what is committed: {' '.join(changed.split())}")
    return f"this machine gives the bytes of {commit}: every hash in dvc.lock is the same"


def main() -> None:
    def run(*command: str, cwd: Path = ROOT) -> str:
        result = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, text=True)  # noqa: S603
        if result.returncode:
            raise UserError(f"`{' '.join(command)}` ended with status {result.returncode}; see its output above")
        return result.stdout

    if not os.access(ROOT.parent, os.W_OK):
        raise UserError(f"no permission to write the clone to {ROOT.parent}; allow it, or move the project")
    with tempfile.TemporaryDirectory(prefix="verify-", dir=ROOT.parent) as place:
        clone = Path(place) / "clone"
        run("git", "clone", "--quiet", "--no-local", "--depth", "1", ROOT.as_uri(), str(clone))
        commit = run("git", "rev-parse", "--short", "HEAD").strip()
        if (ROOT / files.DOWNLOADS).is_dir():
            shutil.copytree(ROOT / files.DOWNLOADS, clone / files.DOWNLOADS)
        committed = (clone / "dvc.lock").read_text(encoding="utf-8")
        edited = ", without the changes that are not committed" if run("git", "status", "--porcelain") else ""
        print(f"running the pipeline of {commit} in {clone}{edited}", flush=True)
        run(sys.executable, "-m", "dvc", "repro", "--quiet", cwd=clone)
        here = (clone / "dvc.lock").read_text(encoding="utf-8")
        print(verdict(commit, committed, here, run("git", "status", "--porcelain", cwd=clone)))


if __name__ == "__main__":
    run_command(main)
