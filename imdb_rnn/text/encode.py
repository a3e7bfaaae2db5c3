"""From word ranks to what a network reads: ids, truncated to `maxlen`, and padded rows of equal length."""

from collections.abc import Iterable, Mapping
from itertools import chain, repeat
from pathlib import Path
from typing import NamedTuple

import numpy as np

from imdb_rnn.core import files
from imdb_rnn.core.params import PadParams
from imdb_rnn.engine.ragged import NO_ROWS, Ragged, from_lengths
from imdb_rnn.text.corpus import read_vocabulary
from imdb_rnn.text.vocabulary import OOV, PADDING, RANK_OFFSET, START, known_words

CHUNK = 8192  # reviews that are padded at a time


class Labelled(NamedTuple):
    """Reviews as ids, without padding, and their labels, (reviews,), from 0, all of which occur.

    unlabelled: ids of further reviews, without a label
    """

    ids: Ragged
    y: np.ndarray
    unlabelled: Ragged = NO_ROWS

    def rows(self, chosen: np.ndarray) -> "Labelled":
        """Some of the labelled reviews, in the order of `chosen`."""
        return self._replace(ids=self.ids.rows(chosen), y=self.y[chosen])


def ranks_of(tokenized: Iterable[list[str]], rank: Mapping[str, int]) -> Ragged:
    """Turn tokens into ranks, 0 where `rank` has none: int32."""
    reviews = list(tokenized)
    lengths = np.fromiter(map(len, reviews), np.int64, len(reviews))
    flat = chain.from_iterable(reviews)
    return from_lengths(np.fromiter(map(rank.get, flat, repeat(0)), np.int32, lengths.sum()), lengths)


def encode(ranks: Ragged, params: PadParams) -> Ragged:
    """Turn reviews into ids: 1 as start token, rank + 3 for a word, 2 out of vocabulary; at most `maxlen`.

    Equal to Keras' `imdb.load_data(num_words=vocab_size)` and the truncation of `pad_sequences(maxlen=maxlen)`.

    Args:
        ranks: int32; 0 for a word that is not in the vocabulary.

    Returns:
        int32, every id below `vocab_size`, 1 to `maxlen` ids per review.
    """
    flat = ranks.flat()
    known = (flat > 0) & (flat < params.vocab_size - RANK_OFFSET)
    words = np.where(known, flat + RANK_OFFSET, OOV).astype(np.int32)
    whole = from_lengths(np.empty(len(words) + len(ranks), np.int32), ranks.lengths + 1)
    is_start = np.zeros(len(whole.values), bool)
    is_start[whole.starts] = True
    whole.values[is_start] = START
    whole.values[~is_start] = words
    return whole.last(params.maxlen) if params.truncating == "pre" else whole.first(params.maxlen)


def pad(ids: Ragged, maxlen: int, padding: str) -> np.ndarray:
    """Pad reviews of at most `maxlen` ids with 0, before (`pre`) or after (`post`) them: int32 (reviews, maxlen)."""
    column = np.arange(maxlen)
    lengths = ids.lengths[:, None]
    filled = column >= maxlen - lengths if padding == "pre" else column < lengths
    x = np.full(filled.shape, PADDING, np.int32)
    x[filled] = ids.flat()
    return x


def unpad(x: np.ndarray) -> Ragged:
    """Remove the padding, before or after, from reviews x, int32 (reviews, maxlen); x is not copied."""
    lengths = np.concatenate([[0], *(np.count_nonzero(x[i : i + CHUNK], axis=1) for i in range(0, len(x), CHUNK))])
    starts = np.arange(len(x)) * x.shape[1]
    before = x[:, 0] == PADDING
    starts[before] += x.shape[1] - lengths[1:][before]
    return Ragged(x.reshape(-1).view(np.ndarray), starts, lengths[1:])


def with_padding(ids: Ragged, maxlen: int, padding: str) -> Ragged:
    """Reviews for a network that reads padding like words: `maxlen` ids per review, 0 for padding."""
    x = pad(ids, maxlen, padding)
    return from_lengths(x.ravel(), np.full(len(x), maxlen))


def write_padded(folder: Path, sets: Mapping[str, tuple[Ragged, np.ndarray | None]], params: PadParams) -> None:
    """Encode and pad reviews, and write `{x,y}_{train,test}.npy`, all or none; `CHUNK` reviews at a time are in memory.

    Args:
        sets: for `train` and `test`, ranks, int32, and y, uint8 (reviews,); of reviews without a label y is None.
    """
    with files.replacing(folder) as new:
        new.mkdir()
        for name, (ranks, y) in sets.items():
            with (new / f"x_{name}.npy").open("wb") as file:
                header = {"descr": "<i4", "fortran_order": False, "shape": (len(ranks), params.maxlen)}
                np.lib.format.write_array_header_1_0(file, header)
                for first in range(0, len(ranks), CHUNK):
                    rows = np.arange(first, min(first + CHUNK, len(ranks)))
                    pad(encode(ranks.rows(rows), params), params.maxlen, params.padding).astype("<i4").tofile(file)
            if y is not None:
                np.save(new / f"y_{name}.npy", y)


def read_padded(folder: Path, name: str, vocab_size: int) -> tuple[np.ndarray, np.ndarray]:
    """Read one padded set, `train` or `test`: x, int32 (reviews, words), memory-mapped, and y, uint8 (reviews,).

    Raises:
        UserError: when a file is missing or damaged, or does not fit the other one or `vocab_size`.
    """
    x, y = _read_ids(folder / f"x_{name}.npy", vocab_size), files.read_array(folder / f"y_{name}.npy", "pad")
    if (y.dtype, y.shape) != (np.uint8, x.shape[:1]):
        raise files.damaged(folder / f"x_{name}.npy", "pad", f"it holds {x.shape}, and the labels {y.dtype} {y.shape}")
    return x, y


def _read_ids(path: Path, vocab_size: int) -> np.ndarray:
    x = files.read_array(path, "pad", memory_map=True)
    if (x.dtype, x.ndim) != (np.int32, 2) or x.size == 0:
        raise files.damaged(path, "pad", f"it holds {x.dtype} {x.shape}")
    if x.min() < 0 or x.max() >= vocab_size:  # the engine does not check an index
        raise files.damaged(path, "pad", f"its ids go from {x.min()} to {x.max()}, pad.vocab_size is {vocab_size}")
    return x


def read_labelled(folder: Path, name: str, vocab_size: int) -> Labelled:
    """Read one padded set without its padding; memory-mapped. Raises `UserError` as `read_padded` does."""
    x, y = read_padded(folder, name, vocab_size)
    return Labelled(unpad(x), y)


def read_training(reviews: Path, padded: Path, vocab_size: int) -> tuple[Labelled, list[str]]:
    """Read the padded training reviews without padding, and the words that have an id of their own, rank 1 first.

    Raises:
        UserError: when a file is missing or damaged, or there are ids without a word.
    """
    labelled, words = read_labelled(padded, "train", vocab_size), known_words(read_vocabulary(reviews), vocab_size)
    path = padded / "x_unlabelled.npy"
    if path.exists():
        labelled = labelled._replace(unlabelled=unpad(_read_ids(path, vocab_size)))
    if labelled.ids.values.max(initial=0) > len(words) + RANK_OFFSET:
        raise files.damaged(reviews / "vocabulary.txt", "download", f"it has only {len(words)} words")
    return labelled, words
