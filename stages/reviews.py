"""Labelled reviews as flat arrays: the one form in which every source hands them on."""

import json
import operator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from stages import files
from stages.errors import UserError

MAX_WORDS = 2**28  # of a set, so that a small file cannot ask for all the memory; IMDb has 12 million


@dataclass(frozen=True)
class Reviews:
    """n reviews of any length, one behind the other.

    ranks: int32 (words in all,); 1 for the vocabulary's most frequent word, 0 for a word it does not hold
    offsets: int64 (n + 1,); review i is `ranks[offsets[i]:offsets[i + 1]]`
    labels: uint8 (n,); 0 negative, 1 positive
    """

    ranks: np.ndarray
    offsets: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Corpus:
    """What a source delivers: both sets, the vocabulary (rank 1 first) and where it all came from."""

    train: Reviews
    test: Reviews
    vocabulary: list[str]
    provenance: dict


def from_lists(ranks: list, labels: np.ndarray) -> Reviews:
    """Lay out one list (or array) of ranks per review, and one label each, as `Reviews`.

    Raises:
        TypeError, OverflowError: when a rank is not an integer, or far too large a one.
        UserError: when a rank is negative, or does not fit into an int32, or there are more than `MAX_WORDS` words.
    """
    offsets = np.zeros(len(ranks) + 1, np.int64)
    np.cumsum([len(review) for review in ranks], out=offsets[1:])
    if offsets[-1] > MAX_WORDS:
        raise UserError(f"the reviews have {offsets[-1]} words, more than {MAX_WORDS}")
    flat = np.fromiter(map(operator.index, chain.from_iterable(ranks)), np.int64, count=offsets[-1])
    if flat.size and (flat.min() < 0 or flat.max() > np.iinfo(np.int32).max):
        raise UserError(f"word ranks must be from 0 to {np.iinfo(np.int32).max}, found {flat.min()} to {flat.max()}")
    return Reviews(flat.astype(np.int32), offsets, np.asarray(labels))


def check(reviews: Reviews, name: str, vocabulary_size: int) -> Reviews:
    """Return `reviews` with uint8 labels if they are sound: some of each label, none empty, every rank known.

    Raises:
        UserError: naming the set, the first bad review (counted from 0) and the fault.
    """
    ranks, offsets, labels = reviews.ranks, reviews.offsets, reviews.labels
    if len(labels) == 0:
        raise UserError(f"the {name} set is empty")
    if any(array.ndim != 1 or array.dtype.kind not in "iu" for array in (ranks, offsets, labels)):
        raise UserError(f"the {name} set is not made of flat arrays of integers")
    if len(offsets) != len(labels) + 1 or offsets[0] != 0 or offsets[-1] != len(ranks) or np.any(np.diff(offsets) < 0):
        raise UserError(f"the {name} set has {len(labels)} labels, but its offsets do not cut its words into as many")
    bad = np.flatnonzero((labels != 0) & (labels != 1))
    if bad.size:
        raise UserError(f"review {bad[0]} of the {name} set has label {labels[bad[0]]}, only 0 and 1 are allowed")
    for label in (0, 1):
        if not np.any(labels == label):
            raise UserError(f"the {name} set has no review with label {label}")
    bad = np.flatnonzero(np.diff(offsets) == 0)
    if bad.size:
        raise UserError(f"review {bad[0]} of the {name} set is empty")
    bad = np.flatnonzero((ranks < 0) | (ranks > vocabulary_size))
    if bad.size:
        review = np.searchsorted(offsets, bad[0], side="right") - 1
        rank = ranks[bad[0]]
        raise UserError(f"review {review} of the {name} set has word rank {rank}, the vocabulary has {vocabulary_size}")
    return Reviews(ranks, offsets, labels.astype(np.uint8))


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


def write_corpus(corpus: Corpus, folder: Path) -> None:
    """Write `{train,test}_{ranks,offsets,labels}.npy`, `vocabulary.txt` and `provenance.json`, all or none."""
    with files.replacing(folder) as new:
        new.mkdir()
        for name, reviews in (("train", corpus.train), ("test", corpus.test)):
            for field in ("ranks", "offsets", "labels"):
                np.save(new / f"{name}_{field}.npy", getattr(reviews, field))
        (new / "vocabulary.txt").write_text("\n".join(corpus.vocabulary) + "\n", encoding="utf-8", newline="\n")
        provenance = json.dumps(corpus.provenance, indent=2, ensure_ascii=False)
        (new / "provenance.json").write_text(provenance + "\n", encoding="utf-8", newline="\n")


def read_vocabulary(folder: Path) -> list[str]:
    """Read the vocabulary, rank 1 first, from what `write_corpus` wrote."""
    path = files.require(folder / "vocabulary.txt", "download")
    try:
        return path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise files.damaged(path, "download", error) from error


def read_provenance(folder: Path) -> dict:
    """Read where the reviews come from, from what `write_corpus` wrote."""
    path = files.require(folder / "provenance.json", "download")
    try:
        provenance = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(provenance, dict) or not isinstance(provenance.get("source"), str):
            raise ValueError("it should name its source")
    except (OSError, ValueError) as error:
        raise files.damaged(path, "download", error) from error
    return provenance


def read_reviews(folder: Path, name: str) -> Reviews:
    """Read and check one set, `train` or `test`, from what `write_corpus` wrote, also against its provenance."""
    ranks, offsets, labels = (
        files.read_array(folder / f"{name}_{field}.npy", "download") for field in ("ranks", "offsets", "labels")
    )
    try:
        reviews = check(Reviews(ranks, offsets, labels), name, len(read_vocabulary(folder)))
    except UserError as error:
        raise files.damaged(folder, "download", error) from error
    counted, found = read_provenance(folder).get(name), {"reviews": len(reviews), "words": len(ranks)}
    if not isinstance(counted, dict) or any(counted.get(what) != count for what, count in found.items()):
        raise files.damaged(folder, "download", f"the {name} set has {found}, its provenance says {counted}")
    return reviews


def read_padded(name: str, vocab_size: int) -> tuple[np.ndarray, np.ndarray]:
    """Read one padded set, `train` or `test`: x, int32 (reviews, words), memory-mapped, and y, uint8 (reviews,).

    Raises:
        UserError: when a file is missing or damaged, the two do not belong together, or an id is not below
            `vocab_size`.
    """
    x_path, y_path = files.PADDED / f"x_{name}.npy", files.PADDED / f"y_{name}.npy"
    x, y = files.read_array(x_path, "pad", memory_map=True), files.read_array(y_path, "pad")
    if x.ndim != 2 or x.dtype != np.int32 or x.size == 0:
        raise files.damaged(x_path, "pad", f"it holds {x.dtype} of shape {x.shape}, not int32 (reviews, words)")
    if x.min() < 0 or x.max() >= vocab_size:
        raise files.damaged(x_path, "pad", f"its ids go from {x.min()} to {x.max()}, pad.vocab_size is {vocab_size}")
    if y.shape != x.shape[:1] or not np.isin(y, (0, 1)).all():
        raise files.damaged(y_path, "pad", f"it does not hold a 0 or 1 for each of {len(x)} reviews")
    return x, y
