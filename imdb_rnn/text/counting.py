"""Tokens of any number of texts, split and counted in memory that does not grow with the texts.

Token numbers, in order of first appearance, go to a temporary file, become ranks when all tokens have been counted, and
are read back by memory map. One process per CPU tokenizes; the result does not depend on their number.
"""

import hashlib
import signal
import tempfile
from array import array
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import chain, islice
from multiprocessing import get_context
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from imdb_rnn.core.errors import UserError
from imdb_rnn.engine import threads
from imdb_rnn.engine.ragged import Ragged, from_lengths
from imdb_rnn.text.vocabulary import get_tokenizer

PIECE = 2**22  # tokens that are in memory at a time


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


def hash_of(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def split_all(texts: Iterator[list[str]], tokenizer: str) -> Iterator[Chunk]:
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
        hashes[row] = hash_of("\n".join(words))
    return Chunk(list(number_of), np.array(numbers, np.int32), np.array(lengths, np.int64), hashes)


def mapped(file: IO[bytes]) -> np.ndarray:
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


def ranks_of_tokens(
    sets: Sequence[Ragged], tokens: list[str], more: Sequence[str] = ()
) -> tuple[list[str], np.ndarray]:
    """The vocabulary, and each token's rank in it, 0 for none: int32.

    Args:
        sets: texts as token numbers. The tokens of the first set come first in the vocabulary, in the order of
            `vocabulary.count_vocabulary`, then those that only the second has, and so on.
        more: words that follow, if they are not in it yet.
    """
    counted = (tokens[number] for texts in sets for number in _by_frequency(texts, len(tokens)).tolist())
    vocabulary = list(dict.fromkeys(chain(counted, more)))
    rank = dict(zip(vocabulary, range(1, len(vocabulary) + 1), strict=True))
    return vocabulary, np.array([rank.get(token, 0) for token in tokens], np.int32)


def _by_frequency(texts: Ragged, tokens: int) -> np.ndarray:
    """The numbers, below `tokens`, of the tokens that texts have: the most frequent first, then the earlier ones."""
    counts, first = np.zeros(tokens, np.int64), np.full(tokens, np.iinfo(np.int64).max)
    position = 0
    for piece in _pieces(texts):
        some, indices, of_each = np.unique(piece, return_index=True, return_counts=True)
        counts[some] += of_each
        first[some] = np.minimum(first[some], position + indices)
        position += len(piece)
    return np.lexsort((first, -counts))[: np.count_nonzero(counts)]


@contextmanager
def spilling(folder: Path) -> Iterator[IO[bytes]]:
    """A temporary file that vanishes when nothing reads it any more. Raises `UserError` when the disk is full."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            yield file
    except OSError as error:
        reason = error.strerror or f"only a part was written: {error}"  # NumPy's error has no errno
        raise UserError(
            f"{folder} cannot be written to ({reason}); free space or allow writing, then run again"
        ) from error


def translated(reviews: Ragged, ranks: np.ndarray, folder: Path) -> Ragged:
    """The rows with ranks instead of token numbers, memory-mapped from a temporary file."""
    with spilling(folder) as file:
        for piece in _pieces(reviews):
            ranks[piece].tofile(file)
        return from_lengths(mapped(file), reviews.lengths)
