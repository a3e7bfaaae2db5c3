"""User-supplied reviews as people have them: which files hold them, which columns say what, and their rows."""

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import OwnParams
from imdb_rnn.text import columns, tables
from imdb_rnn.text.columns import PARTS
from imdb_rnn.text.labels import PREFIX, SIDE, bounded, canonical
from imdb_rnn.text.tables.source import look, pieces, reading

DOCUMENTATION = re.compile(r"(readme|licen[cs]e|copying|notice|changelog|citation)\b.*|.*\.(md|rst)", re.IGNORECASE)
OF_THE_PROJECT = re.compile(r"README\.md|(.*/)?\.gitignore|.*\.dvc")
LONGEST_FILE = 10_000_000  # bytes
SAMPLE, FEWEST, CELLS = 1000, 50, 200_000  # rows by which columns are recognised, fewer if they have many cells
FORMS = "a table (CSV, TSV, JSON, Excel, Parquet), a folder of tables, or one folder of .txt files per label"


class Source(NamedTuple):
    """A file with reviews.

    name: its path below `data.own.path`
    table: None: the file is one review
    texts, label, split: its columns; `label` is `labels.PREFIX` where lines begin with it, empty if there is no column
    label_of_all, part: the label and the part of all rows if its name says them, or empty
    scale: sources with the same one share the meaning of their labels
    why: how the columns were recognised, in words
    is_unlabelled: whether it is `data.own.unlabelled`
    """

    path: Path
    name: str
    table: tables.Table | None = None
    texts: Sequence[str] = ()
    label: str = ""
    split: str = ""
    label_of_all: str = ""
    part: str = ""
    scale: str = ""
    why: str = ""
    is_unlabelled: bool = False


class ReviewRow(NamedTuple):
    """A review as it is found.

    number: of its row, from 1
    text, label: as it is, and `labels.canonical`; empty if there is none
    part: `train`, `validation`, `test`, or empty if nothing says which
    group: reviews of the same group are kept on the same side of a split; empty: no group
    fault: why the row cannot be used, or empty
    change: what reading the row changed, or empty
    """

    number: int
    text: str
    label: str
    part: str = ""
    group: str = ""
    fault: str = ""
    change: str = ""


def find_sources(params: OwnParams, path: Path, root: Path = Path()) -> tuple[list[Source], dict[str, str]]:
    """Find the reviews at `path`, and look at the first rows of each table.

    Args:
        root: the project's folder, in which `data.own.unlabelled` is.

    Returns:
        The sources by name, that without labels last; and the other files by name, each with the reason why it is not
        read.

    Raises:
        UserError: when there are none, a table is missing or cannot be read, or it is not clear which column is which.
    """
    unlabelled = [_without_labels(params, root)] if params.unlabelled else []
    found = [file for file in _files(params, path) if file not in (source.path for source in unlabelled)]
    texts = _texts(found, path)
    sources: list[Source] = []
    bare: list[Source] = []  # without labels
    left_out: dict[str, str] = {}
    without: list[UserError] = []
    for file in found:
        name = file.relative_to(path).as_posix() if file != path else file.name
        if file in texts:
            part = _part(name.split("/")[:-2])
            sources.append(Source(file, name, label_of_all=canonical(file.parent.name), part=part))
        elif file != path and OF_THE_PROJECT.fullmatch(name):
            continue
        elif file != path and (file.name[0] == "." or DOCUMENTATION.fullmatch(file.name)):
            left_out[name] = "hidden" if file.name[0] == "." else "documentation"
        elif file.suffix in (".gz", ".zst", ".zip") and file.with_suffix("") in found:
            left_out[name] = f"{file.stem}, compressed"
        elif texts and file.suffix.lower() == ".txt":
            left_out[name] = "beside folders of reviews"
        else:
            try:
                source = _of_table(params, tables.open_table(file), name)
                (sources if source.label else bare).append(source)
            except UserError as error:
                left_out[name] = str(error).removeprefix(f"{file}").partition("; ")[0].strip(" :,")
                if isinstance(error, columns.NoColumnError):
                    without.append(error)
                elif file.suffix.lower() in (*tables.SUFFIXES, ".txt") or file == path:
                    raise
    if not sources:
        sources = _named_like_labels(bare)
    read = {source.name for source in sources}
    left_out |= {source.name: "no column of labels" for source in bare if source.name not in read}
    if not sources:
        without += [columns.unclear(f"{each.path}", "label", [], each.table.columns) for each in bare if each.table]
        others = ", only " + ", ".join(f"{name} ({why})" for name, why in [*left_out.items()][:3]) if left_out else ""
        example = f"; to try it, run `cp data/example.csv {path}`" if path.is_dir() else ""
        nothing = UserError(f"{path} holds no reviews{others}; put {FORMS} there{example}")
        raise (*without, nothing)[0]
    kinds = {source.table is None: source.name for source in sources}
    if len(kinds) > 1:
        both = f"{kinds[False]} and {kinds[True]}"
        raise UserError(f"{path} holds tables and text files, {both}; move one kind away")
    return sources + unlabelled, left_out


def _files(params: OwnParams, path: Path) -> list[Path]:
    """A file, or the files of a folder by name; hidden folders are not entered.

    Raises:
        UserError: when there is nothing, DVC has not fetched a file, or a folder cannot be read or is a link: DVC does
            not see what changes behind it.
    """
    found = [path]
    if path.is_dir():
        found = []
        for folder, folders, names in os.walk(path, onerror=_refuse_folder):
            for name in folders:
                if Path(folder, name).is_symlink():
                    raise UserError(
                        f"{Path(folder, name)} links to a folder, where DVC sees no changes; link its files"
                    )
            found += [Path(folder, name) for name in names + [name for name in folders if name[0] == "."]]
            folders[:] = [name for name in folders if name[0] != "."]
    elif not path.exists():
        found = [path.with_name(f"{path.name}.dvc")]
        if not found[0].exists():
            raise UserError(f"{path} does not exist; put your reviews there: {FORMS}")
    for file in found:
        if file.suffix == ".dvc" and file.stem and not file.with_suffix("").exists():
            raise UserError(f"{file.with_suffix('')} is not here, only its {file.name}; run `dvc pull {file}`")
    return sorted(found)


def _refuse_folder(error: OSError) -> None:
    raise UserError(f"{error.filename} cannot be read ({error.strerror}); allow it, or move it away") from error


def _texts(found: Sequence[Path], path: Path) -> set[Path]:
    """The files that are one review each: `.txt` in folders that stand side by side, or are named like a label."""
    texts = [file for file in found if file.suffix.lower() == ".txt" and file.parent != path and file.name[0] != "."]
    folders = {file.parent for file in texts if file.parent.name.lower() not in PARTS} - {path.parent}
    beside = Counter(folder.parent for folder in folders)
    labels = {folder for folder in folders if beside[folder.parent] > 1 or folder.name.casefold() in SIDE}
    return {file for file in texts if file.parent in labels}


def _words(name: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[^\W\d_A-Za-z]+", name)]


def _part(names: Sequence[str]) -> str:
    """The part that a file's name says, or that of a folder it is in: `train`, `validation`, `test`, or empty."""
    return next((PARTS[word] for name in reversed(names) for word in _words(name) if word in PARTS), "")


def _of_table(params: OwnParams, table: tables.Table, name: str) -> Source:
    """A table with its columns; `label` is empty if it has none. Raises `UserError` as `columns.find_text` does."""
    rows = _sample(table)
    stem = " ".join(word for word in _words(name.split("/")[-1]) if word not in PARTS)
    source = Source(table.path, name, table, part=_part(name.split("/")), scale=stem)
    there, place = table.columns, str(table.path)
    if table.form == "lines":
        prefixed = sum(str(row[there[0]]).startswith(PREFIX) for row in rows) > len(rows) / 2
        return source._replace(texts=there[:1], label=PREFIX if prefixed else "")
    said = [*(params.text_columns or ()), params.label_column, params.split_column, params.group_column]
    columns.require(there, filter(None, said), place)
    texts, label, why_text, why_label = params.text_columns, params.label_column, "as set", "as set"
    if not texts:
        text, why_text = columns.find_text(there, rows, place, "data.own.text_columns")
        texts = [text]
    if not label:
        label, why_label = columns.find_label(there, rows, texts, place)
        if not label and len(rows) >= FEWEST:  # sorted by the label, the first rows have the same
            rows = _sample(table, step=FEWEST)
            label, why_label = columns.find_label(there, rows, texts, place)
    split = params.split_column or columns.find_split(there, rows)
    why = why_text if why_text == why_label else f"text {why_text}, label {why_label}"
    return source._replace(texts=texts, label=label, split=split, scale=f"{stem} {label}", why=why)


def _without_labels(params: OwnParams, root: Path) -> Source:
    """The table `data.own.unlabelled`. Raises `UserError` as `find_sources` does."""
    name = f"{params.unlabelled}"
    path = root / name
    if _files(params, path) != [path]:
        raise UserError(f"{path} is a folder; name a table in data.own.unlabelled")
    table = tables.open_table(path)
    texts, why = params.text_columns, "as set"
    if table.form == "lines":
        texts, why = table.columns[:1], ""
    elif texts:
        columns.require(table.columns, texts, str(path))
    else:
        text, why = columns.find_text(table.columns, _sample(table), str(path), "data.own.text_columns")
        texts = [text]
    return Source(path, name, table, texts, part="train", why=why, is_unlabelled=True)


def _sample(table: tables.Table, step: int = 0) -> list[dict[str, Any]]:
    """Some rows, with the beginning of each text: the first ones, or with a `step` some of the whole table."""
    sample: list[dict[str, Any]] = []
    most = min(SAMPLE, max(FEWEST, CELLS // len(table.columns)))
    rows = (row.values for row in tables.read_rows(table) if not row.fault)
    for values in islice(rows, 0, None, step) if step else islice(rows, most):
        sample.append({name: cell[:1000] if isinstance(cell, str) else cell for name, cell in values.items()})
        if len(sample) > 2 * most:
            sample = sample[::2]
    return sample


def _named_like_labels(bare: Sequence[Source]) -> list[Source]:
    """Tables without labels whose files are named like labels: pos.txt and neg.txt, or one text file for each class."""
    labels = {}
    for source in bare:
        words = [word for word in _words(source.path.name.removesuffix(".txt")) if word not in PARTS]
        by_meaning = [word for word in words if word in SIDE]
        if by_meaning or (words and source.table and source.table.form == "lines"):
            labels[source.name] = (*by_meaning, " ".join(words))[0]
    if len(set(labels.values())) < 2:
        return []
    named = [source for source in bare if source.name in labels]
    return [source._replace(label_of_all=labels[source.name], scale="", why="by the file's name") for source in named]


def read_rows(params: OwnParams, source: Source) -> Iterator[ReviewRow]:
    """Read a source. Raises `UserError` as `tables.read_rows` does."""
    if source.table is None:
        yield _of_file(source)
        return
    texts, group, label, part, key = source.texts, params.group_column, source.label_of_all, source.part, ""
    for number, values, fault, change in tables.read_rows(source.table):
        if fault:
            yield ReviewRow(number, "", "", fault=fault)
            continue
        cells = [values[name] for name in texts if values.get(name) is not None]
        try:
            text = "\n".join(cells)
        except TypeError:
            cells = [cell for cell in cells if cell == cell]  # NaN is no text
            text = "\n".join(map(str, cells))
            if not all(isinstance(cell, str | int | float) for cell in cells):
                fault = "text cell is not a string or a number"
        if source.label == PREFIX:
            label, _, text = text.partition(" ")
            label = canonical(label) if label.startswith(PREFIX) else ""
        elif source.label:
            label = canonical(values.get(source.label))
            if label[:1] == "[" and isinstance(values[source.label], list):
                fault = "several labels"
            if label == source.label and text == texts[0]:  # the header once more
                label = ""
        if source.split:
            part = PARTS.get(canonical(values.get(source.split)).lower(), "")
            fault = fault if part else "neither train nor test"
        if group:
            key = canonical(values.get(group))
        yield ReviewRow(number, text, bounded(label, params.labels), part, key, fault or _fault(text), change)


def _fault(text: str) -> str:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return "text that is not Unicode"
    return ""


def _of_file(source: Source) -> ReviewRow:
    path, text, fault = source.path, "", ""
    try:
        if path.stat().st_size > LONGEST_FILE:
            fault = f"more than {LONGEST_FILE} bytes"
        else:
            text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        try:
            with reading(path):
                text = "".join(pieces(look(path)[0]))
            fault = _fault(text)
        except UserError:
            fault = "text in no known encoding"
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror})") from error
    return ReviewRow(1, text, source.label_of_all, source.part, fault=fault)
