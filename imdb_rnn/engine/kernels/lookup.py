"""The words of many ASCII texts, split and looked up: what `reviews.vocabulary.tokenize` and a dict do, compiled.

With these it takes four times as long as the network does to read the words.
"""

from collections.abc import Sequence

import numpy as np

from imdb_rnn.engine.kernels.arithmetic import Array, Pointer, at, claim
from imdb_rnn.engine.kernels.compiled import compiled, inner
from imdb_rnn.engine.ragged import Ragged, from_lengths
from imdb_rnn.engine.threads import share_out
from imdb_rnn.text.vocabulary import tokenize

AT_ONCE = 256  # texts that a thread takes at once
OFFSET, PRIME = np.uint64(14695981039346656037), np.uint64(1099511628211)  # of FNV-1a


class Lookup:
    """The ASCII words of a vocabulary, for texts that are ASCII."""

    def __init__(self, vocabulary: Sequence[str]) -> None:
        """`vocabulary`: rank 1 first."""
        # Of each byte what it is in a word: its lower case, or 0 where it parts words.
        self._letters = np.array([ord((tokenize(chr(byte)) or ["\0"])[0]) for byte in range(128)], np.uint8)
        self._letters[0] = 0
        ranks = [rank for rank, word in enumerate(vocabulary, 1) if word.isascii()]
        words = [vocabulary[rank - 1].encode() for rank in ranks]
        self._words = np.frombuffer(bytearray(b"".join(words) or b" "), np.uint8)
        self._starts = np.cumsum([0, *map(len, words)])
        self._ranks = np.array(ranks, np.int32)
        slots = 2 ** int(2 * len(words) + 1).bit_length()
        self._slots = np.zeros(slots, np.int32)  # number of a word, from 1, at its hash or behind it
        _fill(self._words, self._starts, self._slots)

    def ranks(self, texts: Sequence[str]) -> Ragged:
        """The rank of each word of each text, 0 for one that is not in the vocabulary: int32.

        Args:
            texts: ASCII, without NUL.
        """
        content = np.frombuffer(bytearray("".join(texts), "ascii") or bytearray(1), np.uint8)
        starts = np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)))
        starts = np.concatenate([[0], starts])
        lengths = np.empty(len(texts), np.int64)
        nothing = np.empty(0, np.int32)
        known = self._letters, self._words, self._starts, self._ranks, self._slots
        share_out(_read, content, starts, *known, lengths, starts, nothing)
        ends = np.concatenate([[0], np.cumsum(lengths)])
        found = np.empty(ends[-1] + 1, np.int32)
        share_out(_read, content, starts, *known, lengths, ends, found)
        return from_lengths(found[:-1], lengths)


@inner
def _same(one: Pointer, other: Pointer, length: int, letters: Array) -> bool:
    i = 0
    while i < length and letters[one[i]] == other[i]:
        i += 1
    return i == length


@compiled
def _fill(words: Array, starts: Array, slots: Array) -> None:
    mask = np.uint64(len(slots) - 1)
    for number in range(len(starts) - 1):
        value = OFFSET
        for i in range(starts[number], starts[number + 1]):
            value = (value ^ np.uint64(words[i])) * PRIME
        place = value & mask
        while slots[place]:
            place = (place + np.uint64(1)) & mask
        slots[place] = number + 1


@compiled
def _read(
    queue: Array,
    content: Array,
    starts: Array,
    letters: Array,
    words: Array,
    word_starts: Array,
    ranks: Array,
    slots: Array,
    lengths: Array,
    ends: Array,
    found: Array,
) -> None:
    """Take texts, and count their words in `lengths`; or, where `found` has room, write their ranks from `ends` on."""
    mask = np.uint64(len(slots) - 1)
    while True:
        first = claim(queue, 0) * AT_ONCE
        if first >= len(lengths):
            return
        for text in range(first, min(first + AT_ONCE, len(lengths))):
            count, i, stop = 0, starts[text], starts[text + 1]
            while i < stop:
                begin, value = i, OFFSET
                while i < stop and letters[content[i]]:
                    value = (value ^ np.uint64(letters[content[i]])) * PRIME
                    i += 1
                if i > begin:
                    if len(found):
                        place, rank = value & mask, np.int32(0)
                        while slots[place]:
                            number = slots[place] - 1
                            start, length = word_starts[number], word_starts[number + 1] - word_starts[number]
                            if length == i - begin and _same(at(content, begin), at(words, start), length, letters):
                                rank = ranks[number]
                                break
                            place = (place + np.uint64(1)) & mask
                        found[ends[text] + count] = rank
                    count += 1
                i += 1
            if not len(found):
                lengths[text] = count
