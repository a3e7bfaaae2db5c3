"""User-supplied reviews, from tables or text files, tokenized and counted in memory that does not grow with them.

Token numbers, in order of first appearance, go to a temporary file, become ranks when all tokens have been counted, and
are read back by memory map. One process per CPU tokenizes; the result does not depend on their number.
"""

import hashlib
import re
import signal
import tempfile
from array import array
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
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
from imdb_rnn.text.labels import LEFT_OUT, UNKNOWN_LABEL, Labels, infer_label_mapping
from imdb_rnn.text.sources.rows import ReviewRow, read_rows
from imdb_rnn.text.split import split_by_group, split_by_hash, split_by_position
from imdb_rnn.text.vocabulary import get_tokenizer

TASK_TEXTS, TASK_CHARACTERS = 20_000, 2**23  # at most so many are one task of a process
PIECE = 2**22  # tokens that are in memory at a time
MAX_LABEL_VALUES = 1000  # a column with more is not one of labels
# Letters of scripts without spaces between words: Thai to Myanmar, Khmer, Chinese and Japanese.
UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
UNSPACED_SHARE = 0.3  # of the letters: texts with more are not words between spaces
PARTS = ("", "train", "test", "validation")


class Chunk(NamedTuple):
    """The tokens of some texts.

    tokens: the distinct ones, in order of first appearance
    numbers: int32, which of them the texts have, the texts concatenated
    lengths: int64 (texts,)
    hashes: uint64 (texts,), the same for texts of the same tokens
    """

    tokens: list[str]
    numbers: np.ndarray
    lengths: np.ndarray
    hashes: np.ndarray


@dataclass
class IngestedRows:
    """What was read: of each usable row its label value, part, group, length and hash; and how many rows were skipped.

    label_values, tokens: value or token to its number, in order of first appearance
    first_seen_at: the first row with each label value, and the first one skipped for each reason
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
    first_seen_at: dict[str, str] = field(default_factory=dict)


def read(params: OwnParams, root: Path, tokenizer: str) -> Corpus:
    """Read the reviews at `data.own.path`; the vocabulary is counted on the training part only.

    Raises:
        UserError: when there are none, a column or the meaning of a label is not clear, more rows than
            `max_bad_rows` cannot be used, a `tokenizer` other than `auto` does not split such texts, or a part has no
            review of a label.
    """
    (root / files.REVIEWS.parent).mkdir(parents=True, exist_ok=True)
    found = IngestedRows()
    with _spilling(root / files.REVIEWS.parent) as spilled:
        texts = _texts(params, root / params.path, found)
        first = next(texts, [])
        tokenizer = _fitting(tokenizer, first, params.path)
        for chunk in _split_all(chain([first], texts), tokenizer):
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
        is_validation = np.array(found.parts, np.uint8) == PARTS.index("validation")
        train = train[np.argsort(is_validation[train], kind="stable")]  # training holds the last reviews out
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


def _texts(params: OwnParams, path: Path, found: IngestedRows) -> Iterator[list[str]]:
    """Give the texts of usable rows, chunk by chunk, and record the rest of each row in `found`."""
    rows = iter(tqdm(read_rows(params, path), unit=" rows", disable=None))
    while True:
        texts: list[str] = []
        characters = 0
        for row in rows:
            found.rows += 1
            if _note(row, found):
                texts.append(row.text)
                characters += len(row.text)
            if len(texts) == TASK_TEXTS or characters >= TASK_CHARACTERS:
                break
        if not texts:
            return
        yield texts


def _note(row: ReviewRow, found: IngestedRows) -> bool:
    """Record everything of a row except its text; return whether the row is usable."""
    if row.fault:
        found.left_out[row.fault] += 1
        found.first_seen_at.setdefault(row.fault, row.place)
        return False
    number = found.label_values.setdefault(row.label, len(found.label_values))
    if number == MAX_LABEL_VALUES:
        raise UserError(
            f"{row.place}: more than {MAX_LABEL_VALUES} different labels; is data.own.label_column the wrong column?"
        )
    found.first_seen_at.setdefault(f"label {row.label}", row.place)
    found.labels.append(number)
    found.parts.append(PARTS.index(row.part))
    found.groups.append(_hash(row.group or f"\0{found.rows}"))  # a row without a group is its own group
    return True


def _fitting(tokenizer: str, texts: list[str], path: str) -> str:
    """`char` for `auto` where the script of the first texts has no spaces between words, otherwise `word`."""
    letters = [letter for text in texts[:1000] for letter in text if letter.isalpha()]
    is_unspaced = len(UNSPACED.findall("".join(letters))) > UNSPACED_SHARE * len(letters)
    if is_unspaced and tokenizer == "word":
        raise UserError(f"{path} has no spaces between words; set data.tokenizer: auto, char, or jieba for Chinese")
    if is_unspaced and tokenizer == "auto":
        print(f"{path}: no spaces between words, so characters are read; data.tokenizer: jieba finds Chinese words")
    return tokenizer if tokenizer != "auto" else "char" if is_unspaced else "word"


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def _split_all(texts: Iterator[list[str]], tokenizer: str) -> Iterator[Chunk]:
    """Tokenize chunks of texts, in their order; if there are several, in one process per CPU.

    Raises:
        UserError: when a process was killed, as systems do when memory runs out.
    """
    begin, workers = list(islice(texts, 2)), threads.count()
    if len(begin) < 2 or workers == 1:
        yield from (split_texts(chunk, tokenizer) for chunk in chain(begin, texts))
        return
    waiting: deque[Future[Chunk]] = deque()
    try:
        with ProcessPoolExecutor(workers, get_context("spawn"), _ignore_interrupts) as pool:
            for chunk in chain(begin, texts):
                waiting.append(pool.submit(split_texts, chunk, tokenizer))
                if len(waiting) > workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise UserError(
            f"the system stopped one of {workers} processes that split the reviews, probably because memory ran out; "
            "close other programs, or set the environment variable NUMBA_NUM_THREADS=1 to work in one process"
        ) from error


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C


def split_texts(texts: list[str], tokenizer: str) -> Chunk:
    """Tokenize texts as `vocabulary.get_tokenizer` does."""
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
    params: OwnParams, found: IngestedRows, lengths: np.ndarray, hashes: np.ndarray
) -> tuple[Labels, np.ndarray, np.ndarray]:
    """Decide what the labels mean, skip rows that cannot be used, and stop if there are too many.

    Returns:
        The labels; int8 (rows,), 0 or 1 or neither; the rows that are kept, int64, ascending.
    """
    numbers = np.array(found.labels, np.int64)
    counts = dict(
        zip(found.label_values, np.bincount(numbers, minlength=len(found.label_values)).tolist(), strict=True)
    )
    labels = infer_label_mapping(counts, params.labels) if counts else Labels({}, ("", ""), "")
    for value, count in counts.items():
        if labels.meaning[value] == UNKNOWN_LABEL:
            reason = "a label that is neither negative nor positive"
            found.left_out[reason] += count
            found.first_seen_at.setdefault(reason, f"{found.first_seen_at[f'label {value}']}: {value!r}")
    meanings = np.array([labels.meaning[value] for value in counts], np.int8)
    y = meanings[numbers] if counts else np.empty(0, np.int8)
    wordless = (lengths == 0) & (y >= 0)
    if wordless.any():
        found.left_out["no word in the text"] += int(wordless.sum())
    bad = sum(found.left_out.values())
    if bad > params.max_bad_rows:
        reasons = "; ".join(
            f"{count} {reason}" + (f" ({found.first_seen_at[reason]})" if reason in found.first_seen_at else "")
            for reason, count in found.left_out.most_common(5)
        )
        raise UserError(
            f"{params.path}: {bad} of {found.rows} rows cannot be used: {reasons}; fix them, or set "
            f"data.own.max_bad_rows: {bad} to skip them"
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
    params: OwnParams, found: IngestedRows, y: np.ndarray, kept: np.ndarray, hashes: np.ndarray
) -> tuple[np.ndarray, np.ndarray, str]:
    """The training and the test rows, ascending, and the rule of the split in words."""
    parts, key, share = np.array(found.parts, np.uint8)[kept], "data.own.test_fraction", params.test_fraction
    if parts.any():
        if not parts.all():
            raise UserError(f"{params.path}: some reviews are in train or test, others in neither; put each in one")
        is_test, is_validation = parts == PARTS.index("test"), parts == PARTS.index("validation")
        rule, validation = "as in the tables or folders", int(is_validation.sum())
        if validation:
            rule += f"; {validation} validation reviews are the last training reviews"
            fraction = float(f"{validation / (~is_test).sum():.4g}")
            print(
                f"{params.path}: {validation:,} validation reviews are the last training reviews; "
                f"set train.validation_fraction: {fraction} to hold these out"
            )
        return kept[~is_test], kept[is_test], rule
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


def _by_group(rows: np.ndarray, found: IngestedRows) -> np.ndarray:
    """The rows in the order of their groups' hashes.

    Training holds out the last reviews of each label. In this order the cut divides few groups, whatever the order of
    the labels in the table.
    """
    return rows[np.argsort(np.array(found.groups, np.uint64)[rows], kind="stable")]


def _mapped(file: IO[bytes]) -> np.ndarray:
    """The int32 numbers in a file, memory-mapped."""
    file.flush()
    return np.memmap(file, np.int32, "r") if file.tell() else np.empty(0, np.int32)


def _pieces(reviews: Ragged) -> Iterator[np.ndarray]:
    """The values of rows, in their order, about `PIECE` at a time."""
    ends = np.cumsum(reviews.lengths)
    first = 0
    while first < len(ends):
        stop = max(first + 1, int(np.searchsorted(ends, (ends[first - 1] if first else 0) + PIECE)))
        yield reviews.rows(np.arange(first, stop)).flat()
        first = stop


def _ranks(training: Ragged, tokens: list[str]) -> tuple[list[str], np.ndarray]:
    """The vocabulary, in the order of `vocabulary.count_vocabulary`, and each token's rank in it, 0 for none: int32."""
    counts, first = np.zeros(len(tokens), np.int64), np.full(len(tokens), np.iinfo(np.int64).max)
    position = 0
    for piece in _pieces(training):
        some, indices, of_each = np.unique(piece, return_index=True, return_counts=True)
        counts[some] += of_each
        first[some] = np.minimum(first[some], position + indices)
        position += len(piece)
    order = np.lexsort((first, -counts))[: np.count_nonzero(counts)]
    ranks = np.zeros(len(tokens), np.int32)
    ranks[order] = np.arange(1, len(order) + 1)
    return [tokens[number] for number in order], ranks


@contextmanager
def _spilling(folder: Path) -> Iterator[IO[bytes]]:
    """A temporary file that vanishes when nothing reads it any more. Raises `UserError` when the disk is full."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            yield file
    except OSError as error:
        reason = error.strerror or f"only a part was written: {error}"  # NumPy's error has no errno
        raise UserError(
            f"{folder} cannot be written to ({reason}); free space or allow writing, then run again"
        ) from error


def _translated(reviews: Ragged, ranks: np.ndarray, root: Path) -> Ragged:
    """The rows with ranks instead of token numbers, memory-mapped from a temporary file."""
    with _spilling(root / files.REVIEWS.parent) as file:
        for piece in _pieces(reviews):
            ranks[piece].tofile(file)
        return from_lengths(_mapped(file), reviews.lengths)
