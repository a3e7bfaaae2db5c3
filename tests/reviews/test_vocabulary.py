import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from imdb_rnn.reviews.vocabulary import count_vocabulary, tokenize, words_of


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Don't panic!", ["don't", "panic"]),
        ("Great.<br /><br />10/10", ["great", "br", "br", "10", "10"]),
        ("  \t\n ", []),
        ("déjà\u00a0vu — 电影", ["déjà", "vu", "—", "电影"]),
    ],
)
def test_tokenize(text, tokens):
    assert tokenize(text) == tokens


@given(st.text(st.characters(codec="ascii", exclude_characters="\r\v\f\x1c\x1d\x1e\x1f")))
def test_tokenize_equals_keras_on_ascii(text):
    assert tokenize(text) == tf.keras.preprocessing.text.text_to_word_sequence(text)


def test_vocabulary_is_ordered_by_count_then_by_first_appearance():
    assert count_vocabulary([["b", "a", "c"], ["a", "c"], ["d"]]) == ["a", "c", "b", "d"]


def test_words_of_undoes_the_ids():
    assert words_of([0, 0, 1, 4, 2, 5], ["the", "film"]) == ["the", "[unknown]", "film"]


def test_the_bundled_vocabulary_is_that_of_film_reviews(corpus):
    assert corpus.vocabulary[:5] == ["the", "and", "a", "of", "to"]
    assert "br" in corpus.vocabulary[:10]
    assert {"film", "movie", "don't"} <= set(corpus.vocabulary[:100])
    assert len(set(corpus.vocabulary)) == len(corpus.vocabulary)
