"""The rows of user-supplied tables or text files, one after the other: what is remembered of each, besides its text."""

import textwrap
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from tqdm import tqdm

from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import OwnParams
from imdb_rnn.text.counting import hash_of
from imdb_rnn.text.labels import infer_label_mapping
from imdb_rnn.text.sources.rows import ReviewRow, Source, read_rows

TASK_TEXTS, TASK_CHARACTERS = 20_000, 2**23  # at most so many are one task of a process
MAX_LABEL_VALUES = 1000  # a column with more is not one of labels
PARTS = ("", "train", "test", "validation")
EXAMPLES, EXAMPLE_WIDTH = 3, 100  # reviews that are shown, and their characters
NO_TEXT, NO_LABEL = "no text", "no label"
NONE = -1  # in place of the number of a label value


@dataclass
class IngestedRows:
    """What was read: of each usable row its label value, part, group, length and hash; and how many rows were left out.

    rows: of each source how many were read
    label_values: of each source, value to its number, in order of first appearance
    labels: of each usable row the number of its label value, or `NONE`
    sources, numbers: of each usable row which of `rows` it is in, and its number there; 0: the file is one review
    places: of each label value, its first row
    bad, left_out: rows that cannot be read; rows that are sound, but no reviews with a label
    first_seen_at: the first row with each label value, and the first one left out for each reason
    examples: some texts, each with the number of its label value
    """

    is_grouped: bool
    rows: Counter[str] = field(default_factory=Counter)
    label_values: dict[str, dict[str, int]] = field(default_factory=dict)
    places: list[str] = field(default_factory=list)
    tokens: dict[str, int] = field(default_factory=dict)
    labels: array = field(default_factory=lambda: array("i"))
    parts: array = field(default_factory=lambda: array("B"))
    groups: array = field(default_factory=lambda: array("Q"))
    sources: array = field(default_factory=lambda: array("I"))
    numbers: array = field(default_factory=lambda: array("Q"))
    lengths: list[np.ndarray] = field(default_factory=list)
    hashes: list[np.ndarray] = field(default_factory=list)
    bad: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)
    first_seen_at: dict[str, str] = field(default_factory=dict)
    examples: list[tuple[int, str]] = field(default_factory=list)


def texts_of(
    params: OwnParams, sources: Sequence[Source], found: IngestedRows, enough: float = np.inf
) -> Iterator[list[str]]:
    """Give the texts of usable rows, chunk by chunk, and record the rest of each row in `found`."""
    all_rows = ((source, row) for source in sources for row in read_rows(params, source))
    rows = iter(tqdm(all_rows, unit=" rows", disable=None))
    while True:
        texts: list[str] = []
        characters, before = 0, len(found.places)
        for source, row in rows:
            found.rows[source.name] += 1
            if _note(row, source, found):
                texts.append(row.text)
                characters += len(row.text)
                if len(texts) == TASK_TEXTS or characters >= TASK_CHARACTERS:
                    break
        if not texts:
            return
        yield texts
        if len(found.labels) >= enough and len(found.places) == before > 1:
            return


def _note(row: ReviewRow, source: Source, found: IngestedRows) -> bool:
    """Record everything of a row except its text; return whether the row is usable, if only to learn words from it."""
    if row.change:
        found.changes[row.change] += 1
    has_text = row.text and not row.text.isspace()
    reason = row.fault or (NO_LABEL if not row.label else "" if has_text else NO_TEXT)
    if reason:
        found.first_seen_at.setdefault(reason, _place(row, source))
    if reason and not (reason == NO_LABEL and has_text and row.part in ("", "train")):
        (found.bad if row.fault else found.left_out)[reason] += 1
        return False
    found.labels.append(_label_number(row, source, found) if row.label else NONE)
    found.parts.append(PARTS.index(row.part))
    found.sources.append(len(found.rows) - 1)
    found.numbers.append(row.number if source.table else 0)
    if found.is_grouped:
        found.groups.append(hash_of(row.group or f"\0{len(found.labels)}"))  # a row without a group is its own group
    return True


def _label_number(row: ReviewRow, source: Source, found: IngestedRows) -> int:
    """The number of a row's label value; of a new one its place is noted, and of some rows the text."""
    values = found.label_values.setdefault(source.name if source.table else "", {})
    number = values.setdefault(row.label, len(found.places))
    if is_new := number == len(found.places):
        found.places.append(_place(row, source))
        if len(values) > MAX_LABEL_VALUES:
            infer_label_mapping(dict.fromkeys(values, 1), None)  # numbers need bounds, which its error says
            raise UserError(
                f"{_place(row, source)}: more than {MAX_LABEL_VALUES} different labels in {source.label}; name the "
                "column of the labels in data.own.label_column"
            )
    if len(found.examples) < EXAMPLES or is_new:
        found.examples.append((number, textwrap.shorten(row.text[:1000], EXAMPLE_WIDTH, placeholder=" …")))
    return number


def _place(row: ReviewRow, source: Source) -> str:
    return f"{source.name}, row {row.number}" if source.table else source.name


def places_of(found: IngestedRows, rows: np.ndarray) -> Iterator[str]:
    """Where some of the usable rows are, for people: `a.csv, row 12`, or the name of a file that is one review."""
    names = [name.replace("\n", " ") for name in found.rows]
    for row in rows.tolist():
        name, number = names[found.sources[row]], found.numbers[row]
        yield f"{name}, row {number}" if number else name
