"""A small copy of the project in which DVC runs for real."""

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from material import ROOT

from imdb_rnn.engine.kernels import compiled

# Put into every Python process of the pipeline: notes which of the project's files a stage opens, and how, and which
# modules it loads.
TRACER = """
import atexit, os, sys

stage = sys.orig_argv[-1] if "stages" in sys.orig_argv else None
if stage:
    here, seen = os.getcwd() + os.sep, set()

    def note(event, arguments):
        if event == "open" and isinstance(arguments[0], (str, bytes)):
            path = os.path.abspath(os.fsdecode(arguments[0]))
            if path.startswith(here):
                writes = arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
                seen.add(f"{stage} {'write' if writes else 'read'} {path[len(here):]}")

    @atexit.register
    def tell():
        loaded = [getattr(module, "__file__", None) or "" for module in list(sys.modules.values())]
        seen.update(f"{stage} load {path[len(here):]}" for path in loaded if path.startswith(here))
        lines = sorted(seen)
        with open(os.environ["TRACE"], "a", encoding="utf-8") as trace:
            trace.writelines(line + "\\n" for line in lines)

    sys.addaudithook(note)
"""

SMALL = {
    "pad": {"vocab_size": 2000, "maxlen": 40},
    "model": {"embedding_dim": 8, "units": 8},
    "train": {"epochs": 2, "batch_size": 64, "learning_rate": 0.01},
}


@dataclass(frozen=True)
class Project:
    """A checkout, and the environment in which its commands run."""

    folder: Path
    env: dict[str, str]

    def run(self, *command: str, status: int | None = 0, **env: str) -> str:
        """Run a command, demand its exit status (None: any), and return what it printed, stdout first."""
        result = subprocess.run(
            command,
            cwd=self.folder,
            env=self.env | env,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=600,
            stdin=subprocess.DEVNULL,
        )
        assert status in (result.returncode, None), (
            f"{command} ended with {result.returncode}\n{result.stdout}{result.stderr}"
        )
        return result.stdout + result.stderr

    def repro(self, **env: str) -> list[str]:
        """Run `dvc repro` and return the stages whose command was run."""
        printed = self.run("dvc", "repro", **env)
        return [line.split("'")[1] for line in printed.splitlines() if line.startswith("Running stage ")]

    def commit(self) -> None:
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--message", "Results", "--allow-empty")


def environment(folder: Path) -> dict[str, str]:
    """An environment without anything of the user's: an empty home, no settings of git or DVC, our Python first."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "DVC_"))}
    (folder / "home").mkdir(parents=True)
    return env | {
        "LC_ALL": "C.UTF-8",  # what git and ls say is compared
        "HOME": str(folder / "home"),
        "XDG_CACHE_HOME": str(folder / "home/cache"),
        "XDG_CONFIG_HOME": str(folder / "home/config"),
        "DVC_SITE_CACHE_DIR": str(folder / "site"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{who}_NAME": "Test" for who in ("AUTHOR", "COMMITTER")},
        **{f"GIT_{who}_EMAIL": "test@example.org" for who in ("AUTHOR", "COMMITTER")},
    }


def copy_checkout(folder: Path) -> None:
    """Copy what is, or could be, in git, but for the results."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
        # The checkout may belong to another user, as in some containers.
        env=os.environ | {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"},
    ).stdout
    for name in listed.strip("\0").split("\0"):
        if (ROOT / name).is_file() and name not in ("dvc.lock", "results/metrics.json"):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)


def share_machine_code(checkout: Path, other: Path) -> None:
    """Give a checkout what another one with the same engine has compiled, so that it need not compile again.

    Numba names a folder of machine code by the path of the functions' folder.
    """
    relative = Path(compiled.cache_folder()).relative_to(Path(compiled.__file__).parents[3])
    for module in ("imdb_rnn/engine", "imdb_rnn/engine/kernels"):
        source, target = (
            folder / relative / f"{Path(module).name}_{hashlib.sha1(str(folder / module).encode()).hexdigest()}"
            for folder in (checkout, other)
        )
        if source.exists():
            shutil.copytree(source, target)
