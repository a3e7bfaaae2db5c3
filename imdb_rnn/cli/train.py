"""`imdb-rnn train`: from a table to a model with its report, by the stages of the pipeline, or to a DVC project."""

import fcntl
import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout, suppress
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from shlex import quote

from imdb_rnn import model_file
from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import OwnParams, Params, parse_params, parse_yaml
from imdb_rnn.core.presets import PRESETS_FILE, apply, edit, editor, preset
from imdb_rnn.text.sources.own import look
from stages import PROJECT

PRESET = "best"
UNFINISHED = "unfinished"  # the folder in which the stages work, and which a killed run leaves
CARD = "model_card.md"
KEPT = {  # the files of the pipeline that stay, and what they are called then
    files.MODEL: "model.safetensors",
    files.REPORT / "index.html": "report.html",
    files.PREDICTIONS: "predictions.csv",
    files.SUSPECTS: "suspects.csv",
    files.PARAMS: "params.yaml",
}
OURS = {*KEPT.values(), CARD, UNFINISHED, ".DS_Store"}
NEEDED = ("pandas", "scipy", "sklearn", "yaml")  # the extra `train`


def train(table: Path, out: Path | None = None, changes: Sequence[str] = (), start: Path | None = None) -> None:
    """Train the preset `best`, or what the rows of a table allow of it, and write the model with its report.

    Args:
        table: or a folder, as `data.own.path`.
        out: a folder; None: named after the table, in the current one.
        changes: other values of parameters, `KEY=VALUE` each.
        start: the model file that training starts from.

    Raises:
        UserError: when the table cannot be trained on, `start` is no model for it, or the folder cannot be written or
            holds something else.
    """
    _require_packages()
    out = out or Path(f"{table.resolve().stem}-model")
    _require_outside(out, table)
    text, lines = _understood(table, changes, start)
    with _working(out) as work:
        text = _read(text, table, start, work, lines)
        params = parse_params(text)
        from stages import baseline, evaluate, export, folds, report
        from stages import train as training

        _run(baseline.main, params, work, "fitting a linear model, to compare with")
        curve = _run(folds.main, params, work, "training on parts of the rows and predicting the others")
        _run(training.main, params, work, "training on all training rows")
        found = _run(evaluate.main, params, work, "measuring on the test rows")
        _run(report.main, params, work, "writing the report")
        card = export.card_of(model_file.load(work / files.MODEL), params, work)
        with files.replacing(out) as new:
            new.mkdir()
            for path, name in KEPT.items():
                shutil.copyfile(work / path, new / name)
            (new / CARD).write_text(card, encoding="utf-8", newline="\n")
    for path, name in KEPT.items():
        found = found.replace(str(path), str(out / name))
    print("\n".join([found.rstrip(), *curve.splitlines()[-1:]]))
    print(f"open {out / 'report.html'} in a browser")
    print(f'ask the model: imdb-rnn predict --model {quote(str(out / "model.safetensors"))} "a text"')


def make_project(table: Path, folder: Path, changes: Sequence[str] = (), start: Path | None = None) -> None:
    """Write a DVC project whose `dvc repro` gives what `train` gives, and the figures and other formats besides.

    Args:
        folder: does not exist, or is empty.

    Raises:
        UserError: when the table cannot be trained on, DVC is missing, or the folder cannot be written or is not empty.
    """
    _require_packages()
    if not find_spec("dvc"):
        raise UserError("--project needs DVC; run `pip install 'imdb-rnn[pipeline]'`")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} is not empty; name a new folder for the project")
    _require_outside(folder, table)
    text, lines = _understood(table, changes, start)
    with tempfile.TemporaryDirectory(prefix=files.TEMPORARY) as work:
        text = _read(text, table, start, Path(work), lines)
    with files.replacing(folder) as new:
        _give(table, start, new, shutil.copyfile)
        for name in (".dvcignore", ".gitattributes", ".gitignore", PRESETS_FILE):
            shutil.copyfile(PROJECT / name, new / name)
        files.write_text(new / files.PARAMS, text)
        files.write_text(new / "dvc.yaml", _pipeline())
        files.write_text(new / "requirements.txt", f"imdb-rnn[pipeline]=={version('imdb-rnn')}\n")
        has_git, dvc = bool(shutil.which("git")), (sys.executable, "-m", "dvc")
        if has_git:
            _call(new, "git", "init", "--quiet")
        _call(new, *dvc, "init", "--quiet", *["--no-scm"] * (not has_git))
        _call(new, *dvc, "config", "core.analytics", "false")
        given = [path.relative_to(new) for folder in (files.OWN, files.START) for path in (new / folder).glob("*")]
        _call(new, *dvc, "add", "--quiet", *sorted(map(str, given)))
        if has_git:
            _call(new, "git", "add", "--all")
    print(f"{folder} is a DVC project now; to train:")
    print(f"  cd {quote(str(folder))} && dvc repro")


def _require_outside(out: Path, table: Path) -> None:
    if table.is_dir() and out.resolve().is_relative_to(table.resolve()):
        raise UserError(f"{out} is in the folder of the texts, {table}; name another one")


def _require_packages() -> None:
    if missing := [name for name in NEEDED if not find_spec(name)]:
        raise UserError(f"training needs {', '.join(missing)}; run `pip install 'imdb-rnn[train]'`")


def _understood(table: Path, changes: Sequence[str], start: Path | None) -> tuple[str, list[str]]:
    """The parameters for a table, as the text of `params.yaml`; and what is made of the table, which is printed."""
    path = str(files.OWN if table.is_dir() else files.OWN / table.name)
    text = apply(preset(files.read_text(PROJECT / PRESETS_FILE), PRESET), files.read_text(PROJECT / files.PARAMS))
    own = OwnParams(path=path).model_dump()  # not what a checkout's params.yaml says of another table
    text = edit(text, {"data": {"source": "own", "tokenizer": "auto", "own": own}})
    if start:
        if not start.is_file():
            raise UserError(f"--start-from: {start} is missing; name the file of a model")
        text = edit(text, {"train": {"start_from": str(files.START / start.name)}})
    for change in changes:
        key, equals, value = change.partition("=")
        if not equals:
            raise UserError(f"--set {change}: it should be KEY=VALUE, such as train.seed=1")
        values = parse_yaml(value, Path(f"--set {key}"))
        for name in reversed(key.split(".")):
            values = {name: values}
        text = edit(text, values)  # type: ignore[arg-type]
    data = parse_params(text).data
    try:
        lines = look(data.own, table, tokenizer=data.tokenizer)
    except UserError as error:
        said = str(error).replace(path, str(table))
        how = "; `imdb-rnn train` takes a setting as --set data.own.label_column=NAME" * ("data." in said)
        raise UserError(f"{said}{how}") from error
    print("\n".join(lines), flush=True)
    return text, lines


def _read(text: str, table: Path, start: Path | None, work: Path, lines: list[str]) -> str:
    """Read all rows, and return the parameters with as many folds as the rows allow. `lines` are printed already."""
    from stages import check, download, pad

    for folder in (files.OWN, files.START):
        shutil.rmtree(work / folder, ignore_errors=True)
    _give(table, start, work, os.symlink)
    (work / files.DATA_REPORT).parent.mkdir(exist_ok=True)
    params = parse_params(text)
    check.main(params, work)
    printed = _run(download.main, params, work, "reading all rows")
    print("\n".join(line for line in printed.splitlines() if line not in lines))
    _run(pad.main, params, work, "turning words into numbers")
    folds, wanted = _possible_folds(params, work), params.train.folds
    if folds != wanted:
        why = "a class has too few rows, or too many that are equal or of one group"
        print(f"train.folds is {folds or 'null'} instead of {wanted}, because {why}")
        text = edit(text, {"train": {"folds": folds}})
    files.write_text(work / files.PARAMS, text)
    return text


def _possible_folds(params: Params, work: Path) -> int | None:
    """`train.folds`, or the next lower number with which the stage `folds` can work; None: there is none."""
    from imdb_rnn.text.corpus import read_groups
    from imdb_rnn.text.encode import read_training
    from stages.folds import folds_of

    training, _ = read_training(work / files.REVIEWS, work / files.PADDED, params.pad.vocab_size)
    for folds in range(params.train.folds or 0, 1, -1):
        with suppress(UserError):
            folds_of(training, folds, read_groups(work / files.REVIEWS))
            return folds
    return None


def _give(table: Path, start: Path | None, root: Path, copy: Callable[[str | Path, str | Path], object]) -> None:
    """Put a table, or what is in a folder, where a project has its own reviews, and a model where training starts."""
    for folder in (files.OWN, files.START):
        (root / folder).mkdir(parents=True)
    if start:
        copy(start.resolve(), root / files.START / start.name)
    if table.is_dir():
        shutil.copytree(table.resolve(), root / files.OWN, copy_function=copy, dirs_exist_ok=True)
    else:
        copy(table.resolve(), root / files.OWN / table.name)


@contextmanager
def _working(out: Path) -> Iterator[Path]:
    """Yield the folder in `out` in which the stages work, and which stays if they are stopped.

    Raises:
        UserError: when `out` cannot be written, holds other files than ours, or another process works there.
    """
    if out.is_dir() and ({path.name for path in out.iterdir()} - OURS or Path.cwd().is_relative_to(out.resolve())):
        raise UserError(f"{out} would be replaced, and holds other files; name a new folder with --out")
    work = out / UNFINISHED
    with ExitStack() as stack:
        try:
            work.mkdir(parents=True, exist_ok=True)
            fcntl.flock(stack.enter_context((work / "lock").open("w")), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(f"another `imdb-rnn train` works in {out}; wait for it, or name another --out") from error
        except OSError as error:
            raise UserError(f"{out} cannot be written ({error.strerror}); name another folder with --out") from error
        yield work


class _Printed(io.StringIO):
    """What a stage prints; on a terminal the last line of it is shown."""

    def write(self, text: str) -> int:
        if text.strip():
            _show(text.strip().splitlines()[-1])
        return super().write(text)


def _show(line: str) -> None:
    """Show a line on a terminal, in place of the one before."""
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns
        print(f"\r\x1b[2K{line[: width - 1]}", end="", file=sys.stderr, flush=True)


def _run(main: Callable[[Params, Path], None], params: Params, work: Path, what: str) -> str:
    """Run a stage, say so, and return what it printed."""
    print(f"{what} …", flush=True)
    try:
        with redirect_stdout(_Printed()) as printed:
            main(params, work)
    finally:
        _show("")
    return printed.getvalue()


def _pipeline() -> str:
    """The text of `dvc.yaml` for a project whose code is an installed package, in which DVC sees no changes."""
    yaml_file, stream = editor(), io.StringIO()
    document = yaml_file.load(files.read_text(PROJECT / "dvc.yaml"))
    check = document["stages"]["check"]
    check["deps"], check["always_changed"] = ["data/${data.source}"], True
    document["stages"]["report"]["deps"].remove("results/experiments")  # they are about film reviews
    del document["artifacts"]  # it speaks of film reviews
    yaml_file.dump(document, stream)
    return stream.getvalue()


def _call(folder: Path, *command: str) -> None:
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603
    if ran.returncode:
        said = (ran.stderr or ran.stdout).strip().splitlines()[-1:]
        raise UserError(f"`{' '.join(command)}` ended with status {ran.returncode}: {''.join(said)}")
