"""Labelled reviews as word ranks, with their vocabulary and provenance: the one form in which sources hand them on."""

import json
import operator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import get_args

import numpy as np

from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import Tokenizer
from imdb_rnn.engine.ragged import Ragged, from_lengths, from_offsets

MAX_WORDS = 2**28  # of a set, so that a small file cannot ask for all the memory; IMDb has 12 million


@dataclass(frozen=True)
class Reviews:
    """n labelled reviews of any length.

    ranks: int32; 1 for the vocabulary's most frequent word, 0 for a word it does not hold
    labels: uint8 (n,); 0 negative, 1 positive
    """

    ranks: Ragged
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
    lengths = np.array([len(review) for review in ranks], np.int64)
    total = int(lengths.sum())
    if total > MAX_WORDS:
        raise UserError(f"the reviews have {total} words, more than {MAX_WORDS}")
    flat = np.fromiter(map(operator.index, chain.from_iterable(ranks)), np.int64, count=total)
    if flat.size and (flat.min() < 0 or flat.max() > np.iinfo(np.int32).max):
        raise UserError(f"word ranks must be from 0 to {np.iinfo(np.int32).max}, found {flat.min()} to {flat.max()}")
    return Reviews(from_lengths(flat.astype(np.int32), lengths), np.asarray(labels))


def make_corpus(train: Reviews, test: Reviews, vocabulary: list[str], provenance: dict) -> Corpus:
    """Check both sets, as `checked` does, and add their counts to what is known of where they come from.

    Unless `provenance` says otherwise, text was split into words, and labels are called negative and positive.
    """
    train, test = checked(train, "train", len(vocabulary)), checked(test, "test", len(vocabulary))
    usual = {"tokenizer": "word", "labels": ["negative", "positive"]}
    provenance = {**usual, **provenance, "vocabulary_words": len(vocabulary)}
    for name, reviews in (("train", train), ("test", test)):
        negative, positive = np.bincount(reviews.labels, minlength=2).tolist()
        words = int(reviews.ranks.lengths.sum())
        provenance[name] = {"reviews": len(reviews), "negative": negative, "positive": positive, "words": words}
    return Corpus(train, test, vocabulary, provenance)


def checked(reviews: Reviews, name: str, vocabulary_size: int) -> Reviews:
    """Return `reviews` with uint8 labels if they are sound: some of each label, none empty, every rank known.

    Raises:
        UserError: naming the set, the first bad review (counted from 0) and the fault.
    """
    ranks, labels = reviews.ranks, reviews.labels
    if labels.size == 0:
        raise UserError(f"the {name} set is empty")
    if any(array.ndim != 1 or array.dtype.kind not in "iu" for array in (ranks.values, labels)):
        raise UserError(f"the {name} set is not made of flat arrays of integers")
    is_cut = np.all(ranks.lengths >= 0) and np.array_equal(ranks.starts, np.cumsum(ranks.lengths) - ranks.lengths)
    if len(ranks) != len(labels) or not is_cut or ranks.lengths.sum() != len(ranks.values):
        raise UserError(f"the {name} set has {len(labels)} labels, but its offsets do not cut its words into as many")
    bad = np.flatnonzero((labels != 0) & (labels != 1))
    if bad.size:
        raise UserError(f"review {bad[0]} of the {name} set has label {labels[bad[0]]}, only 0 and 1 are allowed")
    for label in (0, 1):
        if not np.any(labels == label):
            raise UserError(f"the {name} set has no review with label {label}")
    bad = np.flatnonzero(ranks.lengths == 0)
    if bad.size:
        raise UserError(f"review {bad[0]} of the {name} set is empty")
    if ranks.values.min(initial=0) < 0 or ranks.values.max(initial=0) > vocabulary_size:
        bad = np.flatnonzero((ranks.values < 0) | (ranks.values > vocabulary_size))
        review = np.searchsorted(ranks.starts, bad[0], side="right") - 1
        rank = ranks.values[bad[0]]
        raise UserError(f"review {review} of the {name} set has word rank {rank}, the vocabulary has {vocabulary_size}")
    return Reviews(ranks, labels.astype(np.uint8))


def write_corpus(corpus: Corpus, folder: Path) -> None:
    """Write `{train,test}_{ranks,offsets,labels}.npy`, `vocabulary.txt` and `provenance.json`, all or none."""
    with files.replacing(folder) as new:
        new.mkdir()
        for name, reviews in (("train", corpus.train), ("test", corpus.test)):
            np.save(new / f"{name}_ranks.npy", reviews.ranks.values)
            np.save(new / f"{name}_offsets.npy", np.append(0, np.cumsum(reviews.ranks.lengths)))
            np.save(new / f"{name}_labels.npy", reviews.labels)
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
        if provenance.get("tokenizer") not in get_args(Tokenizer):
            raise ValueError("it should say how text was split")
        labels = provenance.get("labels")
        if not (isinstance(labels, list) and len(labels) == 2 and all(isinstance(name, str) for name in labels)):
            raise ValueError("it should name the labels")
    except (OSError, ValueError) as error:
        raise files.damaged(path, "download", error) from error
    return provenance


def read_reviews(folder: Path, name: str) -> Reviews:
    """Read and check one set, `train` or `test`, from what `write_corpus` wrote, also against its provenance.

    The ranks are memory-mapped.
    """
    ranks, offsets, labels = (
        files.read_array(folder / f"{name}_{field}.npy", "download", memory_map=field == "ranks")
        for field in ("ranks", "offsets", "labels")
    )
    try:
        if offsets.ndim != 1 or offsets.dtype.kind not in "iu" or not offsets.size or offsets[0]:
            raise UserError(f"the {name} set's offsets are not integers from 0 on")
        reviews = checked(
            Reviews(from_offsets(ranks.view(np.ndarray), offsets), labels), name, len(read_vocabulary(folder))
        )
    except UserError as error:
        raise files.damaged(folder, "download", error) from error
    counts, stated = {"reviews": len(reviews), "words": len(ranks)}, read_provenance(folder).get(name)
    if not isinstance(stated, dict) or any(stated.get(what) != count for what, count in counts.items()):
        raise files.damaged(folder, "download", f"the {name} set has {counts}, its provenance says {stated}")
    return reviews
