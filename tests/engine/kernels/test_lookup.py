import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imdb_rnn.engine.kernels.lookup import AT_ONCE, Lookup
from imdb_rnn.text.encode import ranks_of
from imdb_rnn.text.vocabulary import tokenize

VOCABULARY = ["the", "film", "don't", "电影", "a", "über", "10", "thefilm", "\x01"]
RANKS = {word: rank for rank, word in enumerate(VOCABULARY, start=1)}
ASCII = st.characters(min_codepoint=1, max_codepoint=127)
TEXTS = st.one_of(st.text(ASCII), st.lists(st.sampled_from([*VOCABULARY[:3], "FILM", "The", " ", "-"])).map(" ".join))


def assert_the_same(texts: list[str], vocabulary: list[str] = VOCABULARY) -> None:
    texts = [text for text in texts if text.isascii()]
    expected = ranks_of(map(tokenize, texts), {word: rank for rank, word in enumerate(vocabulary, start=1)})
    found = Lookup(vocabulary).ranks(texts)
    assert found.values.dtype == np.int32
    np.testing.assert_array_equal(found.values, expected.values)
    np.testing.assert_array_equal(found.lengths, expected.lengths)


@given(st.lists(TEXTS, max_size=5))
def test_words_are_those_of_the_pipeline(texts):
    assert_the_same(texts)


def test_every_character_parts_words_or_is_in_them_as_in_the_pipeline():
    assert_the_same([f"the{chr(byte)}film {chr(byte)} {chr(byte)}a" for byte in range(1, 128)])


@pytest.mark.parametrize("count", [0, 1, AT_ONCE, 3 * AT_ONCE + 1])
def test_many_texts_keep_their_order(count):
    assert_the_same([f"the film {number % 7} " * (number % 5) for number in range(count)], [*VOCABULARY, "3", "6"])


def test_real_reviews_and_their_vocabulary(corpus):
    words = corpus.vocabulary[:9996]
    assert_the_same([" ".join(words[start : start + 300]) for start in range(0, 9000, 100)], words)


def test_a_vocabulary_without_an_ascii_word():
    assert_the_same(["the film", ""], ["电影"])
    assert RANKS["电影"] == 4
