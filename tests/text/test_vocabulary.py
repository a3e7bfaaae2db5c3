import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imdb_rnn.core.params import PadParams
from imdb_rnn.text.corpus import from_lists
from imdb_rnn.text.encode import encode
from imdb_rnn.text.vocabulary import (
    NOT_A_WORD,
    characters,
    count_vocabulary,
    known_words,
    tokenize,
    words_of_ids,
    words_of_ranks,
)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Don't panic!", ["don't", "panic"]),
        ("Great.<br /><br />10/10", ["great", "br", "br", "10", "10"]),
        ("  \t\n ", []),
        ("déjà\u00a0vu — 电影", ["déjà", "vu", "电影"]),
        ("I don’t “like” it… don´t", ["i", "don't", "like", "it", "don't"]),
        ("Ｇｏｏｄ，１０！ ﬁlm ｶﾞ", ["good", "10", "film", "ガ"]),
        ("3½ stars, Oscar™", ["3½", "stars", "oscar™"]),
        (unicodedata.normalize("NFD", "Déjà vu, Ấm, バカ"), ["déjà", "vu", "ấm", "バカ"]),
    ],
)
def test_tokenize(text, tokens):
    assert tokenize(text) == tokens


def test_characters():
    assert characters("好看！ “Ａ’ e\u0301") == ["好", "看", "!", '"', "a", "'", "é"]


@pytest.mark.slow
@pytest.mark.xdist_group("keras")
@given(st.text(st.characters(codec="ascii", exclude_characters="\r\v\f\x1c\x1d\x1e\x1f")))
def test_tokenize_equals_keras_on_ascii(text):
    import tensorflow as tf  # here, because it takes seconds to load

    assert tokenize(text) == tf.keras.preprocessing.text.text_to_word_sequence(text)


@given(st.text())
def test_any_text_is_cut_into_words(text):
    words = tokenize(text)
    assert all(words)
    assert tokenize(" ".join(words)) == words


def test_vocabulary_is_ordered_by_count_then_by_first_appearance():
    assert count_vocabulary([["b", "a", "c"], ["a", "c"], ["d"]]) == ["a", "c", "b", "d"]


def test_ids_become_words_again():
    assert words_of_ids([0, 0, 1, 4, 2, 5], ["the", "film"]) == ["the", "[OOV]", "film"]


def test_ranks_become_words_again():
    assert words_of_ranks([2, 0, 1], ["the", "film"]) == ["film", NOT_A_WORD, "the"]
    assert tokenize(NOT_A_WORD) == [NOT_A_WORD]  # so nobody's typing of it is taken for another word


@given(st.integers(5, 12))
def test_the_known_words_are_those_that_keep_an_id_of_their_own(vocab_size):
    vocabulary = ["the", "and", "a", "of"]
    ranks = from_lists([[1, 2, 3, 4]], [0]).ranks
    ids = encode(ranks, PadParams(vocab_size=vocab_size)).flat().tolist()
    known = known_words(vocabulary, vocab_size)
    assert [word for word in words_of_ids(ids, vocabulary) if word != "[OOV]"] == known


def test_the_bundled_vocabulary_is_that_of_film_reviews(corpus):
    assert corpus.vocabulary[:5] == ["the", "and", "a", "of", "to"]
    assert "br" in corpus.vocabulary[:10]
    assert {"film", "movie", "don't"} <= set(corpus.vocabulary[:100])
    assert len(set(corpus.vocabulary)) == len(corpus.vocabulary)
