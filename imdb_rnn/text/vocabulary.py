"""Tokenizers, the vocabulary, and the ids that are not words."""

import importlib.util
import logging
import re
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache

from imdb_rnn.core.errors import UserError

PADDING, START, OOV = 0, 1, 2  # Keras' convention for its IMDb set; OOV: out of vocabulary
RANK_OFFSET = 3  # the most frequent word, rank 1, has id 4
NOT_A_WORD = "\N{WHITE VERTICAL RECTANGLE}"  # shown for a word that is not known; typed, it is out of vocabulary too

_PUNCTUATION = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
# What phones, word processors and input methods write in place of ASCII: typographic quotes, dashes, full-width forms.
# NFKC itself would be too much: it makes 31⁄2 of 3½ and oscartm of oscar™, and each version of Unicode adds to it.
_PLAIN = dict.fromkeys("‘’‛´′", "'") | dict.fromkeys("“”„‟", '"') | dict.fromkeys("\u2010\u2011‒–—―", "-")
_PLAIN |= {chr(code + 0xFEE0): chr(code) for code in range(0x21, 0x7F)}
_TYPED = re.compile("[‘’‛´′“”„‟\u2010-\u2015\uff01-\uff5e]")  # the keys of `_PLAIN`
_TO_SPACE = str.maketrans(_PLAIN | {typed: " " for typed, plain in _PLAIN.items() if plain in _PUNCTUATION})
_TO_SPACE |= str.maketrans(dict.fromkeys(_PUNCTUATION + "…", " "))
# Accents apart from their letter, half-width katakana, ligatures: here Python and all browsers agree what NFKC is.
_DECOMPOSED = "[\u0300-\u036f\u3099\u309a\uff61-\uff9f\ufb00-\ufb06]"
_HAS_DECOMPOSED = re.compile(_DECOMPOSED)
_COMPOSABLE = re.compile(
    f"[a-z\u00e0-\u024f\u03ac-\u03ce\u0430-\u0481\u048a-\u04ff\u1e00-\u1fbc\u3041-\u3096\u309d-\u30fe]?{_DECOMPOSED}+"
)


def _composed(text: str) -> str:
    if not _HAS_DECOMPOSED.search(text):
        return text
    return _COMPOSABLE.sub(lambda letters: unicodedata.normalize("NFKC", letters[0]), text)


def tokenize(text: str) -> list[str]:
    """Split a review into lower-case words.

    As Keras' `text_to_word_sequence`, which made its IMDb word index: punctuation except the apostrophe becomes a
    space, so `don't` stays whole and `<br />` leaves the token `br`. In addition, any other white space (a no-break
    space, for example) separates words, typographic quotes, dashes and full-width forms are read as those of ASCII
    (`don’t`, `Ｇｏｏｄ，`), and an accent is part of its letter however it is stored.
    """
    text = text.lower().translate(_TO_SPACE)
    return (text if text.isascii() else _composed(text)).split()


def characters(text: str) -> list[str]:
    """Split a review into its lower-case characters without white space, each as `tokenize` reads it."""
    text = text.lower()
    if not text.isascii():
        text = _composed(_TYPED.sub(lambda typed: _PLAIN[typed[0]], text))
    return list("".join(text.split()))


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
