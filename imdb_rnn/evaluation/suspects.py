"""Labels that look wrong: a near-duplicate of the training review contradicts them, or a model that has not seen it."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from imdb_rnn.engine.kernels.arithmetic import cross_entropy, log, probabilities
from imdb_rnn.engine.ragged import Ragged, from_lengths
from imdb_rnn.engine.rng import raw
from imdb_rnn.evaluation.results import CLASSES, class_names
from imdb_rnn.text.vocabulary import words_of_ranks

MOST, OPENING_WORDS = 1000, 20  # suspects, and the words of each that are shown
TRIPLE, SIMILARITY = 3, 0.8  # near-duplicates have this share of their word triples in common
BANDS, HASHES = 8, 3  # of such reviews all but 1 in 400 agree in all hashes of some band
DUPLICATE, MODEL = "near-duplicate of ", "model"


def suspects(
    y: np.ndarray,
    logits: np.ndarray,
    ranks: Ragged,
    vocabulary: list[str],
    labels: Sequence[str] = CLASSES,
    places: Sequence[str] = (),
    separator: str = " ",
) -> pd.DataFrame:
    """Training reviews whose labels look wrong, the most suspicious first, at most `MOST`.

    First come those of which a near-duplicate has another label: of the two, the one with fewer equal reviews of its
    label, or else the one whose label is less probable. Then those that confident learning (Northcutt, Jiang and
    Chuang, 2021) counts for another class: its probability is at least as high as reviews of that class have on
    average. These are left out if the models know no more than how frequent each class is. Each part is in the order
    of the label's probability.

    Args:
        y: (reviews,), classes from 0, all present.
        logits: float64 (reviews,) of two classes, (reviews, classes) of more, by models that have not seen the review.
        ranks: the words of the reviews, all of them.
        vocabulary: rank 1 first.
        places: where each review is in the user's files; empty: its row, from 0, among the training reviews.
        separator: what stands between words.

    Returns:
        Columns rank (from 1), review (row of `ranks`), place, label, suggested (label), probability (of `label`, six
        decimals), why (`MODEL`, or `DUPLICATE` and a place), opening (the first words of the text).
    """
    p = probabilities(np.stack([np.zeros(len(y)), logits], axis=1) if logits.ndim == 1 else logits)
    rows = np.arange(len(y))
    own, (twin, copies) = p[rows, y], near_duplicates(ranks, y)
    share = np.bincount(y)[y] / len(y)
    other = confident_class(y, p) if cross_entropy(y, logits)[0].mean() < -log(share).mean() else y
    doubt = np.lexsort((rows, own, copies)).argsort()  # the lower, the more doubtful is a label
    is_twin = (twin >= 0) & (doubt < doubt[twin])
    chosen = np.flatnonzero(is_twin | (other != y))
    chosen = chosen[np.lexsort((own[chosen], ~is_twin[chosen]))][:MOST]

    def place(row: int) -> str:
        return places[row] if len(places) else f"review {row}"

    names = np.array(class_names(labels), object)
    first = ranks.rows(chosen).first(OPENING_WORDS)
    return pd.DataFrame(
        {
            "rank": np.arange(1, len(chosen) + 1),
            "review": chosen,
            "place": [place(row) for row in chosen.tolist()],
            "label": names[y[chosen]],
            "suggested": names[np.where(is_twin, y[twin], other)[chosen]],
            "probability": own[chosen].round(6),
            "why": [DUPLICATE + place(int(twin[row])) if is_twin[row] else MODEL for row in chosen],
            "opening": [separator.join(words_of_ranks(first[i], vocabulary)) for i in range(len(chosen))],
        }
    )


def confident_class(y: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """The class that confident learning counts each review for: int64 (reviews,); its label where it is sure of none.

    Args:
        y: (reviews,), classes from 0, all present.
        probability: float64 (reviews, classes), by models that have not seen the review.
    """
    threshold = np.array([probability[y == k, k].mean() for k in range(probability.shape[1])])
    sure = np.where(probability >= threshold, probability, 0.0)
    return np.where(sure.any(axis=1), sure.argmax(axis=1), y)


def near_duplicates(ranks: Ragged, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each review one that has nearly the same words and another label, and how many are equal and have its label.

    Found by min-hashes (Broder, On the resemblance and containment of documents, 1997); those found are compared.

    Args:
        ranks: reviews of at least one word.
        y: (reviews,), their labels.

    Returns:
        int64 (reviews,) each: a row, -1 if none is found; and the number of equal reviews of the label, from 1.
    """
    triples = _triples(ranks)
    found, all_hashes = np.full(len(y), -1), np.zeros(len(y), np.uint64)
    for multipliers in raw(BANDS * HASHES, 0).reshape(BANDS, HASHES) | np.uint64(1):
        smallest = [np.minimum.reduceat(triples.values * each, triples.starts) for each in multipliers]
        _, first, group = np.unique(np.stack(smallest), axis=1, return_index=True, return_inverse=True)
        one = first[group.reshape(-1)]
        all_hashes = all_hashes * np.uint64(len(y)) + one.astype(np.uint64)
        # Of the reviews with the same hashes the first, and one with another label
        differs = np.flatnonzero(y != y[one])
        another = np.full(len(y), -1)
        another[one[differs]] = differs
        candidate = np.where(y != y[one], one, another[one])
        for row in np.flatnonzero((found < 0) & (candidate >= 0)).tolist():
            mine, its = set(triples[row].tolist()), set(triples[candidate[row]].tolist())
            if len(mine & its) >= SIMILARITY * len(mine | its):
                found[row] = candidate[row]
    _, equal, count = np.unique(
        np.stack([all_hashes, y.astype(np.uint64)]), axis=1, return_inverse=True, return_counts=True
    )
    return found, count[equal.reshape(-1)]


def _triples(ranks: Ragged) -> Ragged:
    """A hash, uint64, of each word of a review with the two that follow, fewer at its end."""
    words = np.append(ranks.flat().astype(np.uint64), np.zeros(TRIPLE - 1, np.uint64))
    ends, count = np.cumsum(ranks.lengths), len(words) - TRIPLE + 1
    left = np.repeat(ends, ranks.lengths) - np.arange(count)  # words from here to the end of the review
    total = np.zeros(count, np.uint64)
    for k, multiplier in enumerate(raw(TRIPLE, 1) | np.uint64(1)):
        total += np.where(left > k, words[k : k + count] + np.uint64(1), np.uint64(0)) * multiplier
    return from_lengths(total ^ (total >> np.uint64(32)), ranks.lengths)
