import numpy as np
import pytest

from imdb_rnn.engine.ragged import from_lengths
from imdb_rnn.text import counting
from imdb_rnn.text.vocabulary import count_vocabulary, tokenize

TEXTS = ["b a b", "c", "a b", "d d d d"]


@pytest.mark.parametrize("piece", [1, 3, 100])
def test_ranks_are_those_of_the_counted_vocabulary(monkeypatch, tmp_path, piece):
    monkeypatch.setattr(counting, "PIECE", piece)
    chunk = counting.split_texts(TEXTS, "word")
    ragged = from_lengths(chunk.numbers, chunk.lengths)
    vocabulary, ranks = counting.ranks_of_tokens([ragged], chunk.tokens)
    assert vocabulary == count_vocabulary(map(tokenize, TEXTS)) == ["d", "b", "a", "c"]
    translated = counting.translated(ragged.rows(np.array([3, 0])), ranks, tmp_path)
    assert [translated[row].tolist() for row in range(2)] == [[1, 1, 1, 1], [2, 3, 2]]
    assert not [*tmp_path.iterdir()]


def test_words_of_labelled_texts_come_first_and_given_ones_last():
    chunk = counting.split_texts(["b a a", "c c c d", "d c a e"], "word")
    texts = from_lengths(chunk.numbers, chunk.lengths)
    sets = texts.rows(np.array([0])), texts.rows(np.array([1]))
    vocabulary, ranks = counting.ranks_of_tokens(sets, chunk.tokens, ["x", "a", "e"])
    assert vocabulary == ["a", "b", "c", "d", "x", "e"]
    assert dict(zip(chunk.tokens, ranks.tolist(), strict=True)) == {"b": 2, "a": 1, "c": 3, "d": 4, "e": 6}


def test_texts_of_the_same_tokens_have_the_same_hash():
    first, second, third = counting.split_texts(["A film!", "a  film", "a filmed"], "word").hashes
    assert first == second != third


def test_chunks_keep_their_order():
    chunks = counting.split_all(iter([TEXTS[:1], TEXTS[1:2]]), "word")
    assert [chunk.tokens for chunk in chunks] == [["b", "a"], ["c"]]
