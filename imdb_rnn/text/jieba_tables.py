"""jieba's dictionary and hidden Markov model, for the page, which splits Chinese text as jieba does."""

import math
from typing import Any

from imdb_rnn.text.vocabulary import get_tokenizer


def jieba_tables() -> dict[str, Any]:
    """Everything that decides how jieba splits text, ready for JSON.

    dictionary: str, words and their frequencies in turn, separated by spaces
    logShares: the logarithm of each frequency's share of all, by frequency: floats, because another library's logarithm
        may differ in the last bit, and that decides between paths of equal probability
    start, transitions, emissions: dicts of log probabilities: of the first position in a word (B, M, E or S), of the
        next position after each, and of each letter at each position

    Raises:
        UserError: when jieba is not installed.
    """
    get_tokenizer("jieba")
    import jieba  # an optional package
    from jieba import finalseg

    counts: dict[str, int] = {}
    total = 0
    with jieba.Tokenizer().get_dict_file() as file:
        for line in file:
            word, count = line.decode().split(" ")[:2]
            counts[word] = int(count)
            total += int(count)
    return {
        "dictionary": " ".join(f"{word} {count}" for word, count in counts.items() if count),
        "logShares": {str(count): math.log(count) - math.log(total) for count in {1, *counts.values()} if count},
        "start": finalseg.start_P,
        "transitions": finalseg.trans_P,
        "emissions": finalseg.emit_P,
    }
