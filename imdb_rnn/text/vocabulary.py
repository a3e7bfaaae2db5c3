"""Words and ids: how text becomes tokens, tokens become ranks, and which ids are not words."""

import importlib.util
import logging
import math
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from imdb_rnn.core.errors import UserError

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


def characters(text: str) -> list[str]:
    """Split a review into its lower-case characters, white space left out."""
    return list("".join(text.lower().split()))


@cache
def _jieba() -> Any:
    if importlib.util.find_spec("jieba") is None:
        raise UserError("data.tokenizer: jieba needs the package jieba; run `pip install jieba==0.42.1`")
    import jieba  # an optional package

    jieba.setLogLevel(logging.WARNING)
    splitter = jieba.Tokenizer()
    # Its dictionary is read from the package: it would keep a copy where others can write, and trust it.
    splitter.FREQ, splitter.total = splitter.gen_pfdict(splitter.get_dict_file())
    splitter.initialized = True
    return splitter


def jieba_tables() -> dict[str, Any]:
    """What jieba knows, for those who split as it does: its dictionary and its hidden Markov model, as JSON has them.

    dictionary: str, words and their frequencies in turn, a space between
    logShares: for each frequency, as text, the logarithm of its share of all: floats, for another library's logarithm
        may differ in the last bit, and that decides between paths of one probability
    start, transitions, emissions: dicts of logarithms of probabilities: of the place in a word (B, M, E or S) that
        comes first, of the next one after each, and of each letter at each

    Raises:
        UserError: when jieba is not installed.
    """
    splitter = _jieba()
    from jieba import finalseg

    words = {word: count for word, count in splitter.FREQ.items() if count}
    return {
        "dictionary": " ".join(f"{word} {count}" for word, count in words.items()),
        "logShares": {str(count): math.log(count) - math.log(splitter.total) for count in {1, *words.values()}},
        "start": finalseg.start_P,
        "transitions": finalseg.trans_P,
        "emissions": finalseg.emit_P,
    }


def get_tokenizer(name: str) -> Callable[[str], list[str]]:
    """The function that splits a text.

    Args:
        name: `word`, as `tokenize` splits it; `char`; or `jieba`: the words that jieba finds in what
            `tokenize` gives, for Chinese, which has no spaces.

    Raises:
        UserError: when jieba is not installed.
    """
    if name == "jieba":
        cut = _jieba().lcut
        return lambda text: [word for part in tokenize(text) for word in cut(part)]
    return {"word": tokenize, "char": characters}[name]


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
