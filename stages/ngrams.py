"""Single words, pairs and triples: which of them a review has, and how much they tell of its label.

An n-gram is known by its code, a number to the base of the vocabulary's size whose digits are its ids, so that Keras
computes the same in the saved network. n-grams with padding in them are none.
"""

import numpy as np

from stages.batches import Words
from stages.recurrence import compiled
from stages.vocabulary import PADDING


@compiled
def _find(tokens, starts, lengths, longest, base, codes, ends):
    """Write each review's distinct codes to `codes`, ascending, one review behind the other, and their ends."""
    end = 0
    for r in range(len(starts)):
        begin, stop = end, starts[r] + lengths[r]
        for i in range(starts[r], stop):
            code = np.int64(0)
            for word in tokens[i : min(i + longest, stop)]:
                if word == PADDING:
                    break
                code = code * base + np.int64(word)
                codes[end] = code
                end += 1
        found = np.sort(codes[begin:end])
        end = begin
        for code in found:
            if end == begin or code != codes[end - 1]:
                codes[end] = code
                end += 1
        ends[r] = end


def codes_of(words: Words, longest: int, vocab_size: int) -> Words:
    """Give the codes of each review's distinct n-grams of 1 to `longest` words as `tokens`, int64, ascending."""
    codes = np.empty(longest * words.lengths.sum(), np.int64)
    ends = np.empty(len(words.lengths), np.int64)
    _find(words.tokens, words.starts, words.lengths, longest, vocab_size, codes, ends)
    starts = np.concatenate([[0], ends])[:-1]
    return Words(codes[: ends[-1]], starts, ends - starts)


def known_codes(codes: Words, min_reviews: int) -> np.ndarray:
    """List the codes that at least `min_reviews` reviews have: int64, ascending."""
    known, reviews = np.unique(codes.tokens, return_counts=True)
    return known[reviews >= min_reviews]


def look_up(codes: Words, known: np.ndarray) -> Words:
    """Give the places in `known` of each review's codes, as `tokens`, int32; codes that are not there are left out."""
    place = np.searchsorted(known, codes.tokens)
    found = np.append(known, -1)[place] == codes.tokens
    before = np.concatenate([[0], np.cumsum(found)])
    starts = before[codes.starts]
    return Words(place[found].astype(np.int32), starts, before[codes.starts + codes.lengths] - starts)


def log_count_ratio(found: Words, y: np.ndarray, count: int, smoothing: float) -> np.ndarray:
    """How much more of the positive than of the negative reviews have each of `count` n-grams: float32 (count,).

    The logarithm of the ratio of the counts' shares, with `smoothing` added to each count, as in naive Bayes (Wang and
    Manning, Baselines and Bigrams, 2012).
    """
    positive, negative = (add_up_back((y == label).astype(np.float32), found, count) for label in (1, 0))
    p, q = positive + smoothing, negative + smoothing
    return (np.log(p / p.sum()) - np.log(q / q.sum())).astype(np.float32)


@compiled
def _add_up(scores, places, starts, lengths, total):
    for r in range(len(starts)):
        for i in range(starts[r], starts[r] + lengths[r]):
            total[r] += scores[places[i]]


@compiled
def _add_up_back(d, places, starts, lengths, total):
    for r in range(len(starts)):
        for i in range(starts[r], starts[r] + lengths[r]):
            total[places[i]] += d[r]


def add_up(scores: np.ndarray, found: Words) -> np.ndarray:
    """Sum the scores, float32 (n-grams,), of those that each review has: float32 (reviews,)."""
    total = np.zeros(len(found.lengths), np.float32)
    _add_up(scores, found.tokens, found.starts, found.lengths, total)
    return total


def add_up_back(d: np.ndarray, found: Words, count: int) -> np.ndarray:
    """From the gradient by `add_up`'s result, float32 (reviews,), to that by its scores: float32 (count,)."""
    total = np.zeros(count, np.float32)
    _add_up_back(d, found.tokens, found.starts, found.lengths, total)
    return total
