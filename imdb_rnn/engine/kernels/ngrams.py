"""Single words, pairs and triples: which of them a review has, and how much they say about its label.

An n-gram is known by its code, a number to the base of the vocabulary's size whose digits are its ids, so that Keras
computes the same in the saved network. n-grams with padding in them are none.
"""

import numpy as np

from imdb_rnn.engine.kernels.arithmetic import Array, claim, fma, log
from imdb_rnn.engine.kernels.compiled import compiled
from imdb_rnn.engine.ragged import PADDING, Ragged, from_lengths

CHUNK = 8192  # n-grams that a thread takes at once


def largest_vocabulary(longest: int) -> int:
    """The largest vocabulary whose n-grams of up to `longest` words have a code in an int64."""
    return 2 ** (63 // longest)


def codes_of(ids: Ragged, longest: int, vocab_size: int) -> Ragged:
    """Give the codes of each review's distinct n-grams of 1 to `longest` words: int64, ascending.

    Raises:
        ValueError: when the vocabulary is larger than `largest_vocabulary`.
    """
    if vocab_size > largest_vocabulary(longest):
        raise ValueError(f"n-grams of {longest} words need a vocabulary of at most {largest_vocabulary(longest)} words")
    codes = np.empty(longest * ids.lengths.sum(), np.int64)
    ends = np.empty(len(ids), np.int64)
    _find(ids.values, ids.starts, ids.lengths, longest, vocab_size, codes, ends)
    return from_lengths(codes[: ends[-1] if len(ends) else 0], np.diff(ends, prepend=0))


@compiled
def _find(ids: Array, starts: Array, lengths: Array, longest: int, base: int, codes: Array, ends: Array) -> None:
    """Write each review's distinct codes to `codes`, ascending, one review behind the other, and their ends."""
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


def known_codes(codes: Ragged, min_reviews: int) -> np.ndarray:
    """List the codes that at least `min_reviews` reviews have: int64, ascending."""
    known, reviews = np.unique(codes.values, return_counts=True)
    return known[reviews >= min_reviews]


def look_up(codes: Ragged, known: np.ndarray) -> Ragged:
    """Give the places in `known` of each review's codes: int32; codes that are not there are left out."""
    place = np.searchsorted(known, codes.values)
    is_known = np.append(known, -1)[place] == codes.values
    before = np.concatenate([[0], np.cumsum(is_known)])
    starts = before[codes.starts]
    return Ragged(place[is_known].astype(np.int32), starts, before[codes.starts + codes.lengths] - starts)


def log_count_ratio(places: Ragged, y: np.ndarray, count: int, smoothing: float) -> np.ndarray:
    """How much more of the positive than of the negative reviews have each of `count` n-grams: float32 (count,).

    The logarithm of the ratio of the counts' shares, with `smoothing` added to each count, as in naive Bayes (Wang and
    Manning, Baselines and Bigrams, 2012).
    """
    rows = np.repeat(y, places.lengths)
    flat = places.flat()
    positive, negative = (np.bincount(flat[rows == label], minlength=count) for label in (1, 0))
    p, q = positive + smoothing, negative + smoothing
    return (log(p / p.sum()) - log(q / q.sum())).astype(np.float32)


@compiled
def add_up(weights: Array, prior: Array, values: Array, starts: Array, lengths: Array, total: Array) -> None:
    """Add the scores, prior times weight, of the n-grams that each review has, rows of places, to `total`, float32."""
    for r in range(len(starts)):
        for place in values[starts[r] : starts[r] + lengths[r]]:
            total[r] = fma(prior[place], weights[place], total[r])


def chunks(count: int) -> int:
    """How many chunks so many n-grams are."""
    return -(-count // CHUNK)


@compiled
def add_up_back(
    queue: Array,
    d: Array,
    prior: Array,
    values: Array,
    starts: Array,
    lengths: Array,
    gradient: Array,
    squares: Array,
) -> None:
    """Take chunks of the n-grams, and add the gradients with respect to the weights up, from those of the logits, d.

    Args:
        gradient: float32 (n-grams,), zeros, to be written
        squares: float64 (chunks,), written: the sum of the squares of each chunk
    """
    while True:
        chunk = claim(queue, 0)
        if chunk >= len(squares):
            return
        first, stop = chunk * CHUNK, (chunk + 1) * CHUNK
        for r in range(len(starts)):
            row = values[starts[r] : starts[r] + lengths[r]]  # ascending
            low, high = 0, len(row)
            while low < high:
                middle = (low + high) // 2
                if row[middle] < first:
                    low = middle + 1
                else:
                    high = middle
            while low < len(row) and row[low] < stop:
                gradient[row[low]] = fma(prior[row[low]], d[r], gradient[row[low]])
                low += 1
        total = 0.0
        for x in gradient[first:stop]:
            total += np.float64(x) * np.float64(x)
        squares[chunk] = total
