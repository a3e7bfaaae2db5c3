"""Reviews as the recurrence reads them: without padding, in batches, each sorted by length."""

from dataclasses import dataclass

import numpy as np

from stages.vocabulary import PADDING


@dataclass(frozen=True)
class Words:
    """Reviews without padding.

    tokens: uint16, or int32 if an id needs it (words in all,), ids
    starts: int64 (reviews,), where in `tokens` each review begins
    lengths: int64 (reviews,), 0 for a review without words
    """

    tokens: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray


def unpad(x: np.ndarray, mask_padding: bool) -> Words:
    """Lay out padded reviews, int32 (reviews, maxlen), without their padding, or with it if it is to be read too."""
    is_read = x != PADDING if mask_padding else np.ones(x.shape, bool)
    lengths = is_read.sum(axis=1)
    tokens = x[is_read].astype(np.uint16 if x.max(initial=0) < 2**16 else np.int32)
    return Words(tokens, np.cumsum(lengths) - lengths, lengths)


def pad_again(words: Words, maxlen: int, padding: str) -> Words:
    """Fill reviews up to `maxlen` ids with padding, `pre` or `post`, to be read like words."""
    fill = maxlen - words.lengths[:, None]
    column = np.arange(maxlen)
    is_word = column >= fill if padding == "pre" else column < words.lengths[:, None]
    x = np.full(is_word.shape, PADDING, np.int32)
    ends = np.cumsum(words.lengths)
    within = np.arange(words.lengths.sum()) - np.repeat(ends - words.lengths, words.lengths)
    x[is_word] = words.tokens[np.repeat(words.starts, words.lengths) + within]
    return unpad(x, mask_padding=False)


def choose(words: Words, rows: np.ndarray) -> Words:
    """Some of the reviews, in the order of `rows`; the tokens are not copied."""
    return Words(words.tokens, words.starts[rows], words.lengths[rows])


def longest_first(words: Words, rows: np.ndarray) -> tuple[Words, np.ndarray]:
    """Choose some reviews, sorted by length; return them, and their rows in that order."""
    rows = rows[np.argsort(-words.lengths[rows], kind="stable")]
    return choose(words, rows), rows


def shuffled(count: int, batch_size: int, seed: int, epoch: int) -> list[np.ndarray]:
    """Cut the rows from 0 to `count - 1`, in an order drawn for this epoch, into batches; the last may be smaller."""
    order = np.random.default_rng((seed, epoch)).permutation(count)
    return [order[i : i + batch_size] for i in range(0, count, batch_size)]
