from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import ragged, rows_of

from imdb_rnn.engine.kernels import ngrams

VOCAB_SIZE = 9

reviews = st.lists(st.lists(st.integers(1, VOCAB_SIZE - 1), max_size=12), min_size=1, max_size=8)


def expected_codes(text: list[int], longest: int) -> list[int]:
    grams = {tuple(text[i : i + n]) for n in range(1, longest + 1) for i in range(len(text) - n + 1)}
    return sorted(int("".join(map(str, gram)), VOCAB_SIZE) for gram in grams)


@pytest.mark.parametrize("longest", [1, 2, 3])
@given(texts=reviews, padding=st.integers(0, 2))
def test_each_review_has_its_distinct_ngrams_and_none_with_padding(texts, longest, padding):
    codes = ngrams.codes_of(ragged(*(padding * [0] + text for text in texts)), longest, VOCAB_SIZE)
    assert rows_of(codes) == [expected_codes(text, longest) for text in texts]


def test_no_ngram_spans_padding():
    assert rows_of(ngrams.codes_of(ragged([1, 0, 2]), 2, 10)) == [[1, 2]]


@given(texts=reviews, order=st.randoms(use_true_random=False))
def test_some_of_the_reviews_in_any_order(texts, order):
    chosen = list(range(len(texts)))
    order.shuffle(chosen)
    codes = ngrams.codes_of(ragged(*texts).rows(np.array(chosen)), 3, VOCAB_SIZE)
    assert rows_of(codes) == [expected_codes(texts[i], 3) for i in chosen]


@given(texts=reviews, least=st.integers(1, 3))
def test_only_what_enough_reviews_have_is_known(texts, least):
    codes = ngrams.codes_of(ragged(*texts), 2, VOCAB_SIZE)
    counts = Counter(code for text in texts for code in expected_codes(text, 2))
    known = ngrams.known_codes(codes, least)
    assert known.tolist() == sorted(code for code, count in counts.items() if count >= least)
    indices = ngrams.look_up(codes, known)
    assert [[known[index] for index in row] for row in rows_of(indices)] == [
        [code for code in expected_codes(text, 2) if counts[code] >= least] for text in texts
    ]


@given(texts=reviews, learnt=st.integers(0, 8), padding=st.integers(0, 2))
def test_ngrams_are_numbered_as_they_first_occur_in_what_is_learnt(texts, learnt, padding):
    numbers, count = ngrams.numbered(ragged(*(padding * [0] + text for text in texts)), learnt, 2, VOCAB_SIZE)
    known, expected = {}, []
    for text in texts:
        grams = dict.fromkeys(tuple(text[i : i + n]) for i in range(len(text)) for n in (1, 2) if i + n <= len(text))
        if len(expected) < learnt:
            known = dict(zip(dict.fromkeys([*known, *grams]), range(999), strict=False))
        expected.append([known[gram] for gram in grams if gram in known])
    assert rows_of(numbers) == expected
    assert count == len(known)


@pytest.mark.parametrize(("longest", "largest"), [(2, 2**31 - 1), (3, 2**21 - 1)])
def test_the_codes_of_the_largest_vocabulary_fit(longest, largest):
    assert ngrams.largest_vocabulary(longest) == largest + 1
    codes = ngrams.codes_of(ragged([largest] * longest), longest, largest + 1)
    assert rows_of(codes) == [[(largest + 1) ** n - 1 for n in range(1, longest + 1)]]


@pytest.mark.parametrize("longest", [2, 3])
def test_a_vocabulary_whose_codes_would_not_fit_is_refused(longest):
    largest = ngrams.largest_vocabulary(longest)
    with pytest.raises(ValueError, match=rf"of at most {largest} words$"):
        ngrams.codes_of(ragged([1, 2, 3]), longest, largest + 1)


def test_the_ratio_is_that_of_naive_bayes():
    texts, y = [[1, 2], [1, 3], [1, 3], [2]], np.array([1, 1, 0, 0])
    codes = ngrams.codes_of(ragged(*texts), 1, VOCAB_SIZE)
    known = ngrams.known_codes(codes, 1)
    ratio = ngrams.log_count_ratio(ngrams.look_up(codes, known), y == 1, 3, smoothing=1)
    p, q = np.array([2 + 1, 1 + 1, 1 + 1]), np.array([1 + 1, 1 + 1, 1 + 1])
    np.testing.assert_allclose(ratio, np.log((p / p.sum()) / (q / q.sum())), rtol=1e-6)


@given(texts=reviews, seed=st.integers(0, 2**32 - 1), logits=st.sampled_from([1, 3]))
def test_scores_are_added_up(texts, seed, logits):
    """Compared with a matrix that says which review has which n-gram, on integers, whose sums are exact."""
    codes = ngrams.codes_of(ragged(*texts), 3, VOCAB_SIZE)
    known = ngrams.known_codes(codes, 1)
    indices, random = ngrams.look_up(codes, known), np.random.default_rng(seed)
    weights = random.integers(-9, 10, (len(known), logits)).astype(np.float32)
    total = random.integers(-9, 10, (len(indices), logits)).astype(np.float32)
    has = np.zeros((len(indices), len(known)))
    for row in range(len(indices)):
        has[row, indices[row]] = 1
    expected = total + has @ weights
    ngrams.add_scores(weights.ravel(), indices.values, indices.starts, indices.lengths, total)
    np.testing.assert_array_equal(total, expected)
