import numpy as np

from imdb_rnn.engine.ragged import from_lengths
from imdb_rnn.text.encode import Labelled
from imdb_rnn.text.profiles import LENGTHS, profile, total, training_profile
from imdb_rnn.text.vocabulary import OOV, START


def texts(*rows: list[int]):
    return from_lengths(np.concatenate([np.int32(row) for row in rows]), np.array([len(row) for row in rows]))


def nonzero(counts: list[int]) -> dict[int, int]:
    return {place: count for place, count in enumerate(counts) if count}


def test_words_and_unknown_words_are_counted_without_start_tokens():
    parts = [texts([START, 5, OOV, 6], [START]), texts([OOV] * 7)]
    found = profile(parts, np.array([0, 2, 2]), 3)
    assert LENGTHS[:7] == [1, 2, 3, 4, 6, 8, 12]
    assert nonzero(found["words"]) == {0: 1, 3: 1, 5: 1}  # no word, 3 words, 6 or 7 words
    assert nonzero(found["unknown"]) == {0: 1, 33: 1, 100: 1}
    assert found["predicted"] == [1, 0, 2]
    assert found == total(profile([part], predicted, 3) for part, predicted in zip(parts, ([0, 2], [2]), strict=True))


def test_words_of_one_training_text_alone_are_unknown_as_they_would_be_in_a_new_text():
    training = Labelled(texts([START, 5, 5, 6, OOV], [START, 6, 7, 6]), np.array([0, 1]), texts([START, 7, 8, OOV]))
    found = training_profile(training, np.array([1]), 2, 9)
    assert nonzero(found["unknown"]) == {0: 1, 75: 1}
    assert (nonzero(found["words"]), found["predicted"]) == ({3: 1, 4: 1}, [0, 1])
