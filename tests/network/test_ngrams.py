from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages import ngrams
from stages.batches import choose, unpad

VOCAB_SIZE = 9

reviews = st.lists(st.lists(st.integers(1, VOCAB_SIZE - 1), max_size=12), min_size=1, max_size=8)


def as_words(texts: list[list[int]], mask_padding: bool = True):
    x = np.zeros((len(texts), 13), np.int32)
    for row, text in zip(x, texts, strict=True):
        row[len(row) - len(text) :] = text
    return unpad(x, mask_padding)


def expected_codes(text: list[int], longest: int) -> list[int]:
    grams = {tuple(text[i : i + n]) for n in range(1, longest + 1) for i in range(len(text) - n + 1)}
    return sorted(int("".join(map(str, gram)), VOCAB_SIZE) for gram in grams)


def rows(found) -> list[list[int]]:
    return [
        found.tokens[start : start + length].tolist() for start, length in zip(found.starts, found.lengths, strict=True)
    ]


@pytest.mark.parametrize("mask_padding", [True, False])
@pytest.mark.parametrize("longest", [1, 2, 3])
@given(texts=reviews)
def test_each_review_has_its_distinct_ngrams_and_none_with_padding(texts, longest, mask_padding):
    codes = ngrams.codes_of(as_words(texts, mask_padding), longest, VOCAB_SIZE)
    assert rows(codes) == [expected_codes(text, longest) for text in texts]


@given(texts=reviews, order=st.randoms(use_true_random=False))
def test_some_of_the_reviews_in_any_order(texts, order):
    chosen = list(range(len(texts)))
    order.shuffle(chosen)
    codes = ngrams.codes_of(choose(as_words(texts), np.array(chosen)), 3, VOCAB_SIZE)
    assert rows(codes) == [expected_codes(texts[i], 3) for i in chosen]


@given(texts=reviews, least=st.integers(1, 3))
def test_only_what_enough_reviews_have_is_known(texts, least):
    codes = ngrams.codes_of(as_words(texts), 2, VOCAB_SIZE)
    counts = Counter(code for text in texts for code in expected_codes(text, 2))
    known = ngrams.known_codes(codes, least)
    assert known.tolist() == sorted(code for code, count in counts.items() if count >= least)
    found = ngrams.look_up(codes, known)
    assert [[known[place] for place in row] for row in rows(found)] == [
        [code for code in expected_codes(text, 2) if counts[code] >= least] for text in texts
    ]


def test_the_largest_codes_fit():
    largest = 999_999
    words = unpad(np.full((1, 3), largest, np.int32), True)
    assert ngrams.codes_of(words, 3, largest + 1).tokens.tolist() == [largest, 10**12 - 1, 10**18 - 1]


def test_the_ratio_is_that_of_naive_bayes():
    texts, y = [[1, 2], [1, 3], [1, 3], [2]], np.array([1, 1, 0, 0])
    codes = ngrams.codes_of(as_words(texts), 1, VOCAB_SIZE)
    known = ngrams.known_codes(codes, 1)
    ratio = ngrams.log_count_ratio(ngrams.look_up(codes, known), y, 3, smoothing=1)
    p, q = np.array([2 + 1, 1 + 1, 1 + 1]), np.array([1 + 1, 1 + 1, 1 + 1])
    np.testing.assert_allclose(ratio, np.log((p / p.sum()) / (q / q.sum())), rtol=1e-6)


@given(texts=reviews, seed=st.integers(0, 2**32 - 1))
def test_sums_and_their_gradient(texts, seed):
    random = np.random.default_rng(seed)
    codes = ngrams.codes_of(as_words(texts), 3, VOCAB_SIZE)
    known = ngrams.known_codes(codes, 1)
    found = ngrams.look_up(codes, known)
    has = np.array([np.isin(known, row) for row in rows(codes)], np.float32).reshape(len(texts), len(known))
    scores = random.normal(size=len(known)).astype(np.float32)
    d = random.normal(size=len(texts)).astype(np.float32)
    np.testing.assert_allclose(ngrams.add_up(scores, found), has @ scores, atol=1e-4)
    np.testing.assert_allclose(ngrams.add_up_back(d, found, len(known)), d @ has, atol=1e-4)
