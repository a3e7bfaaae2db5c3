"""The reviews that training learns from: which are held out, in folds, in batches, and how much each counts."""

from hashlib import blake2b

import numpy as np

from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import TrainParams
from imdb_rnn.engine.rng import Stream, raw
from imdb_rnn.text.encode import Labelled
from imdb_rnn.text.split import split_by_position

Splits = list[tuple[np.ndarray, np.ndarray]]  # the rows that are learnt from, and those that are then predicted


def hold_out(reviews: Labelled, params: TrainParams) -> tuple[Labelled, Labelled]:
    """Divide training reviews for `validation: holdout`.

    Returns:
        The reviews to train on, and the reviews to validate with: of each label the last `params.validation_fraction`.

    Raises:
        UserError: when a part would have no review of a label.
    """
    rows, held_out = split_by_position(reviews.y, params.validation_fraction, "train.validation_fraction")
    return reviews.rows(rows), reviews.rows(held_out)


def fold_of_each(reviews: Labelled, folds: int = 3, groups: np.ndarray | None = None) -> np.ndarray:
    """Divide reviews into folds of the same size, also within each label, by what is in them: uint8 (reviews,).

    The reviews of a group are in one fold; without groups equal reviews are, whatever their labels.

    Args:
        folds: 2 to 255.
        groups: (reviews,), the number of each review's group; None: there are no groups.
    """
    content = _contents(reviews)
    _, unit = np.unique(content if groups is None else groups, return_inverse=True)  # what has to be in one fold
    sizes = np.bincount(unit)
    label, first = np.full(len(sizes), 255), np.full(len(sizes), np.iinfo(np.uint64).max)
    np.minimum.at(label, unit, reviews.y)
    np.minimum.at(first, unit, content)
    fold = np.empty(len(sizes), np.uint8)
    for of_label in np.unique(label):
        units = np.flatnonzero(label == of_label)
        units = units[np.argsort(first[units], kind="stable")]
        ends = np.cumsum(sizes[units])
        fold[units] = (2 * ends - sizes[units]) * folds // (2 * ends[-1])  # by the middle of each unit
    return fold[unit]


def splits(reviews: Labelled, fold: np.ndarray, share: float = 1.0, seed: int = 0) -> Splits:
    """For each fold the rows to learn from, of the other folds, and the rows of the fold; both ascending.

    Nothing is learnt from a review that equals one of the fold.

    Args:
        fold: (reviews,), of each review.
        share: of each class's rows to learn from, drawn with `seed`, at least one.
    """
    draw, content, found = raw(len(fold), seed, Stream.FOLDS), _contents(reviews), []
    for number in np.unique(fold):
        unseen = ~np.isin(content, content[fold == number])
        others = [np.flatnonzero(unseen & (reviews.y == label)) for label in np.unique(reviews.y)]
        learnt = [rows[np.argsort(draw[rows])[: int(np.ceil(share * len(rows)))]] for rows in others]
        found.append((np.sort(np.concatenate(learnt)), np.flatnonzero(fold == number)))
    return found


def check_splits(y: np.ndarray, splits: Splits) -> None:
    """Raise a `UserError` if of a class fewer than two rows can be learnt from: one to train, one to hold out."""
    for label, count in enumerate(np.bincount(y).tolist()):
        if (fewest := min(np.count_nonzero(y[learnt] == label) for learnt, _ in splits)) < 2:
            raise UserError(
                f"params.yaml: train.folds is set, and without one of the folds only {fewest} of the {count} training "
                f"reviews with label {label} would be left to learn from; set it to null, or add reviews"
            )


def _contents(reviews: Labelled) -> np.ndarray:
    """A hash of each review, equal for equal ones: uint64 (reviews,)."""
    digests = (blake2b(reviews.ids[row].astype("<i4").tobytes(), digest_size=8) for row in range(len(reviews.y)))
    return np.frombuffer(b"".join(digest.digest() for digest in digests), "<u8")


def shuffled(count: int, batch_size: int, seed: int, epoch: int) -> list[np.ndarray]:
    """Cut the rows from 0 to `count - 1`, in an order drawn for this epoch, into batches; the last may be smaller."""
    order = np.argsort(raw(count, seed, Stream.ORDER, epoch), kind="stable")
    return [order[i : i + batch_size] for i in range(0, count, batch_size)]


def sample_weights(y: np.ndarray, class_weight: str | None) -> np.ndarray:
    """What each review's loss is multiplied by: float64 (reviews,).

    Args:
        y: (reviews,), classes from 0, all present.
        class_weight: None: 1 for all; `balanced`: n / (classes * count of the class), as in scikit-learn.
    """
    if class_weight is None:
        return np.ones(len(y))
    counts = np.bincount(y)
    return (len(y) / (len(counts) * counts))[y]
