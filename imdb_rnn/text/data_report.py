"""What there is to know of labelled reviews before a network is trained on them."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from imdb_rnn.core import files
from imdb_rnn.core.params import PadParams
from imdb_rnn.text.corpus import Reviews
from imdb_rnn.text.encode import AT_ONCE
from imdb_rnn.text.vocabulary import RANK_OFFSET

Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class Part(BaseModel):
    """Of the training or the test reviews.

    words: the fewest, the quartiles, and the most that a review has
    cut: share of the reviews that have more ids than `maxlen`
    unknown: share of the words that the network has no vector for
    duplicates: reviews with the same words as an earlier one of this part, words that no training review has aside
    two_labels: reviews whose words another one of this part has, with the other label
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    reviews: Count
    negative: Count
    positive: Count
    words: list[Count]
    cut: Share
    unknown: Share
    duplicates: Count
    two_labels: Count


class DataReport(BaseModel):
    """Of both parts; `test_also_in_train` counts test reviews with the words of a training review."""

    model_config = ConfigDict(extra="forbid")
    rows_read: Count | None = None
    left_out: dict[str, Count] = {}
    train: Part
    test: Part
    test_also_in_train: Count


def data_report(sets: Mapping[str, Reviews], params: PadParams, provenance: Mapping[str, Any]) -> dict:
    """Make the values of a `DataReport`.

    Args:
        sets: `train` and `test`.
        provenance: of the reviews; own ones have the rows that were left out there.
    """
    hashes = {name: _hashes(reviews) for name, reviews in sets.items()}
    parts = {name: _part(reviews, hashes[name], params) for name, reviews in sets.items()}
    rows = provenance.get("rows", {})
    report: dict[str, Any] = {"rows_read": rows["read"], "left_out": rows["left_out"]} if rows else {}
    also = int(np.isin(hashes["test"], hashes["train"]).sum())
    return DataReport(**report | parts, test_also_in_train=also).model_dump(exclude_unset=True)


def _hashes(reviews: Reviews) -> np.ndarray:
    """A hash of the words of each review: uint64 (reviews,); of its own if a word is not in the vocabulary."""

    def digest(row: int) -> bytes:
        ranks = reviews.ranks[row]
        content = ranks.tobytes() if ranks.all() else f"review {row}".encode()
        return hashlib.blake2b(content, digest_size=8).digest()

    return np.frombuffer(b"".join(map(digest, range(len(reviews)))), "<u8")


def _part(reviews: Reviews, hashes: np.ndarray, params: PadParams) -> Part:
    lengths, labels, n = reviews.ranks.lengths, reviews.labels, len(reviews)
    unknown = 0
    for first in range(0, n, AT_ONCE):
        ranks = reviews.ranks.rows(np.arange(first, min(first + AT_ONCE, n))).flat()
        unknown += np.count_nonzero((ranks == 0) | (ranks >= params.vocab_size - RANK_OFFSET))
    _, group = np.unique(hashes, return_inverse=True)
    of_group = np.bincount(group)
    positive = np.bincount(group, labels, len(of_group))[group]
    ascending = np.sort(lengths)
    return Part(
        reviews=n,
        negative=int((labels == 0).sum()),
        positive=int((labels == 1).sum()),
        words=[int(ascending[round(share * (n - 1))]) for share in (0, 0.25, 0.5, 0.75, 1)],
        cut=round(float((lengths + 1 > params.maxlen).mean()), 6),
        unknown=round(unknown / int(lengths.sum()), 6),
        duplicates=n - len(of_group),
        two_labels=int(((positive > 0) & (positive < of_group[group])).sum()),
    )


def summary(report: dict) -> list[str]:
    """The report in a few lines for the terminal."""
    lines = []
    if "rows_read" in report:
        left_out = "; ".join(f"{count} {reason}" for reason, count in report["left_out"].items())
        lines.append(f"{report['rows_read']} rows read; left out: {left_out or 'none'}")
    for name, what in (("train", "training"), ("test", "test")):
        part = report[name]
        lines.append(
            f"{part['reviews']} {what} reviews, {part['positive'] / part['reviews']:.1%} positive, {part['words'][2]} "
            f"words in the middle, {part['words'][4]} at most; {part['cut']:.1%} are cut, {part['unknown']:.1%} of the "
            f"words are unknown; {part['duplicates']} have the words of an earlier one, {part['two_labels']} those of "
            "one with the other label"
        )
    return [*lines, f"{report['test_also_in_train']} test reviews have the words of a training review"]


def read_data_report(path: Path) -> dict:
    """Read what `pad` wrote. Raises `UserError` when it is missing or not that."""
    return files.read_json(DataReport, path, "pad").model_dump(exclude_unset=True)
