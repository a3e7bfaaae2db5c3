"""A profile of texts: how long they are, how many of their words are unknown, what is predicted of them.

A model file has that of the training texts, so that other texts can be compared with them.
"""

from collections.abc import Iterable

import numpy as np

from imdb_rnn.engine.ragged import Ragged
from imdb_rnn.text.encode import CHUNK, Labelled
from imdb_rnn.text.vocabulary import OOV

# words: how many texts have 0 words, 1 word, 2 words, and so on between `LENGTHS`; as far as the network reads them
# unknown: of how many texts 0, 1, … 100 percent of the words are unknown, rounded down
# predicted: of how many texts each class is predicted
Profile = dict[str, list[int]]
LENGTHS = sorted([1, *(start << doubled for start in (2, 3) for doubled in range(15))])  # 1, 2, 3, 4, 6, 8, 12, …
PERCENTS = 101


def bins(classes: int) -> dict[str, int]:
    """How many numbers each part of a profile has."""
    return {"words": len(LENGTHS) + 1, "unknown": PERCENTS, "predicted": classes}


def profile(parts: Iterable[Ragged], predicted: np.ndarray, classes: int, known: np.ndarray | None = None) -> Profile:
    """The profile of texts.

    Args:
        parts: the texts as ids without padding, as `encode` gives them.
        predicted: (texts,), the class, from 0, predicted for each; they may be other texts than those of `parts`.
        known: bool (vocabulary,), the ids that count as known. None: all but out-of-vocabulary ones.
    """
    counts = {name: np.zeros(size, np.int64) for name, size in bins(classes).items()}
    for ids in parts:
        flat, row = ids.flat(), np.repeat(np.arange(len(ids)), ids.lengths)
        is_unknown = (flat == OOV) if known is None else (flat >= OOV) & ~known[flat]
        words, unknown = (np.bincount(row[which], minlength=len(ids)) for which in (flat >= OOV, is_unknown))
        counts["words"] += np.bincount(np.digitize(words, LENGTHS), minlength=len(LENGTHS) + 1)
        counts["unknown"] += np.bincount(100 * unknown // np.maximum(words, 1), minlength=PERCENTS)
    counts["predicted"] += np.bincount(predicted, minlength=classes)
    return {name: each.tolist() for name, each in counts.items()}


def training_profile(training: Labelled, predicted: np.ndarray, classes: int, vocab_size: int) -> Profile:
    """The profile of training texts, as new texts like them would have it.

    The vocabulary was made from the same texts. So a word that only one of them has counts as unknown there, as it
    would have been without that text (leave-one-out, as for the estimate of unseen words by Good, Biometrika 40, 1953).

    Args:
        predicted: (texts,), classes predicted for texts like these from which the model has not learnt.
    """
    texts = np.zeros(vocab_size, np.int64)  # how many have each id
    for ids in (*_chunks(training.ids), *_chunks(training.unlabelled)):
        row = np.repeat(np.arange(len(ids)), ids.lengths)
        texts += np.bincount(np.unique(row * vocab_size + ids.flat()) % vocab_size, minlength=vocab_size)
    known = (texts > 1) & (np.arange(vocab_size) != OOV)
    return profile(_chunks(training.ids), predicted, classes, known)


def _chunks(ids: Ragged) -> Iterable[Ragged]:
    return (ids.rows(np.arange(first, min(first + CHUNK, len(ids)))) for first in range(0, len(ids), CHUNK))


def total(profiles: Iterable[Profile]) -> Profile:
    """The profile of all texts of several ones, of at least one."""
    parts = list(profiles)
    return {name: np.sum([part[name] for part in parts], axis=0).tolist() for name in parts[0]}
