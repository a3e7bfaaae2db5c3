"""How labelled reviews are split in two."""

import numpy as np

from imdb_rnn.core.errors import UserError


def split_by_position(labels: np.ndarray, fraction: float, key: str) -> tuple[np.ndarray, np.ndarray]:
    """Split reviews in two by position: the last `fraction` of each label's reviews form the second part.

    The split is by position and not random, because in the order of the Large Movie Review Dataset reviews of one film
    are neighbours. A random split would put a film's reviews on both sides and flatter the result.

    Args:
        labels: (n,), classes from 0, at least two.
        fraction: above 0, below 1; the count is rounded, but each part gets one of two reviews or more.
        key: the parameter that holds the fraction, for the message.

    Returns:
        Two int64 arrays of row numbers, both in ascending order, together every row once.

    Raises:
        UserError: when a part would have no review of a label.
    """
    return split_by_hash(labels, np.arange(len(labels)), fraction, key)


def split_by_hash(labels: np.ndarray, hashes: np.ndarray, fraction: float, key: str) -> tuple[np.ndarray, np.ndarray]:
    """Split as `split_by_position` does, but by hashes, uint64 (n,): the largest of each label form the second part.

    So the position of a review does not matter, and new reviews move few others. Reviews of one label with the same
    hash stay together, so that the second part may be a little larger than `fraction`.
    """
    second = np.zeros(len(labels), bool)
    for label in _classes(labels):
        rows = np.flatnonzero(labels == label)
        if len(rows) > 1:
            count = min(max(1, round(len(rows) * fraction)), len(rows) - 1)
            second[rows] = hashes[rows] >= np.sort(hashes[rows])[-count]
    return _two_parts(labels, second, fraction, key)


def split_by_group(labels: np.ndarray, groups: np.ndarray, fraction: float, key: str) -> tuple[np.ndarray, np.ndarray]:
    """Split so that no group is in both parts: groups in the order of their hash fill the second part, if they fit.

    Args:
        labels, fraction, key: as in `split_by_position`.
        groups: uint64 (n,), a hash of each row's group.

    Raises:
        UserError: when a part would have no review of a label.
    """
    _, group_of, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    chosen, room = np.zeros(len(sizes), bool), fraction * len(labels)
    for group, size in enumerate(sizes.tolist()):
        if size <= 2 * room:  # more than half of it fits
            chosen[group] = True
            room -= size
    return _two_parts(labels, chosen[group_of], fraction, key)


def _classes(labels: np.ndarray) -> range:
    return range(max(2, int(labels.max(initial=0)) + 1))


def _two_parts(labels: np.ndarray, second: np.ndarray, fraction: float, key: str) -> tuple[np.ndarray, np.ndarray]:
    for label in _classes(labels):
        of_label = second[labels == label]
        if of_label.all() or not of_label.any():
            raise UserError(
                f"params.yaml: {key} is {fraction}, which leaves one part without any of the {len(of_label)} reviews "
                f"with label {label}; choose a value nearer 0.5, or add reviews"
            )
    return np.flatnonzero(~second), np.flatnonzero(second)
