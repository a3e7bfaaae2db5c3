"""Tokenizers, the vocabulary, and the ids that are not words."""

import importlib.util
import logging
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache

from imdb_rnn.core.errors import UserError

PADDING, START, OOV = 0, 1, 2  # Keras' convention for its IMDb set; OOV: out of vocabulary
RANK_OFFSET = 3  # the most frequent word, rank 1, has id 4
NOT_A_WORD = "\N{WHITE VERTICAL RECTANGLE}"  # shown for a word that is not known; typed, it is out of vocabulary too

_PUNCTUATION = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
_TO_SPACE = str.maketrans(_PUNCTUATION, " " * len(_PUNCTUATION))


def tokenize(text: str) -> list[str]:
    """Split a review into lower-case words.

    As Keras' `text_to_word_sequence`, which made its IMDb word index: punctuation except the apostrophe becomes a
    space, so `don't` stays whole and `<br />` leaves the token `br`. In addition, any other white space (a no-break
    space, for example) separates words.
    """
    return text.lower().translate(_TO_SPACE).split()


def characters(text: str) -> list[str]:
    """Split a review into its lower-case characters, without white space."""
    return list("".join(text.lower().split()))


@cache
def _jieba_cut() -> Callable[[str], list[str]]:
    if importlib.util.find_spec("jieba") is None:
        raise UserError("data.tokenizer: jieba needs the package jieba; run `pip install jieba==0.42.1`")
    import jieba  # an optional package

    jieba.setLogLevel(logging.WARNING)
    splitter = jieba.Tokenizer()
    # By default jieba keeps its cache in the shared folder for temporary files, and trusts what it finds there.
    with tempfile.TemporaryDirectory() as splitter.tmp_dir:
        splitter.initialize()
    return splitter.lcut


def get_tokenizer(name: str) -> Callable[[str], list[str]]:
    """The function that splits a text into tokens.

    Args:
        name: `word`: `tokenize`; `char`: `characters`; `jieba`: the Chinese words that jieba finds in the words of
            `tokenize`.

    Raises:
        UserError: when jieba is not installed.
    """
    if name == "jieba":
        cut = _jieba_cut()
        return lambda text: [word for part in tokenize(text) for word in cut(part)]
    return {"word": tokenize, "char": characters}[name]


def count_vocabulary(reviews: Iterable[list[str]]) -> list[str]:
    """List the distinct tokens, most frequent first, ties in order of first appearance. `[0]` has rank 1."""
    counts: Counter[str] = Counter()
    for tokens in reviews:
        counts.update(tokens)
    return [word for word, _ in counts.most_common()]


def words_of_ranks(ranks: Iterable[int], vocabulary: list[str]) -> list[str]:
    """Turn ranks into words; rank 0, a word that is not in the vocabulary, becomes `NOT_A_WORD`."""
    return [vocabulary[rank - 1] if rank else NOT_A_WORD for rank in ranks]


def words_of_ids(ids: Iterable[int], vocabulary: list[str]) -> list[str]:
    """Turn ids into words, without padding and start token; an out-of-vocabulary word becomes `[OOV]`."""
    return ["[OOV]" if i == OOV else vocabulary[i - RANK_OFFSET - 1] for i in ids if i not in (PADDING, START)]


def known_words(vocabulary: list[str], vocab_size: int) -> list[str]:
    """The words that have an id of their own below `vocab_size`, rank 1 first."""
    return vocabulary[: vocab_size - RANK_OFFSET - 1]
