"""The command `imdb-rnn`, from the shell: training on a table, and the predictions of a trained model.

What is slow to import is imported where it is needed, so that one prediction takes less than half a second.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from imdb_rnn.cli.answers import MAX_TEXT, answers, fault_of, trace
from imdb_rnn.core.errors import UserError, run_command

if TYPE_CHECKING:
    import numpy as np

    from imdb_rnn.cli.scoring import Counts
    from imdb_rnn.model import Model
    from imdb_rnn.text.tables import Table

MODEL = "data/model.safetensors"
READ_BYTES = 2**20  # of standard input, at most, before the lines that have arrived are answered
TO_SERVE = "fastapi-offline httptools prometheus-client python-multipart uvicorn"
BROKEN_PIPE = 141  # the exit status of other programs when the reader of their output has gone
EXAMPLES = """\
examples:
  imdb-rnn train reviews.xlsx
  imdb-rnn predict "A wonderful film."
  imdb-rnn look reviews.csv
  imdb-rnn predict --table reviews.csv --out scored.csv
  imdb-rnn predict --table 'reviews/*.parquet' --out scored/
"""


def main() -> None:
    """Run the command with the arguments of the process. Leaves the process if that fails."""
    run_command(_run)


def _run() -> None:
    try:
        _execute(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        _close_output()
        sys.exit(BROKEN_PIPE)
    except OSError as error:
        if error.filename:  # such as a folder that may not be entered
            raise UserError(f"{error.filename} cannot be read ({error.strerror})") from error
        _close_output()
        raise UserError(f"the answer cannot be written ({error.strerror})") from error
    except ModuleNotFoundError as error:  # what predicting seldom needs is not installed with this package
        if not error.name or error.name.startswith("imdb_rnn"):
            raise
        if error.name in sys.stdlib_module_names:  # fcntl, on Windows
            raise UserError(f"this needs Linux, WSL or macOS: Python has no {error.name} here") from error
        raise UserError(f"this needs the package {error.name}; run `pip install {error.name}`") from error


def _close_output() -> None:
    """Python flushes standard output once more at its end, which must not fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _execute(words: list[str]) -> None:
    parser, predict = _parsers()
    arguments = parser.parse_args(words)
    if arguments.version:
        from importlib.metadata import version

        print(f"imdb-rnn {version('imdb-rnn')}")
    elif arguments.command is None:
        parser.print_help()
    elif arguments.command == "look":
        _look(arguments.path)
    elif arguments.command == "train":
        _train(arguments)
    elif arguments.command == "serve":
        _serve(arguments)
    elif arguments.table:
        if not arguments.out:
            predict.error("--table needs --out, the file or folder to write")
        if arguments.report and Path(arguments.report).suffix != ".html":
            predict.error("--report writes a page; name it FILE.html")
        if arguments.texts or arguments.json or arguments.trace:
            predict.error("--table cannot be combined with texts, --json or --trace")
        if arguments.cluster or _is_of_many(arguments.table, arguments.out):
            _score_many(arguments)
        else:
            _score_one(arguments)
    else:
        if any((arguments.out, arguments.report, arguments.text_column, arguments.cluster, arguments.probabilities)):
            predict.error("--out, --report, --text-column, --cluster and --probabilities need --table")
        if not arguments.texts:
            predict.error("give a text, - for standard input, or --table")
        if "-" in arguments.texts and len(arguments.texts) > 1:
            predict.error("- (standard input) cannot be combined with texts")
        _answer(arguments)


def _parsers() -> tuple[argparse.ArgumentParser, argparse.ArgumentParser]:
    formatter = argparse.RawDescriptionHelpFormatter
    about = "Train a model on a table of reviews, and predict the labels of others."
    parser = argparse.ArgumentParser("imdb-rnn", description=about, epilog=EXAMPLES, formatter_class=formatter)
    parser.add_argument("--version", action="store_true", help="print the version")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    about = "the labels of texts and their probabilities"
    predict = commands.add_parser(
        "predict", help=about, description=f"Print {about}.", epilog=EXAMPLES, formatter_class=formatter
    )
    add = predict.add_argument
    add("texts", nargs="*", metavar="TEXT", help="a text; - reads standard input, one text per line")
    add(
        "--table",
        nargs="+",
        metavar="FILE",
        help="a CSV, TSV, JSON, Excel or Parquet table with a column of texts; or several, a folder, a quoted pattern",
    )
    add(
        "--out",
        metavar="FILE",
        help="output file: the table plus columns with the predicted label and a probability (with two labels, of the "
        "second; with more, of the predicted one). For several tables a folder; tables already scored are skipped",
    )
    about = "with --table: write a page, FILE.html, that compares the texts with the training texts"
    add("--report", metavar="FILE", help=about)
    add("--probabilities", action="store_true", help="with --table: also a column with the probability of each label")
    add("--text-column", action="append", metavar="NAME", help="the column of the texts; several are joined")
    add(
        "--cluster",
        metavar="HOST:PORT",
        help="score the tables on a Ray cluster, whose machines share the tables and the output folder; local: on "
        "every CPU of this machine",
    )
    add(
        "--unsure",
        type=float,
        metavar="CHANCE",
        help="answer unsure if the predicted label is wrong with a higher chance than this: above 0 and below 0.5 "
        "(below 1 for a model of more than two labels)",
    )
    add("--json", action="store_true", help="print one JSON object per line")
    add("--trace", action="store_true", help="also print the probability after each word")
    of_model: dict = {
        "type": Path,
        "default": MODEL,
        "metavar": "FILE",
        "help": "the model file (default: %(default)s)",
    }
    add("--model", **of_model)
    about = "a model and a report on it, in a folder"
    train = commands.add_parser("train", help=f"make {about}", description=f"Make {about}, from a table of reviews.")
    train.add_argument("table", type=Path, metavar="TABLE", help="a table, or a folder of tables or texts")
    train.add_argument("--out", type=Path, metavar="DIR", help="the folder; otherwise it is named after the table")
    train.add_argument("--project", type=Path, metavar="DIR", help="write a DVC project there, and train nothing")
    train.add_argument("--start-from", type=Path, metavar="MODEL", help="a model to start from, trained on other texts")
    train.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of params.yaml, such as train.seed=1"
    )
    about = "what training would make of a table or folder, with the settings of params.yaml: columns, labels and split"
    look = commands.add_parser("look", help=about, description=f"Print {about}.")
    look.add_argument("path", type=Path, metavar="FILE", help="a table, or a folder of tables or texts")
    about = "a web service that answers as predict does"
    add = commands.add_parser("serve", help=about, description=f"Run {about}.").add_argument
    add("--model", **of_model)
    add("--host", default="127.0.0.1", help="the address to listen at (default: %(default)s, this machine alone)")
    add("--port", type=int, default=8000, help="the port; 0 takes a free one (default: %(default)s)")
    add("--workers", type=int, default=1, metavar="N", help="how many processes answer (default: %(default)s)")
    return parser, predict


def _train(arguments: argparse.Namespace) -> None:
    from imdb_rnn.cli import train

    if arguments.project:
        train.make_project(arguments.table, arguments.project, arguments.set, arguments.start_from)
    else:
        train.train(arguments.table, arguments.out, arguments.set, arguments.start_from)


def _look(path: Path) -> None:
    from imdb_rnn.core import files
    from imdb_rnn.core.params import OwnParams, load_params
    from imdb_rnn.text.sources.own import look

    if files.PARAMS.exists():
        params = load_params(Path()).data
        lines = look(params.own, path, tokenizer=params.tokenizer)
    else:
        lines = look(OwnParams(), path)
    print("\n".join(lines))


def _serve(arguments: argparse.Namespace) -> None:
    try:
        from imdb_rnn.cli.serving.server import serve
    except ModuleNotFoundError as error:
        raise UserError(f"serve needs the package {error.name}; run `pip install {TO_SERVE}`") from error
    from imdb_rnn.core import files

    model = arguments.model
    reports, root = [model.with_name("report.html")], model.parent.parent
    if model == root / files.MODEL:
        reports.append(root / files.REPORT / "index.html")
    report = next(filter(Path.is_file, reports), None)
    serve(_load(model), report, arguments.host, arguments.port, arguments.workers)


def _is_of_many(tables: list[str], out: str) -> bool:
    """Whether the output is a folder: for several tables, or for one that is not named as a file."""
    is_pattern = not Path(tables[0]).is_file() and (
        Path(tables[0]).is_dir() or any(sign in tables[0] for sign in "*?[")
    )
    return len(tables) > 1 or is_pattern or out.endswith(os.sep) or Path(out).is_dir()


def _score_one(arguments: argparse.Namespace) -> None:
    from tqdm import tqdm

    from imdb_rnn.cli.scoring import find_text_columns, score_table
    from imdb_rnn.text.tables import open_table

    table, out = open_table(Path(arguments.table[0])), Path(arguments.out)
    model = _load(arguments.model)
    texts = find_text_columns(table, arguments.text_column, _trained(model))
    _tell(arguments, [texts], [table], model)
    with tqdm(unit=" reviews", disable=None) as bar:
        counts = score_table(model, table, out, texts, bar.update, arguments.probabilities, arguments.unsure)
    _print_counts(model, [counts], out, arguments.report)


def _score_many(arguments: argparse.Namespace) -> None:
    from tqdm import tqdm

    from imdb_rnn.cli import parts

    out = Path(arguments.out)
    paths = parts.find_tables(arguments.table, out)
    model, digest = _load(arguments.model), parts.digest(arguments.model)
    asked = arguments.text_column, _trained(model), arguments.probabilities, arguments.unsure
    planned = parts.plan(paths, out, *asked)
    _tell(arguments, [part.texts for part in planned], [part.table for part in planned], model)
    earlier = [parts.done(part, digest) for part in planned]
    rest = [part for part, counts in zip(planned, earlier, strict=True) if counts is None]
    counts = [each for each in earlier if each is not None]
    if counts:
        print(f"done already: {len(counts)} of {len(planned)} tables", file=sys.stderr)
    with parts.scratch_folder(out) as scratch, tqdm(unit=" reviews", disable=None) as bar:
        if arguments.cluster and rest:
            from imdb_rnn.cli.on_cluster import score_parts

            counts += score_parts(model, digest, rest, scratch, arguments.cluster, bar.update)
        else:
            counts += [parts.score_part(model, digest, part, scratch, bar.update) for part in rest]
    _print_counts(model, counts, out, arguments.report)


def _print_counts(model: "Model", counts: list["Counts"], out: Path, report: str | None) -> None:
    from imdb_rnn.cli import drift
    from imdb_rnn.cli.scoring import total

    rows, positive, blank, unsure, profile = total(counts)
    if blank:
        print(f"{blank:,} row{'s' * (blank != 1)} without a text: kept, with no prediction", file=sys.stderr)
    if model.profile and (unlike := drift.summary(profile, model.profile, model.labels)):
        print(unlike, file=sys.stderr)
    if model.profile and report:
        drift.write_page(Path(report), profile, model.profile, model.labels)
    of_them = f", {positive:,} of them {model.labels[1]}" * (len(model.labels) == 2)
    undecided = f", {unsure:,} unsure" * (unsure > 0)
    print(f"{rows:,} review{'s' * (rows != 1)}{of_them}{undecided}, in {out}")


def _trained(model: "Model") -> list[str]:
    """The columns that were joined for the training, if that is known."""
    return model.provenance.get("text_columns", [])


def _tell(arguments: argparse.Namespace, texts: list[list[str]], tables: list["Table"], model: "Model") -> None:
    """Report what the user did not ask for: the column that was inferred, and columns that will be replaced."""
    from imdb_rnn.cli.writing import added_columns

    if arguments.report and not model.profile:
        raise UserError(f"{arguments.model} does not know its training texts, so --report needs a newer model file")
    if not arguments.text_column:
        names = list(dict.fromkeys(name for each in texts for name in each))
        trained = _trained(model)
        differs = len(trained) > 1 and any(each != trained for each in texts)
        before = f"; the model was trained on {', '.join(trained)}" * differs
        print(f"text column{'s' * (len(names) > 1)}: {', '.join(names)}{before}", file=sys.stderr)
    added = added_columns(model.labels, arguments.probabilities)
    scored = [str(table.path) for table in tables if not set(added).isdisjoint(table.columns)]
    if scored:
        shown = ", ".join(scored[:3]) + ", …" * (len(scored) > 3)
        print(f"replacing the columns {' and '.join(added)} of {shown}", file=sys.stderr)


def _answer(arguments: argparse.Namespace) -> None:
    from_input = arguments.texts == ["-"]
    if from_input and sys.stdin is None:
        raise UserError("there is no standard input; give the texts as arguments, or a table")
    batches: Iterable[list[str]] = _lines(sys.stdin.buffer) if from_input else [_arguments(arguments.texts)]
    model, total, unknown = None, 0, 0
    for texts in filter(None, batches):  # a fault in the texts is reported before the model is loaded
        from imdb_rnn.text.vocabulary import OOV

        model = model or _load(arguments.model)
        ids = model.encode(texts)
        _print_answers(model, texts, model.logits(ids), arguments)
        sys.stdout.flush()
        total, unknown = total + len(texts), unknown + sum(ids[row].max(initial=0) <= OOV for row in range(len(ids)))
    if unknown:
        where = "this text; is it" if total == 1 else f"{unknown:,} of {total:,} texts; are they"
        print(f"the model knows no word of {where} in another language?", file=sys.stderr)


def _print_answers(model: "Model", texts: list[str], logits: "np.ndarray", arguments: argparse.Namespace) -> None:
    from imdb_rnn.model import UNSURE

    width = max(map(len, [*model.labels, UNSURE] if arguments.unsure else model.labels))
    for answer in answers(model, texts, logits, arguments.unsure, arguments.json and arguments.trace):
        if arguments.json:
            print(json.dumps(answer, ensure_ascii=False))
            continue
        text = answer["text"]
        print(f"{answer['probability']:.3f}  {answer['label']:{width}}  {' '.join(text.splitlines())}")
        if arguments.trace:
            said = trace(model, text)
            words = [
                token if known else f"{token} (unknown)" for token, known in zip(said.tokens, said.known, strict=True)
            ]
            for probability, word in zip(said.probability, ["(before the first word)", *words], strict=True):
                print(f"  {probability:.3f}  {word}")


def _load(path: Path) -> "Model":
    import imdb_rnn

    try:
        os.stat(path)  # noqa: PTH116  # or a file in a closed folder would be missing, from Python 3.14 on
    except FileNotFoundError as error:
        made = f"`imdb-rnn train TABLE` makes one, and `dvc repro train` makes {MODEL}"
        raise UserError(f"{path} does not exist; name a model with --model: {made}") from error
    return imdb_rnn.load(path)


def _arguments(texts: list[str]) -> list[str]:
    """The texts of the command line, which are UTF-8 in any locale."""
    encoded = [os.fsencode(text) for text in texts]
    for number, text in enumerate(encoded, start=1):
        if fault := fault_of(text):
            raise UserError(f"text {number} {fault}")
    return [text.decode() for text in encoded]


def _lines(stream: BinaryIO) -> Iterator[list[str]]:
    """The lines of standard input; those that arrive together are answered together, which is many times as fast.

    Raises:
        UserError: when a line is too long or not UTF-8 text, after the lines before it.
    """
    number, blank, rest, data = 0, 0, b"", b"\n"
    while data:
        data = stream.read1(READ_BYTES)  # type: ignore[attr-defined]
        *lines, rest = (rest + data).split(b"\n")
        if rest and (not data or len(rest) > MAX_TEXT):
            lines.append(rest)
        texts: list[str] = []
        for line in lines:
            number += 1
            if not line.strip(b" \t\r\xef\xbb\xbf"):
                blank += 1
                continue
            if fault := fault_of(line):
                yield texts
                raise UserError(f"line {number} of standard input {fault}")
            texts.append(line.decode("utf-8-sig" if number == 1 else "utf-8").removesuffix("\r"))
        yield texts
    if blank:
        print(f"{blank:,} blank line{'s' * (blank != 1)} of standard input left out", file=sys.stderr)
