"""People's own reviews, from tables or text files, split and counted in memory that does not grow with their words.

Tokens go to a file as numbers in order of first appearance, become ranks when all have been counted, and are read back
by memory map. Processes split the texts, as many as there are processors; the result does not depend on how many.
"""

import hashlib
import re
import signal
import tempfile
from array import array
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, islice
from multiprocessing import get_context
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from tqdm import tqdm

from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import OwnParams
from imdb_rnn.engine import threads
from imdb_rnn.engine.ragged import Ragged, from_lengths
from imdb_rnn.text.corpus import Corpus, Reviews, make_corpus
from imdb_rnn.text.labels import LEFT_OUT, UNKNOWN_LABEL, Labels, understand
from imdb_rnn.text.sources.rows import Row, read_rows
from imdb_rnn.text.split import split_by_group, split_by_hash, split_by_position
from imdb_rnn.text.vocabulary import get_tokenizer

CHUNK, CHARACTERS = 20_000, 2**23  # texts that a process splits at once, and when there are fewer
AT_ONCE = 2**22  # tokens that are looked at at once
LABEL_VALUES = 1000  # at most; more are no labels
# Letters of scripts without spaces between words: Thai to Myanmar, Khmer, Chinese and Japanese.
UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
UNSPACED_SHARE = 0.3  # of the letters, from which on a text is not of words between spaces
PARTS = ("", "train", "test")


class Chunk(NamedTuple):
    """The tokens of some texts.

    tokens: the distinct ones, in order of first appearance
    numbers: int32, which of them the texts have, one text behind the other
    lengths: int64 (texts,)
    hashes: uint64 (texts,), the same for texts of the same tokens
    """

    tokens: list[str]
    numbers: np.ndarray
    lengths: np.ndarray
    hashes: np.ndarray


@dataclass
class Found:
    """What was read: of each usable row a label value, part, group, length and hash, and how many rows were left out.

    label_values, tokens: value or token to its number, in order of first appearance
    places: of the first row with each label value, or each reason to leave one out
    """

    rows: int = 0
    label_values: dict[str, int] = field(default_factory=dict)
    tokens: dict[str, int] = field(default_factory=dict)
    labels: array = field(default_factory=lambda: array("H"))
    parts: array = field(default_factory=lambda: array("B"))
    groups: array = field(default_factory=lambda: array("Q"))
    lengths: list[np.ndarray] = field(default_factory=list)
    hashes: list[np.ndarray] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    places: dict[str, str] = field(default_factory=dict)


def read(params: OwnParams, root: Path, tokenizer: str) -> Corpus:
    """Read the reviews at `data.own.path`; the vocabulary is counted on the training part only.

    Raises:
        UserError: when there are none, a column or the meaning of a label is not clear, more rows than
            `max_bad_rows` cannot be used, `tokenizer` does not split such texts, or a part has no review of a label.
    """
    (root / files.REVIEWS.parent).mkdir(parents=True, exist_ok=True)
    found = Found()
    with _spilling(root / files.REVIEWS.parent) as spilled:
        for chunk in _split_all(_texts(params, root / params.path, tokenizer, found), tokenizer):
            number_of = [found.tokens.setdefault(token, len(found.tokens)) for token in chunk.tokens]
            np.array(number_of, np.int32)[chunk.numbers].tofile(spilled)
            found.lengths.append(chunk.lengths)
            found.hashes.append(chunk.hashes)
        lengths = np.concatenate([np.empty(0, np.int64), *found.lengths])
        hashes = np.concatenate([np.empty(0, np.uint64), *found.hashes])
        labels, y, kept = _usable(params, found, lengths, hashes)
        train, test, split = _parts(params, found, y, kept, hashes)
        if params.group_column:
            train = _by_group(train, found)
        ragged = from_lengths(_mapped(spilled), lengths)
        vocabulary, ranks = _ranks(ragged.rows(train), list(found.tokens))
        provenance = {
            "source": "own",
            "description": f"reviews from {params.path}",
            "tokenizer": tokenizer,
            "labels": list(labels.names),
            "rows": {"read": found.rows, "kept": len(kept), "left_out": dict(sorted(found.left_out.items()))},
            "rule": labels.rule,
            "split": split,
        }
        sets = [
            Reviews(_translated(ragged.rows(rows), ranks, root), y[rows].astype(np.int64)) for rows in (train, test)
        ]
    return make_corpus(sets[0], sets[1], vocabulary, provenance)


def _texts(params: OwnParams, path: Path, tokenizer: str, found: Found) -> Iterator[list[str]]:
    """Give the texts of usable rows, some at a time, and note the rest of each row in `found`."""
    rows = iter(tqdm(read_rows(params, path), unit=" rows", disable=None))
    is_first = True
    while True:
        texts: list[str] = []
        characters = 0
        for row in rows:
            found.rows += 1
            if _note(row, found):
                texts.append(row.text)
                characters += len(row.text)
            if len(texts) == CHUNK or characters >= CHARACTERS:
                break
        if tokenizer == "word" and texts and is_first:
            _check_script(texts, params.path)
        is_first = False
        if not texts:
            return
        yield texts


def _note(row: Row, found: Found) -> bool:
    """Note all of a row but its text; whether it has one."""
    if row.fault:
        found.left_out[row.fault] += 1
        found.places.setdefault(row.fault, row.place)
        return False
    number = found.label_values.setdefault(row.label, len(found.label_values))
    if number == LABEL_VALUES:
        raise UserError(
            f"{row.place}: more than {LABEL_VALUES} different labels; data.own.label_column names the wrong column"
        )
    found.places.setdefault(f"label {row.label}", row.place)
    found.labels.append(number)
    found.parts.append(PARTS.index(row.part))
    found.groups.append(_hash(row.group or f"\0{found.rows}"))  # without a group it is one of its own
    return True


def _check_script(texts: list[str], path: str) -> None:
    letters = [letter for text in texts[:1000] for letter in text if letter.isalpha()]
    if len(UNSPACED.findall("".join(letters))) > UNSPACED_SHARE * len(letters):
        raise UserError(
            f"{path} is of a script without spaces between words, such as Chinese, which data.tokenizer: word cannot "
            "part; set data.tokenizer: char, or jieba for Chinese words"
        )


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def _split_all(texts: Iterator[list[str]], tokenizer: str) -> Iterator[Chunk]:
    """Split chunks of texts, in their order; from the second chunk on in processes of their own."""
    begin = list(islice(texts, 2))
    if len(begin) < 2:
        yield from (split_texts(chunk, tokenizer) for chunk in begin)
        return
    workers = threads.count()
    waiting: deque[Future[Chunk]] = deque()
    with ProcessPoolExecutor(workers, get_context("spawn"), _ignore_interrupts) as pool:
        for chunk in chain(begin, texts):
            waiting.append(pool.submit(split_texts, chunk, tokenizer))
            if len(waiting) > workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business


def split_texts(texts: list[str], tokenizer: str) -> Chunk:
    """Split texts as `vocabulary.get_tokenizer` does."""
    split = get_tokenizer(tokenizer)
    number_of: dict[str, int] = {}
    numbers, lengths = array("i"), []
    hashes = np.empty(len(texts), np.uint64)
    for row, text in enumerate(texts):
        words = split(text)
        numbers.extend([number_of.setdefault(word, len(number_of)) for word in words])
        lengths.append(len(words))
        hashes[row] = _hash("\n".join(words))
    return Chunk(list(number_of), np.array(numbers, np.int32), np.array(lengths, np.int64), hashes)


def _usable(
    params: OwnParams, found: Found, lengths: np.ndarray, hashes: np.ndarray
) -> tuple[Labels, np.ndarray, np.ndarray]:
    """Tell what the labels mean, leave out what cannot be used, and stop if that is too much.

    Returns:
        The labels; int8 (rows,), 0 or 1 or neither; the rows that are kept, int64, ascending.
    """
    numbers = np.array(found.labels, np.int64)
    counts = dict(
        zip(found.label_values, np.bincount(numbers, minlength=len(found.label_values)).tolist(), strict=True)
    )
    labels = understand(counts, params.labels) if counts else Labels({}, ("", ""), "")
    for value, count in counts.items():
        if labels.meaning[value] == UNKNOWN_LABEL:
            reason = "a label that is neither negative nor positive"
            found.left_out[reason] += count
            found.places.setdefault(reason, f"{found.places[f'label {value}']}: {value!r}")
    meanings = np.array([labels.meaning[value] for value in counts], np.int8)
    y = meanings[numbers] if counts else np.empty(0, np.int8)
    wordless = (lengths == 0) & (y >= 0)
    if wordless.any():
        found.left_out["no word in the text"] += int(wordless.sum())
    bad = sum(found.left_out.values())
    if bad > params.max_bad_rows:
        reasons = "; ".join(
            f"{count} {reason}" + (f" ({found.places[reason]})" if reason in found.places else "")
            for reason, count in found.left_out.most_common(5)
        )
        raise UserError(
            f"{params.path}: {bad} of {found.rows} rows cannot be used: {reasons}; mend them, or set "
            f"data.own.max_bad_rows to {bad} or more to leave them out"
        )
    between = int((y == LEFT_OUT).sum())
    if between:
        found.left_out["between the bounds of the labels"] = between
    kept = np.flatnonzero((y >= 0) & (lengths > 0))
    if params.remove_duplicates:
        _, first = np.unique(hashes[kept], return_index=True)
        if len(first) < len(kept):
            found.left_out["a duplicate"] = len(kept) - len(first)
        kept = kept[np.sort(first)]
    if not len(kept):
        raise UserError(f"{params.path}: none of {found.rows} rows is a review with a label")
    return labels, y, kept


def _parts(
    params: OwnParams, found: Found, y: np.ndarray, kept: np.ndarray, hashes: np.ndarray
) -> tuple[np.ndarray, np.ndarray, str]:
    """Rows for training and for testing, ascending, and how they were told apart."""
    parts, key, share = np.array(found.parts, np.uint8)[kept], "data.own.test_fraction", params.test_fraction
    if parts.any():
        if not parts.all():
            raise UserError(
                f"{params.path}: some reviews are in train or test, others in neither; put all of them in one"
            )
        return (
            kept[parts == PARTS.index("train")],
            kept[parts == PARTS.index("test")],
            "as the reviews' owner split them",
        )
    labels = y[kept]
    if params.group_column:
        groups = np.array(found.groups, np.uint64)[kept]
        train, test = split_by_group(labels, groups, share, key)
        rule = (
            f"by {params.group_column}, none of which is on both sides, about {share} of the reviews are the test set"
        )
    elif params.split == "hash":
        train, test = split_by_hash(labels, hashes[kept], share, key)
        rule = f"by a hash of each text within each label, {share} of it are the test set"
    else:
        train, test = split_by_position(labels, share, key)
        rule = f"by position within each label, the last {share} of it are the test set"
    return kept[train], kept[test], rule


def _by_group(rows: np.ndarray, found: Found) -> np.ndarray:
    """The rows in the order of their groups' hashes, so that training, which holds the last of each label out, cuts few
    groups in two, in whatever order labels stand in the table.
    """
    return rows[np.argsort(np.array(found.groups, np.uint64)[rows], kind="stable")]


def _mapped(file: IO[bytes]) -> np.ndarray:
    """The int32 numbers in a file, not in memory."""
    file.flush()
    return np.memmap(file, np.int32, "r") if file.tell() else np.empty(0, np.int32)


def _pieces(reviews: Ragged) -> Iterator[np.ndarray]:
    """The values of rows, in their order, some rows at a time."""
    ends = np.cumsum(reviews.lengths)
    first = 0
    while first < len(ends):
        stop = max(first + 1, int(np.searchsorted(ends, (ends[first - 1] if first else 0) + AT_ONCE)))
        yield reviews.rows(np.arange(first, stop)).flat()
        first = stop


def _ranks(training: Ragged, tokens: list[str]) -> tuple[list[str], np.ndarray]:
    """The vocabulary, in the order of `vocabulary.count_vocabulary`, and each token's rank in it, 0 for none: int32."""
    counts, first = np.zeros(len(tokens), np.int64), np.full(len(tokens), np.iinfo(np.int64).max)
    position = 0
    for piece in _pieces(training):
        some, places, of_each = np.unique(piece, return_index=True, return_counts=True)
        counts[some] += of_each
        first[some] = np.minimum(first[some], position + places)
        position += len(piece)
    order = np.lexsort((first, -counts))[: np.count_nonzero(counts)]
    ranks = np.zeros(len(tokens), np.int32)
    ranks[order] = np.arange(1, len(order) + 1)
    return [tokens[number] for number in order], ranks


@contextmanager
def _spilling(folder: Path) -> Iterator[IO[bytes]]:
    """A file that is gone when nobody reads it any more. Raises `UserError` when there is no room for it."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            yield file
    except OSError as error:
        reason = error.strerror or f"only a part was written: {error}"  # NumPy's, which has no number
        raise UserError(
            f"{folder} cannot be written to ({reason}); free space or allow writing, then run again"
        ) from error


def _translated(reviews: Ragged, ranks: np.ndarray, root: Path) -> Ragged:
    """The rows with ranks instead of numbers, in a file that is gone when nobody reads it any more."""
    with _spilling(root / files.REVIEWS.parent) as file:
        for piece in _pieces(reviews):
            ranks[piece].tofile(file)
        return from_lengths(_mapped(file), reviews.lengths)
