"""What can be known of labelled reviews before a network is trained on them."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from imdb_rnn.core.params import PadParams
from imdb_rnn.text.corpus import Reviews
from imdb_rnn.text.encode import CHUNK
from imdb_rnn.text.vocabulary import RANK_OFFSET

Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class SetReport(BaseModel):
    """Facts about the training or the test reviews.

    negative, positive: how many there are of two classes; of more `labels` has the count of each
    words: per review: the minimum, the quartiles, and the maximum
    truncated: share of the reviews with more ids than `maxlen`
    out_of_vocabulary: share of the words that have no id of their own
    duplicates: reviews with the same words as an earlier one of this set, except reviews with a word of rank 0
    conflicting_labels: reviews whose words occur in this set with another label too
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    reviews: Count
    negative: Count | None = None
    positive: Count | None = None
    labels: dict[str, Count] | None = None
    words: list[Count]
    truncated: Share
    out_of_vocabulary: Share
    duplicates: Count
    conflicting_labels: Count


class DataReport(BaseModel):
    """Facts about both sets.

    confirmation: of `data.source: own`, what was understood of the tables, in lines of text
    rows_read, left_out: of `data.source: own`, how many rows were read, and how many were skipped by reason
    unlabelled: of `data.source: own`, reviews without a label, for words alone; unset if there are none
    test_also_in_train: test reviews with the same words as a training review
    """

    model_config = ConfigDict(extra="forbid")
    confirmation: list[str] = []
    rows_read: Count | None = None
    left_out: dict[str, Count] = {}
    unlabelled: Count | None = None
    train: SetReport
    test: SetReport
    test_also_in_train: Count


def data_report(
    sets: Mapping[str, Reviews], params: PadParams, provenance: Mapping[str, Any], confirmation: Sequence[str] = ()
) -> DataReport:
    """Report on both sets.

    Args:
        sets: `train` and `test`.
        provenance: of the reviews; for `data.source: own` it has the numbers of skipped rows.
    """
    hashes = {name: _hashes(reviews) for name, reviews in sets.items()}
    names = provenance.get("labels", ("negative", "positive"))
    parts: dict[str, Any] = {name: _report(reviews, hashes[name], params, names) for name, reviews in sets.items()}
    rows = provenance.get("rows", {"read": None, "left_out": {}})
    if "unlabelled" in provenance:
        parts["unlabelled"] = provenance["unlabelled"]["reviews"]
    also = int(np.isin(hashes["test"], hashes["train"]).sum())
    return DataReport(
        confirmation=list(confirmation),
        rows_read=rows["read"],
        left_out=rows["left_out"],
        **parts,
        test_also_in_train=also,
    )


def _hashes(reviews: Reviews) -> np.ndarray:
    """A hash of the words of each review, uint64 (reviews,); a unique one if a word is not in the vocabulary."""

    def digest(row: int) -> bytes:
        ranks = reviews.ranks[row]
        content = ranks.tobytes() if ranks.all() else f"review {row}".encode()
        return hashlib.blake2b(content, digest_size=8).digest()

    return np.frombuffer(b"".join(map(digest, range(len(reviews)))), "<u8")


def _report(reviews: Reviews, hashes: np.ndarray, params: PadParams, names: Sequence[str]) -> SetReport:
    lengths, labels, n = reviews.ranks.lengths, reviews.labels, len(reviews)
    unknown = 0
    for first in range(0, n, CHUNK):
        ranks = reviews.ranks.rows(np.arange(first, min(first + CHUNK, n))).flat()
        unknown += int(np.count_nonzero((ranks == 0) | (ranks >= params.vocab_size - RANK_OFFSET)))
    _, group = np.unique(hashes, return_inverse=True)
    of_group = np.bincount(group)
    counts = np.bincount(labels, minlength=len(names)).tolist()
    of_two = {"negative": counts[0], "positive": counts[1]}
    num_labels = np.bincount(np.unique(group * len(names) + labels) // len(names))
    return SetReport(
        reviews=n,
        **of_two if len(names) == 2 else {"labels": dict(zip(names, counts, strict=True))},
        words=np.quantile(lengths, (0, 0.25, 0.5, 0.75, 1), method="nearest").tolist(),
        truncated=round(float((lengths + 1 > params.maxlen).mean()), 6),
        out_of_vocabulary=round(unknown / int(lengths.sum()), 6),
        duplicates=n - len(of_group),
        conflicting_labels=int((num_labels[group] > 1).sum()),
    )
