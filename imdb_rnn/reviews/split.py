"""How labelled reviews are split in two."""

import numpy as np

from imdb_rnn.base.errors import UserError


def split_by_position(labels: np.ndarray, fraction: float, key: str) -> tuple[np.ndarray, np.ndarray]:
    """Cut reviews in two by position: the last `fraction` of each label's reviews make the second part.

    Position, not chance, because in the order of the Large Movie Review Dataset reviews of one film are neighbours; a
    random split would put a film's reviews on both sides and flatter the result.

    Args:
        labels: (n,), 0 or 1.
        fraction: above 0, below 1; the count is rounded.
        key: the parameter that the fraction is, for the message.

    Returns:
        Two int64 arrays of row numbers, each in ascending order, together every row once.

    Raises:
        UserError: when a part would have no review of a label.
    """
    second = np.zeros(len(labels), bool)
    for label in (0, 1):
        rows = np.flatnonzero(labels == label)
        count = round(len(rows) * fraction)
        if not 0 < count < len(rows):
            raise UserError(
                f"params.yaml: {key} is {fraction}, which leaves one part without any of the {len(rows)} reviews with "
                f"label {label}; choose a value nearer 0.5"
            )
        second[rows[-count:]] = True
    return np.flatnonzero(~second), np.flatnonzero(second)
