"""Do the runs of the comparison on a Ray cluster: `python -m experiments.compare.on_cluster ADDRESS`.

In: what the stages `train`, `memory` and `linear` of `dvc.yaml` read. Out: what they write, and `dvc.lock`. DVC says
which of them are not up to date; each of those is a task of one processor, which gets the code, the files that the
stage reads and nothing else, and sends back what it wrote. DVC locks each run as soon as it is there, so that a stop
loses only those at work. `dvc repro` does the rest afterwards.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import experiments
import tools
from experiments.compare import linear, memory, train
from experiments.compare.memory import MEMORY
from experiments.compare.modules import MODULES
from experiments.compare.runs import FOLDER, LINEAR, RUNS
from imdb_rnn.core import cluster, files
from imdb_rnn.core.errors import UserError, run_command
from tools.preset import PRESETS_FILE, Preset, preset

Contents = dict[str, bytes]  # of files, by their path in the project
RETRIES = 3  # of a run whose machine was lost

MAINS: dict[str, Callable[[list[str], Path], None]] = {
    "train": train.main,
    "memory": memory.main,
    "linear": lambda _, root: linear.main(root),
}
INPUTS = (files.REVIEWS, PRESETS_FILE, *(FOLDER / MODULES / f"{verb}.txt" for verb in MAINS))


class Stage(NamedTuple):
    """One of the stages `train`, `memory` and `linear`, the last of which has no run."""

    verb: str
    run: str = ""

    def __str__(self) -> str:
        return f"{self.verb}@{self.run}" if self.run else self.verb

    @property
    def arguments(self) -> list[str]:
        """Network and seed."""
        return self.run.rsplit("-", 1) if self.run else []

    @property
    def out(self) -> Path:
        """What it writes: a folder, or of `memory` a file."""
        return MEMORY / f"{self.run}.json" if self.verb == "memory" else RUNS / (self.run or LINEAR)


def read(paths: Iterable[Path], root: Path) -> Contents:
    """Read files, and all files in folders."""
    found = [file for path in paths for file in (root / path, *sorted((root / path).rglob("*"))) if file.is_file()]
    return {file.relative_to(root).as_posix(): file.read_bytes() for file in found}


def execute(stage: Stage, *given: Contents) -> Contents:
    """Run a stage in a folder of its own that has the given files, and return those that it wrote. This is the task."""
    with tempfile.TemporaryDirectory() as place:
        for path, content in (item for contents in given for item in contents.items()):
            Path(place, path).parent.mkdir(parents=True, exist_ok=True)
            Path(place, path).write_bytes(content)
        try:
            MAINS[stage.verb](stage.arguments, Path(place))
        except UserError as error:  # whose paths are nobody else's
            raise UserError(str(error).replace(f"{Path(place)}/", "")) from error
        return read([stage.out], Path(place))


def dvc(*command: str, root: Path) -> str:
    """Run a command of DVC in the project of the comparison, and return what it printed; its errors are shown."""
    line = ["dvc", "--cd", str(FOLDER), *command]
    result = subprocess.run(line, cwd=root, stdout=subprocess.PIPE, encoding="utf-8")  # noqa: S603
    if result.returncode:
        raise UserError(f"`{' '.join(line)}` ended with status {result.returncode}; what it said stands above")
    return result.stdout


def due(changed: Iterable[str]) -> list[Stage]:
    """What there is to do here, each stage behind those whose files it reads.

    Args:
        changed: the stages that are not up to date, as DVC calls them. A run that is trained anew is measured anew.
    """
    stages = {Stage(*name.split("@")) for name in changed if name.split("@")[0] in MAINS}
    stages |= {Stage("memory", stage.run) for stage in stages if stage.verb == "train"}
    return sorted(stages, key=lambda stage: (stage.verb == "memory", stage))


def concerns(stage: Stage, given: Contents) -> tuple[Contents, Preset | None]:
    """Of `INPUTS`, what DVC has on its list for a stage: of `PRESETS_FILE` no other preset than its own."""
    others = {path: content for path, content in given.items() if Path(path) != PRESETS_FILE}
    text = given.get(PRESETS_FILE.as_posix(), b"").decode("utf-8", "replace")
    return others, preset(text, stage.arguments[0]) if stage.arguments else None


def keep(stage: Stage, made: Contents, root: Path) -> None:
    """Write what a stage made, and let DVC lock it."""
    with files.replacing(root / stage.out) as new:
        for path, content in made.items():
            file = new / Path(path).relative_to(stage.out)
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(content)
    dvc("commit", "--force", "--quiet", str(stage), root=root)


def run_all(stages: list[Stage], address: str, root: Path) -> None:
    """Run stages on a cluster, and keep what each made as soon as it is there.

    Raises:
        UserError: a stage's own, or when its machine was lost too often, or when what it reads was edited meanwhile.
    """
    given = read(INPUTS, root)
    concerned = {stage: concerns(stage, given) for stage in stages}
    with cluster.joined(address, [Path(package.__path__[0]) for package in (experiments, tools)]) as ray:
        # A new process each, as on one machine; what was compiled would make the next training look faster.
        task = ray.remote(max_retries=RETRIES, max_calls=1)(execute)
        shared = ray.put(given)
        tasks: dict[Stage, Any] = {}
        for stage in stages:
            trained = Stage("train", stage.run)
            earlier = [tasks.get(trained) or read([trained.out], root)] if stage.verb == "memory" else []
            tasks[stage] = task.remote(stage, shared, *earlier)
        waiting = {reference: stage for stage, reference in tasks.items()}
        while waiting:
            # A run's memory is kept behind the run: DVC locks it with the network that it was measured on
            behind = {Stage("memory", stage.run) for stage in waiting.values() if stage.verb == "train"}
            (reference, *_), _ = ray.wait([each for each, stage in waiting.items() if stage not in behind])
            stage = waiting.pop(reference)
            try:
                made = ray.get(reference)
            except ray.exceptions.RayTaskError as error:
                if isinstance(error.cause, UserError):
                    raise UserError(f"{stage}: {error.cause}") from error
                raise
            except ray.exceptions.RayError as error:
                reason = " ".join(str(error).split())
                raise UserError(f"{stage} was not done ({reason}); run the same again") from error
            if concerns(stage, read(INPUTS, root)) != concerned[stage]:
                raise UserError(f"what {stage} reads was edited while it ran; run the same again")
            keep(stage, made, root)
            print(f"{stage} is done, {len(waiting)} to go", flush=True)


def main(arguments: list[str], root: Path) -> None:
    if len(arguments) != 1:
        raise UserError("name the head of a cluster: python -m experiments.compare.on_cluster HOST:PORT")
    dvc("repro", "modules", root=root)
    stages = due(json.loads(dvc("status", "--json", root=root)))
    if stages:
        run_all(stages, arguments[0], root)


if __name__ == "__main__":
    run_command(lambda: main(sys.argv[1:], Path()))
