"""The command `imdb-rnn`: asks a trained network about texts from the shell.

What takes time to load is imported where it is needed, so that one answer comes within half a second.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from imdb_rnn.core.errors import UserError, run_command

if TYPE_CHECKING:
    from imdb_rnn.cli.scoring import Counts
    from imdb_rnn.model import Model

MODEL = "data/model.safetensors"
READ = 2**20  # bytes of standard input that are asked for at a time
MAX_LINE = 10 * 2**20  # bytes
TOO_LONG = f"is longer than {MAX_LINE >> 20} MB"
BROKEN_PIPE = 141  # the status with which other programs end when nobody reads on
EXAMPLES = """\
examples:
  imdb-rnn predict "A wonderful film."
  imdb-rnn predict --table reviews.csv --out scored.csv
  imdb-rnn predict --table 'reviews/*.parquet' --out scored/
"""


def main() -> None:
    """Run the command with the arguments of the process, and leave it if that fails."""
    run_command(_run)


def _run() -> None:
    try:
        _obey(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        _print_no_more()
        sys.exit(BROKEN_PIPE)
    except OSError as error:
        if error.filename:  # a folder on the way to a file that one may not enter
            raise UserError(f"{error.filename} cannot be read ({error.strerror})") from error
        _print_no_more()
        raise UserError(f"the answer cannot be written ({error.strerror})") from error


def _print_no_more() -> None:
    """Python flushes once more when it ends, which must not fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _obey(words: list[str]) -> None:
    parser, predict = _parsers()
    arguments = parser.parse_args(words)
    if arguments.version:
        from importlib.metadata import version

        print(f"imdb-rnn {version('imdb-rnn')}")
    elif arguments.command is None:
        parser.print_help()
    elif arguments.table:
        if not arguments.out:
            predict.error("--table needs --out, the file or folder to write")
        if arguments.texts or arguments.json or arguments.trace:
            predict.error("--table stands alone: no texts, --json or --trace beside it")
        if arguments.cluster or _is_of_many(arguments.table, arguments.out):
            _score_many(arguments)
        else:
            _score(arguments)
    else:
        if arguments.out or arguments.text_column or arguments.cluster:
            predict.error("--out, --text-column and --cluster belong to --table")
        if not arguments.texts:
            predict.error("give a text, - for standard input, or --table")
        if "-" in arguments.texts and len(arguments.texts) > 1:
            predict.error("- stands alone: standard input or texts, not both")
        _answer(arguments)


def _parsers() -> tuple[argparse.ArgumentParser, argparse.ArgumentParser]:
    in_lines = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "imdb-rnn",
        description="Ask a trained network whether reviews are positive.",
        epilog=EXAMPLES,
        formatter_class=in_lines,
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    predict = commands.add_parser(
        "predict",
        help="how probable it is that texts are positive",
        description="How probable it is that texts are positive, in the order in which they come.",
        epilog=EXAMPLES,
        formatter_class=in_lines,
    )
    predict.add_argument("texts", nargs="*", metavar="TEXT", help="a text; - alone: one a line from standard input")
    predict.add_argument(
        "--table",
        nargs="+",
        metavar="FILE",
        help="a CSV, TSV, JSONL or Parquet file of texts; or several, a folder of them, or a pattern in quotes",
    )
    predict.add_argument(
        "--out",
        metavar="FILE",
        help="that file with probability and label, written whole; a folder for several, where those are left out that "
        "are done already",
    )
    predict.add_argument(
        "--text-column",
        action="append",
        metavar="NAME",
        help="the column of the texts, if its name does not say so; several are joined",
    )
    predict.add_argument(
        "--cluster",
        metavar="HOST:PORT",
        help="score the tables on the machines of a Ray cluster, which all see them and the folder; local: on each "
        "processor of this one",
    )
    predict.add_argument("--json", action="store_true", help="print a JSON object a line")
    predict.add_argument("--trace", action="store_true", help="print the probability after each word as well")
    predict.add_argument("--model", type=Path, default=MODEL, metavar="FILE", help="the network (default: %(default)s)")
    return parser, predict


def _is_of_many(tables: list[str], out: str) -> bool:
    """Whether a folder is to be written: of several tables, or of one that is not meant by its very name."""
    return len(tables) > 1 or not _is_one(Path(tables[0])) or out.endswith(os.sep) or Path(out).is_dir()


def _is_one(table: Path) -> bool:
    return table.is_file() or not (table.is_dir() or any(sign in str(table) for sign in "*?["))


def _score(arguments: argparse.Namespace) -> None:
    from tqdm import tqdm

    from imdb_rnn.cli.scoring import find_text_columns, score_table

    table, out = Path(arguments.table[0]), Path(arguments.out)
    texts = find_text_columns(table, arguments.text_column)
    if not arguments.text_column:
        print(f"text column: {texts[0]}", file=sys.stderr)
    model = _load(arguments.model)
    with tqdm(unit=" reviews", disable=None) as bar:
        rows, positive = score_table(model, table, out, texts, bar.update)
    print(f"{rows:,} reviews, {positive:,} of them {model.labels[1]}, in {out}")


def _score_many(arguments: argparse.Namespace) -> None:
    from tqdm import tqdm

    from imdb_rnn.cli import parts

    out = Path(arguments.out)
    planned = parts.plan(parts.find_tables(arguments.table, out), out, arguments.text_column)
    if not arguments.text_column:
        print(f"text column: {', '.join(sorted({part.texts[0] for part in planned}))}", file=sys.stderr)
    model, digest = _load(arguments.model), parts.digest(arguments.model)
    earlier = [parts.done(part, digest) for part in planned]
    counts = [each for each in earlier if each]
    if counts:
        print(f"done already: {len(counts)} of {len(planned)} tables", file=sys.stderr)
    rest = [part for part, each in zip(planned, earlier, strict=True) if not each]
    with parts.place_in(out) as place, tqdm(unit=" reviews", disable=None) as bar:

        def note(new: "Counts") -> None:
            counts.append(new)
            bar.n = sum(each.rows for each in counts[len(planned) - len(rest) :])
            bar.set_description(f"{len(counts)} of {len(planned)} tables")

        if arguments.cluster and rest:
            from imdb_rnn.cli.on_cluster import score_parts

            score_parts(model, digest, rest, place, arguments.cluster, note)
        else:
            for part in rest:
                note(parts.score_part(model, digest, part, place, bar.update))
    rows, positive = (sum(each) for each in zip(*counts, strict=True))
    print(f"{rows:,} reviews, {positive:,} of them {model.labels[1]}, in {out}")


def _answer(arguments: argparse.Namespace) -> None:
    from imdb_rnn.engine.kernels.arithmetic import expit

    from_input = arguments.texts == ["-"]
    if from_input and sys.stdin is None:
        raise UserError("there is no standard input; name the texts, or a table")
    together = _lines(sys.stdin.buffer) if from_input else iter([_arguments(arguments.texts)])
    model = None
    for texts in together:  # what is wrong with the texts is said before the network is loaded
        model = model or _load(arguments.model)
        logits = model.decision_function(texts)
        for text, value, label in zip(texts, expit(logits).tolist(), model.label_names(logits), strict=True):
            if arguments.json:
                answer = {"text": text, "probability": round(value, 6), "label": label}
                print(json.dumps(answer | (_traced(model, text) if arguments.trace else {}), ensure_ascii=False))
            else:
                print(_row(value, label, " ".join(text.splitlines()), model))
                if arguments.trace:
                    _print_trace(model, text)
        sys.stdout.flush()


def _row(probability: float, label: str, text: str, model: "Model") -> str:
    return f"{probability:.3f}  {label:{max(map(len, model.labels))}}  {text}"


def _print_trace(model: "Model", text: str) -> None:
    trace = model.trace(text)
    words = [token if known else f"{token} (unknown)" for token, known in zip(trace.tokens, trace.known, strict=True)]
    for probability, word in zip(trace.probability, ["(before the first word)", *words], strict=True):
        print(f"  {probability:.3f}  {word}")


def _traced(model: "Model", text: str) -> dict:
    trace = model.trace(text)
    return {"tokens": trace.tokens, "known": trace.known.tolist(), "trace": trace.probability.round(6).tolist()}


def _load(path: Path) -> "Model":
    import imdb_rnn

    return imdb_rnn.load(path)


def _arguments(texts: list[str]) -> list[str]:
    """The texts of the command line, UTF-8 whatever the locale takes them for."""
    decoded = []
    for number, text in enumerate(texts, start=1):
        try:
            decoded.append(os.fsencode(text).decode())
        except UnicodeDecodeError as error:
            raise UserError(f"text {number} is not UTF-8") from error
        if not text.strip():
            raise UserError(f"text {number} is empty; give one with words in it")
    return decoded


def _lines(stream: BinaryIO) -> Iterator[list[str]]:
    """The lines of standard input, together with those that came with them, so that nobody waits for an answer.

    Raises:
        UserError: when a line is empty, longer than `MAX_LINE` or no UTF-8 text; those before it were given.
    """
    number, rest, is_end = 0, b"", False
    while not is_end:
        data = stream.read1(READ)  # type: ignore[attr-defined]
        is_end = not data
        whole, found, after = (rest + data).rpartition(b"\n")
        lines = whole.split(b"\n") if found else []
        rest = after
        if is_end and rest:
            lines.append(rest)
        texts, fault = [], ""
        for line in lines:
            number += 1
            text, fault = _text(line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line)
            if fault:
                break
            texts.append(text)
        if texts:
            yield texts
        if not fault and len(rest) > MAX_LINE:
            number, fault = number + 1, TOO_LONG
        if fault:
            raise UserError(f"line {number} of standard input {fault}")


def _text(line: bytes) -> tuple[str, str]:
    """A line as text without its end, and what is wrong with it, if anything is."""
    if len(line) > MAX_LINE:
        return "", TOO_LONG
    if b"\0" in line:
        return "", "holds NUL bytes: it is binary, not text"
    try:
        text = line.decode().removesuffix("\r")
    except UnicodeDecodeError:
        return "", "is not UTF-8 text"
    return text, "" if text.strip() else "is empty; remove it"
