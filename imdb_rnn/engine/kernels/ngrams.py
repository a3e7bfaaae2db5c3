"""n-grams, single words, pairs and triples: which of them a review has, and how much they say about its label.

The code of an n-gram is an integer whose digits, to the base `vocab_size`, are its ids, so that ONNX can compute it in
the exported model. Padding is part of no n-gram.
"""

import numpy as np

from imdb_rnn.engine.kernels.arithmetic import Array, log
from imdb_rnn.engine.kernels.compiled import compiled
from imdb_rnn.engine.ragged import PADDING, Ragged, from_lengths

SPREAD = np.uint64(0x9E3779B97F4A7C15)  # of Fibonacci hashing: of a product the upper bits depend on all bits


def largest_vocabulary(longest: int) -> int:
    """The largest vocabulary whose n-grams of up to `longest` words have codes that fit into an int64."""
    return 2 ** (63 // longest)


def codes_of(ids: Ragged, longest: int, vocab_size: int) -> Ragged:
    """The codes of each review's distinct n-grams of 1 to `longest` words: int64, ascending.

    Raises:
        ValueError: if the vocabulary is larger than `largest_vocabulary`.
    """
    if vocab_size > largest_vocabulary(longest):
        raise ValueError(f"n-grams of {longest} words need a vocabulary of at most {largest_vocabulary(longest)} words")
    codes = np.empty(longest * ids.lengths.sum(), np.int64)
    ends = np.empty(len(ids), np.int64)
    _find(ids.values, ids.starts, ids.lengths, longest, vocab_size, codes, ends)
    return from_lengths(codes[: ends[-1] if len(ends) else 0], np.diff(ends, prepend=0))


@compiled
def _find(ids: Array, starts: Array, lengths: Array, longest: int, base: int, codes: Array, ends: Array) -> None:
    """Write each review's distinct codes to `codes`, ascending and concatenated, and where they end to `ends`."""
    end = 0
    for r in range(len(starts)):
        begin, stop = end, starts[r] + lengths[r]
        for i in range(starts[r], stop):
            code = np.int64(0)
            for word in ids[i : min(i + longest, stop)]:
                if word == PADDING:
                    break
                code = code * base + np.int64(word)
                codes[end] = code
                end += 1
        ascending = np.sort(codes[begin:end])
        end = begin
        for code in ascending:
            if end == begin or code != codes[end - 1]:
                codes[end] = code
                end += 1
        ends[r] = end


def numbered(ids: Ragged, learnt: int, longest: int, base: int) -> tuple[Ragged, int]:
    """The distinct n-grams of each row, numbered from 0 as they first occur, and how many numbers there are.

    Two to three times as fast as `codes_of`, `known_codes` and `look_up`, for those who need no codes.

    Args:
        learnt: the first so many rows have all their n-grams, the others those that occur in these.
        base: above all ids, and at most `largest_vocabulary`.

    Returns:
        int32 rows, in the order of `ids`.
    """
    total = longest * int(ids.lengths.sum())
    numbers, ends, slots = np.empty(total, np.int32), np.zeros(len(ids), np.int64), 1 << max(total // 4, 1).bit_length()
    while True:
        table = np.zeros(slots, np.int64), np.empty(slots, np.int64)
        count = _number(ids.values, ids.starts, ids.lengths, learnt, longest, base, *table, numbers, ends)
        if count >= 0:
            return from_lengths(numbers[: ends[-1]], np.diff(ends, prepend=0)), count
        slots *= 2


@compiled
def _number(
    ids: Array,
    starts: Array,
    lengths: Array,
    learnt: int,
    longest: int,
    base: int,
    codes: Array,
    known: Array,
    numbers: Array,
    ends: Array,
) -> int:
    """Write the rows, concatenated, to `numbers`, and where they end to `ends`; return how many numbers there are.

    Args:
        codes: a hash table of the codes, zeros; if it becomes more than half full, -1 is returned.
        known: of each code its number, and above 32 bits the last row that has it.
    """
    count = end = 0
    for r in range(len(starts)):
        stop = starts[r] + lengths[r]
        for i in range(starts[r], stop):
            code = np.int64(0)
            for j in range(i, min(i + longest, stop)):
                word = np.int64(ids[j])
                if word == PADDING:
                    break
                code = code * base + word
                slot = np.int64(np.uint64(code) * SPREAD >> np.uint64(32)) & (len(codes) - 1)
                while codes[slot] != 0 and codes[slot] != code:
                    slot = (slot + 1) & (len(codes) - 1)
                if codes[slot] == 0:
                    if r >= learnt:
                        continue
                    codes[slot] = code
                    known[slot] = count
                    count += 1
                    if 2 * count > len(codes):
                        return -1
                elif known[slot] >> 32 == r:
                    continue
                numbers[end] = known[slot] & 0xFFFFFFFF
                known[slot] = r << 32 | numbers[end]
                end += 1
        ends[r] = end
    return count


def known_codes(codes: Ragged, min_reviews: int) -> np.ndarray:
    """The codes that at least `min_reviews` reviews have: int64, ascending."""
    known, reviews = np.unique(codes.values, return_counts=True)
    return known[reviews >= min_reviews]


def look_up(codes: Ragged, known: np.ndarray) -> Ragged:
    """The indices in `known` of each review's codes: int32; unknown codes are left out."""
    index = np.searchsorted(known, codes.values)
    is_known = np.append(known, -1)[index] == codes.values
    before = np.concatenate([[0], np.cumsum(is_known)])
    starts = before[codes.starts]
    return Ragged(index[is_known].astype(np.int32), starts, before[codes.starts + codes.lengths] - starts)


def log_count_ratio(indices: Ragged, is_class: np.ndarray, count: int, smoothing: float) -> np.ndarray:
    """How much more frequent each of `count` n-grams is in reviews of a class than in the others: float32 (count,).

    The log-count ratio of naive Bayes, with `smoothing` added to each count (Wang and Manning, Baselines and Bigrams,
    2012).

    Args:
        is_class: bool (reviews,).
    """
    rows = np.repeat(is_class, indices.lengths)
    flat = indices.flat()
    p, q = (np.bincount(flat[side], minlength=count) + smoothing for side in (rows, ~rows))
    return (log(p / p.sum()) - log(q / q.sum())).astype(np.float32)


@compiled
def add_scores(weights: Array, values: Array, starts: Array, lengths: Array, logits: Array) -> None:
    """Add the weights of each n-gram of a review, rows of indices, to the review's logits.

    Args:
        weights: float32 (n-grams * num_logits,)
        logits: float32 (reviews, num_logits)
    """
    count = logits.shape[1]
    for r in range(len(starts)):
        for index in values[starts[r] : starts[r] + lengths[r]]:
            for k in range(count):
                logits[r, k] += weights[index * count + k]
