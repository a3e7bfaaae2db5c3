"""List what each stage of the comparison is made of: `python -m experiments.compare.modules`.

Out: `experiments/compare/modules/`, for each stage a text with every module of the project that it imports, and those
import, in the format of `sha256sum`. DVC runs a stage again when its list has changed.
"""

import ast
import hashlib
from collections.abc import Sequence
from pathlib import Path

from experiments.compare.runs import FOLDER
from imdb_rnn.core import files
from imdb_rnn.core.errors import run_command

MODULES = "modules"
OFFERED = Path("imdb_rnn/__init__.py")
STAGES = ("linear", "memory", "sentences", "table", "train")


def imported(source: str, root: Path) -> set[Path]:
    """The project's modules that a source imports, anywhere in it; packages too, whose `__init__` is run first."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    found = set()
    for name in names:
        path = Path(*name.split("."))
        for place in (path, *path.parents[:-1]):
            found |= {file for file in (place.with_suffix(".py"), place / "__init__.py") if (root / file).is_file()}
    return found


def needed(module: Path, root: Path) -> set[Path]:
    """A module, all that it imports, and what those import; not what `imdb_rnn` offers others."""
    known: set[Path] = set()
    waiting = {module}
    while waiting:
        path = waiting.pop()
        known.add(path)
        if path != OFFERED:
            waiting |= imported((root / path).read_text(encoding="utf-8"), root) - known
    return known


def listing(module: Path, root: Path) -> str:
    """The modules that a stage's needs, and itself, with their checksums, a line each."""
    paths = sorted(path.as_posix() for path in needed(module, root))
    return "".join(f"{hashlib.sha256((root / path).read_bytes()).hexdigest()}  {path}\n" for path in paths)


def write_lists(folder: Path, stages: Sequence[str], root: Path) -> None:
    """Write the list of each stage of the experiment in `folder` into its folder `modules`."""
    with files.replacing(root / folder / MODULES) as new:
        new.mkdir()
        for stage in stages:
            files.write_text(new / f"{stage}.txt", listing(folder / f"{stage}.py", root))


def main(root: Path) -> None:
    write_lists(FOLDER, STAGES, root)


if __name__ == "__main__":
    run_command(lambda: main(Path()))
