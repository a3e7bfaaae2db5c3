"""Words and ids: how text becomes tokens, tokens become ranks, and which ids are not words."""

from collections import Counter
from collections.abc import Iterable

PADDING, START, UNKNOWN = 0, 1, 2  # Keras' convention for its IMDb set
RANK_OFFSET = 3  # the most frequent word, rank 1, has id 4
NOT_A_WORD = "\N{WHITE VERTICAL RECTANGLE}"  # for a word of which only the place is known; typed it is unknown too

_PUNCTUATION = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
_TO_SPACE = str.maketrans(_PUNCTUATION, " " * len(_PUNCTUATION))


def tokenize(text: str) -> list[str]:
    """Split a review into lower-case words.

    The rule is that of Keras' `text_to_word_sequence`, by which its IMDb word index was made: punctuation but the
    apostrophe becomes a space, so `don't` stays whole and `<br />` leaves the token `br`. Unlike there, other white
    space (a no-break space, say) separates words too.
    """
    return text.lower().translate(_TO_SPACE).split()


def count_vocabulary(reviews: Iterable[list[str]]) -> list[str]:
    """List the distinct tokens, most frequent first, ties in order of first appearance. `[0]` has rank 1."""
    counts: Counter[str] = Counter()
    for tokens in reviews:
        counts.update(tokens)
    return [word for word, _ in counts.most_common()]


def words_of_ranks(ranks: Iterable[int], vocabulary: list[str]) -> list[str]:
    """Turn ranks into words; rank 0, a word that the vocabulary does not hold, is `NOT_A_WORD`."""
    return [vocabulary[rank - 1] if rank else NOT_A_WORD for rank in ranks]


def words_of_ids(ids: Iterable[int], vocabulary: list[str]) -> list[str]:
    """Turn ids into words: padding and the start mark are left out, an unknown word is `[unknown]`."""
    return ["[unknown]" if i == UNKNOWN else vocabulary[i - RANK_OFFSET - 1] for i in ids if i not in (PADDING, START)]


def known_words(vocabulary: list[str], vocab_size: int) -> list[str]:
    """The words that have an id of their own below `vocab_size`, rank 1 first."""
    return vocabulary[: vocab_size - RANK_OFFSET - 1]
