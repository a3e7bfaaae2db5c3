"""Labelled reviews as word ranks, with their vocabulary and provenance: the one form that all sources deliver."""

import json
import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import Tokenizer
from imdb_rnn.engine.ragged import NO_ROWS, Ragged, from_lengths, from_offsets


@dataclass(frozen=True)
class Reviews:
    """n labelled reviews of any length.

    ranks: int32; 1 for the most frequent word of the vocabulary, 0 for a word that is not in it
    labels: uint8 (n,), the class, from 0; of two 0 is negative, 1 positive
    """

    ranks: Ragged
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Corpus:
    """What a source delivers: both sets, the vocabulary (rank 1 first) and where it all came from.

    confirmation: what was understood of user-supplied tables, in lines of text
    unlabelled: ranks of reviews without a label
    train_groups: uint64 (training reviews,), the group of each; None: there are no groups
    """

    train: Reviews
    test: Reviews
    vocabulary: list[str]
    provenance: dict
    confirmation: Sequence[str] = ()
    unlabelled: Ragged = NO_ROWS
    places: Iterable[str] = ()  # where each training review is in the user's files
    train_groups: np.ndarray | None = None


def _distinct(names: list[str]) -> list[str]:
    if len(set(names)) < len(names):
        raise ValueError("two labels have the same name")
    return names


# The names of the classes, of which reviews have the numbers
Labels = Annotated[list[str], Field(min_length=2, max_length=100), AfterValidator(_distinct)]


class Provenance(BaseModel):
    """What is always known of where reviews come from."""

    model_config = ConfigDict(extra="allow")
    source: str
    tokenizer: Tokenizer
    labels: Labels


def from_lists(ranks: list, labels: np.ndarray) -> Reviews:
    """Make `Reviews` of one list (or array) of ranks and one label per review.

    Raises:
        TypeError, OverflowError: when a rank is not an integer, or far too large.
        UserError: when a rank is negative, or does not fit into an int32.
    """
    lengths = np.array([len(review) for review in ranks], np.int64)
    flat = np.fromiter(map(operator.index, chain.from_iterable(ranks)), np.int64, count=int(lengths.sum()))
    if flat.size and (flat.min() < 0 or flat.max() > np.iinfo(np.int32).max):
        raise UserError(f"word ranks must be from 0 to {np.iinfo(np.int32).max}, found {flat.min()} to {flat.max()}")
    return Reviews(from_lengths(flat.astype(np.int32), lengths), np.asarray(labels))


def make_corpus(
    train: Reviews,
    test: Reviews,
    vocabulary: list[str],
    provenance: dict,
    confirmation: Sequence[str] = (),
    unlabelled: Ragged = NO_ROWS,
    places: Iterable[str] = (),
    train_groups: np.ndarray | None = None,
) -> Corpus:
    """Check both sets, as `checked` does, and add their counts to the provenance.

    Unless `provenance` says otherwise, the tokenizer is `word`, and there are two labels, negative and positive.
    """
    usual = {"tokenizer": "word", "labels": ["negative", "positive"]}
    provenance = {**usual, **provenance, "vocabulary_words": len(vocabulary)}
    labels = provenance["labels"]
    train, test = (
        checked(reviews, name, len(vocabulary), len(labels)) for name, reviews in (("train", train), ("test", test))
    )
    for name, reviews in (("train", train), ("test", test)):
        counts = np.bincount(reviews.labels).tolist()
        by_label: dict[str, object] = {"labels": dict(zip(labels, counts, strict=True))}
        if len(labels) == 2:
            by_label = dict(zip(("negative", "positive"), counts, strict=True))
        provenance[name] = {"reviews": len(reviews), **by_label, "words": int(reviews.ranks.lengths.sum())}
    if len(unlabelled):
        provenance["unlabelled"] = {"reviews": len(unlabelled), "words": int(unlabelled.lengths.sum())}
    return Corpus(train, test, vocabulary, provenance, confirmation, unlabelled, places, train_groups)


def checked(reviews: Reviews, name: str, vocabulary_size: int, num_classes: int) -> Reviews:
    """Return `reviews` with uint8 labels if they are sound: some of each label, none empty, every rank known.

    Raises:
        UserError: with the name of the set, the fault, and where it helps the first bad review, counted from 0.
    """
    ranks, labels = reviews.ranks, reviews.labels
    if labels.size == 0:
        raise UserError(f"the {name} set is empty")
    if labels.shape != (len(ranks),) or labels.dtype.kind not in "iu":
        raise UserError(f"the {name} set has {len(ranks)} reviews and labels {labels.dtype} {labels.shape}")
    bad = np.flatnonzero((labels < 0) | (labels >= num_classes))
    if bad.size:
        allowed = "only 0 and 1 are" if num_classes == 2 else f"only 0 to {num_classes - 1} are"
        raise UserError(f"review {bad[0]} of the {name} set has label {labels[bad[0]]}, {allowed} allowed")
    for label in range(num_classes):
        if not np.any(labels == label):
            raise UserError(f"the {name} set has no review with label {label}")
    bad = np.flatnonzero(ranks.lengths == 0)
    if bad.size:
        raise UserError(f"review {bad[0]} of the {name} set is empty")
    largest = ranks.values.max(initial=0)
    if largest > vocabulary_size:
        raise UserError(f"the {name} set has word rank {largest}, the vocabulary has {vocabulary_size} words")
    return Reviews(ranks, labels.astype(np.uint8))


def write_corpus(corpus: Corpus, folder: Path) -> None:
    """Write `{train,test}_{ranks,offsets,labels}.npy`, `vocabulary.txt` and `provenance.json`, all or none.

    Where reviews have no label, also `unlabelled_{ranks,offsets}.npy`; where they have groups, `train_groups.npy`; of
    user-supplied reviews also `confirmation.txt` and `train_places.txt`.
    """
    with files.replacing(folder) as new:
        new.mkdir()
        sets = {"train": corpus.train.ranks, "test": corpus.test.ranks, "unlabelled": corpus.unlabelled}
        for name, ranks in sets.items():
            if len(ranks):
                np.save(new / f"{name}_ranks.npy", ranks.values)
                np.save(new / f"{name}_offsets.npy", np.append(0, np.cumsum(ranks.lengths)))
        np.save(new / "train_labels.npy", corpus.train.labels)
        np.save(new / "test_labels.npy", corpus.test.labels)
        if corpus.train_groups is not None:
            np.save(new / "train_groups.npy", corpus.train_groups)
        (new / "vocabulary.txt").write_text("\n".join(corpus.vocabulary) + "\n", encoding="utf-8", newline="\n")
        if corpus.confirmation:  # not in the provenance, which goes into the model: it shows some reviews
            text = "\n".join(corpus.confirmation) + "\n"
            (new / "confirmation.txt").write_text(text, encoding="utf-8", newline="\n")
            with (new / "train_places.txt").open("w", encoding="utf-8", newline="\n") as file:
                file.writelines(f"{place}\n" for place in corpus.places)
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
    """Read where the reviews come from, a `Provenance`, from what `write_corpus` wrote."""
    return files.read_json(Provenance, folder / "provenance.json", "download").model_dump()


def read_confirmation(folder: Path) -> list[str]:
    """Read what was understood of user-supplied tables, from what `write_corpus` wrote; other sources have nothing."""
    path = folder / "confirmation.txt"
    return files.read_text(path).splitlines() if path.exists() else []


def read_places(folder: Path) -> list[str]:
    """Read where each training review is in the user's files; other sources have nothing."""
    path = folder / "train_places.txt"
    return files.read_text(path).removesuffix("\n").split("\n") if path.exists() else []


def read_groups(folder: Path) -> np.ndarray | None:
    """Read the group of each training review, uint64 (reviews,), if `write_corpus` wrote groups."""
    path = folder / "train_groups.npy"
    return files.read_array(path, "download") if path.exists() else None


def read_reviews(folder: Path, name: str) -> Reviews:
    """Read one set, `train` or `test`, from what `write_corpus` wrote. The ranks are memory-mapped.

    Raises:
        UserError: when a file is missing or damaged, or the three do not belong together.
    """
    ranks, labels = _read_ranks(folder, name), files.read_array(folder / f"{name}_labels.npy", "download")
    if (labels.dtype, labels.shape) != (np.uint8, (len(ranks),)):
        raise _not_one_set(folder, name)
    return Reviews(ranks, labels)


def read_unlabelled(folder: Path) -> Ragged:
    """Read the ranks of the reviews without a label, memory-mapped; maybe none. Raises as `read_reviews` does."""
    return _read_ranks(folder, "unlabelled") if (folder / "unlabelled_ranks.npy").exists() else NO_ROWS


def _read_ranks(folder: Path, name: str) -> Ragged:
    ranks = files.read_array(folder / f"{name}_ranks.npy", "download", memory_map=True)
    offsets = files.read_array(folder / f"{name}_offsets.npy", "download")
    words = offsets[-1] if offsets.size else 0
    if (ranks.dtype, ranks.shape, offsets.dtype, offsets.ndim) != (np.int32, (words,), np.int64, 1) or not offsets.size:
        raise _not_one_set(folder, name)
    return from_offsets(ranks.view(np.ndarray), offsets)


def _not_one_set(folder: Path, name: str) -> UserError:
    return files.damaged(folder, "download", f"the arrays of the {name} set do not belong together")
