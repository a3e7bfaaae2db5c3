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
    vocabulary, ranks = counting.ranks_of_tokens(ragged, chunk.tokens)
    assert vocabulary == count_vocabulary(map(tokenize, TEXTS)) == ["d", "b", "a", "c"]
    translated = counting.translated(ragged.rows(np.array([3, 0])), ranks, tmp_path)
    assert [translated[row].tolist() for row in range(2)] == [[1, 1, 1, 1], [2, 3, 2]]
    assert not [*tmp_path.iterdir()]


def test_texts_of_the_same_tokens_have_the_same_hash():
    first, second, third = counting.split_texts(["A film!", "a  film", "a filmed"], "word").hashes
    assert first == second != third


def test_chunks_keep_their_order():
    chunks = counting.split_all(iter([TEXTS[:1], TEXTS[1:2]]), "word")
    assert [chunk.tokens for chunk in chunks] == [["b", "a"], ["c"]]
