"""User-supplied reviews, from tables or text files, as a corpus; and what was understood of them, in words."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain, starmap
from pathlib import Path
from typing import NamedTuple

import numpy as np

from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import OwnParams, in_yaml
from imdb_rnn.engine.ragged import from_lengths
from imdb_rnn.text.columns import find_group
from imdb_rnn.text.corpus import Corpus, Reviews, make_corpus
from imdb_rnn.text.counting import mapped, ranks_of_tokens, spilling, split_all, translated
from imdb_rnn.text.labels import (
    LEFT_OUT,
    UNKNOWN_LABEL,
    UNLABELLED,
    infer_of_tables,
    require_classes,
)
from imdb_rnn.text.sources.ingest import EXAMPLES, NO_LABEL, NONE, PARTS, IngestedRows, places_of, texts_of
from imdb_rnn.text.sources.rows import Source, find_sources
from imdb_rnn.text.split import split_by_group, split_by_hash, split_by_position
from imdb_rnn.text.tables import described

MAX_BAD, MAX_BAD_SHARE = 100, 0.01  # of the rows, that are left out without being asked
LEAST, LEAST_OF_MANY = 3, 10  # reviews of each of two classes, one each to train, validate and test; and of more
# Letters of scripts without spaces between words: Thai to Myanmar, Khmer, Chinese and Japanese.
UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
UNSPACED_SHARE = 0.3  # of the letters: texts with more are not words between spaces
MAX_SHOWN = 10  # tables
LOOKED_AT = 100_000  # rows of a table that is not trained on yet


class Understood(NamedTuple):
    """What was made of the rows: of each its class, int8, or below 0; which are in each set; and that in words."""

    names: Sequence[str]
    y: np.ndarray
    train: np.ndarray
    test: np.ndarray
    unlabelled: np.ndarray
    rule: str
    split: str
    confirmation: list[str]


def read(params: OwnParams, root: Path, tokenizer: str, more_words: Sequence[str] = ()) -> Corpus:
    """Read the reviews at `data.own.path`; the vocabulary is that of the training part, then of texts without labels.

    Args:
        tokenizer: `auto` takes characters where the script has no spaces between words, and words otherwise.
        more_words: that follow in the vocabulary.

    Raises:
        UserError: when there are none, a column or the meaning of a label is not clear, more rows than `max_bad_rows`
            cannot be read, `tokenizer` does not split such texts, or a class has too few reviews.
    """
    sources, not_read = find_sources(params, root / params.path, root)
    folder = root / files.REVIEWS.parent
    folder.mkdir(parents=True, exist_ok=True)
    found = IngestedRows(bool(params.group_column))
    texts = texts_of(params, sources, found)
    first = next(texts, [])
    tokenizer = _tokenizer_for(first, tokenizer, params.path)
    with spilling(folder) as spilled:
        for chunk in split_all(chain([first] * bool(first), texts), tokenizer):
            number_of = [found.tokens.setdefault(token, len(found.tokens)) for token in chunk.tokens]
            np.array(number_of, np.int32)[chunk.numbers].tofile(spilled)
            found.lengths.append(chunk.lengths)
            found.hashes.append(chunk.hashes)
        lengths = np.concatenate([np.empty(0, np.int64), *found.lengths])
        hashes = np.concatenate([np.empty(0, np.uint64), *found.hashes])
        made = _understood(params, sources, not_read, found, lengths, hashes, tokenizer)
        train = made.train
        groups = np.array(found.groups, np.uint64) if params.group_column else None
        if groups is not None:
            # Training holds out the last reviews of each label. In the order of the groups' hashes the cut divides few
            # groups, whatever the order of the labels in the table.
            train = train[np.argsort(groups[train], kind="stable")]
        is_validation = np.array(found.parts, np.uint8) == PARTS.index("validation")
        train = train[np.argsort(is_validation[train], kind="stable")]  # training holds the last reviews out
        ragged = from_lengths(mapped(spilled), lengths)
        counted = ragged.rows(train), ragged.rows(made.unlabelled)
        vocabulary, ranks = ranks_of_tokens(counted, list(found.tokens), more_words)
        kept, left_out = len(train) + len(made.test), dict(sorted(found.left_out.items()))
        provenance = {
            "source": "own",
            "description": f"reviews from {params.path}",
            "tokenizer": tokenizer,
            "labels": list(made.names),
            "text_columns": list(sources[0].texts),
            "rows": {"read": found.rows.total(), "kept": kept, "left_out": left_out},
            "rule": made.rule,
            "split": made.split,
        }
        of_train, of_test, unlabelled = (
            translated(ragged.rows(rows), ranks, folder) for rows in (train, made.test, made.unlabelled)
        )
    print("\n".join(made.confirmation))
    sets = Reviews(of_train, made.y[train].astype(np.int64)), Reviews(of_test, made.y[made.test].astype(np.int64))
    groups, places = None if groups is None else groups[train], places_of(found, train)
    return make_corpus(*sets, vocabulary, provenance, made.confirmation, unlabelled, places, groups)


def look(params: OwnParams, path: Path, enough: int = LOOKED_AT, tokenizer: str = "auto") -> list[str]:
    """What `read` makes of the reviews at `path`, in lines of text. Raises as `read` does.

    Args:
        enough: rows after which no more are read, unless labels are new: tables are often sorted by them.
    """
    sources, not_read = find_sources(params, path)
    found = IngestedRows(bool(params.group_column))
    texts = texts_of(params, sources, found, enough)
    tokenizer = _tokenizer_for(next(texts, []), tokenizer, str(path))
    for _ in texts:
        pass
    n = len(found.labels)
    made = _understood(params, sources, not_read, found, np.ones(n, np.int64), np.arange(n), tokenizer)
    return made.confirmation + [f"only the first {found.rows.total():,} rows were read"] * (n >= enough)


def _tokenizer_for(texts: Sequence[str], tokenizer: str, path: str) -> str:
    """`tokenizer`, or for `auto` what the script of some texts asks for. Raises `UserError` where words cannot work."""
    letters = "".join(filter(str.isalpha, "".join(texts[:1000])))
    is_unspaced = len(UNSPACED.findall(letters)) > UNSPACED_SHARE * len(letters)
    if tokenizer == "word" and is_unspaced:
        raise UserError(f"{path} has no spaces between words; set data.tokenizer: auto, char, or jieba for Chinese")
    return ("char" if is_unspaced else "word") if tokenizer == "auto" else tokenizer


def _understood(
    params: OwnParams,
    sources: Sequence[Source],
    not_read: Mapping[str, str],
    found: IngestedRows,
    lengths: np.ndarray,
    hashes: np.ndarray,
    tokenizer: str,
) -> Understood:
    """Decide what the labels mean, leave rows out that cannot be used, split the others, and say so."""
    numbers = np.array(found.labels, np.int64)
    of_number = np.bincount(numbers[numbers != NONE], minlength=len(found.places)).tolist()
    names, rule, classes = _meaning(params, sources, found, of_number)
    y = np.append(classes, np.int8(UNLABELLED))[numbers]
    kept = _kept(params, found, y, lengths, hashes)
    train, test, split = _parts(params, found, names, y, kept, hashes)
    unlabelled = _unlabelled(params, sources, found, y, lengths, hashes, kept, test)
    found.left_out = +(found.left_out - Counter({NO_LABEL: len(unlabelled)}))
    counts = np.bincount(y[kept], minlength=len(names)).tolist()
    lines = [
        *_described(sources, found),
        f"labels: {rule}",
        f"reviews: {_counted(names, counts)}",
        f"split: {split}: {len(train):,} training and {len(test):,} test reviews",
        f"tokens: {tokenizer}",
    ]
    if len(unlabelled):
        lines.append(f"without a label: {len(unlabelled):,} reviews, from which only words are learnt")
    for what, some in (("left out", found.left_out), ("changed in reading", found.changes)):
        if some:
            lines.append(f"{what}: " + "; ".join(f"{why} ({count:,})" for why, count in some.most_common()))
    if LEFT_OUT in classes and params.labels is None:
        lines.append("to keep each rating as a class of its own, set data.own.labels: {classes: all}")
    group = find_group(sources[0].table.columns) if sources[0].table else ""
    if group and not found.is_grouped:
        lines.append(f"to keep all reviews of the same {group} on one side, set data.own.group_column: {group}")
    if not_read:
        lines.append("not read: " + "; ".join(f"{name} ({why})" for name, why in not_read.items()))
    return Understood(names, y, train, test, unlabelled, rule, split, lines + _examples(found, names, classes))


def _counted(names: Sequence[str], counts: Sequence[int]) -> str:
    form = "{1:,} {0}" if len(names) == 2 else "{} ({:,})"
    return ", ".join(starmap(form.format, zip(names[:20], counts[:20], strict=True))) + ", …" * (len(names) > 20)


def _kept(params: OwnParams, found: IngestedRows, y: np.ndarray, lengths: np.ndarray, hashes: np.ndarray) -> np.ndarray:
    """The rows that are reviews with a label, ascending; the others are counted, and too many bad ones stop."""
    is_listed = params.labels is not None and params.labels.negative_max is None
    for reason, some in (
        (NO_LABEL, y == UNLABELLED),
        ("a label that is not listed" if is_listed else "between the bounds of the labels", y == LEFT_OUT),
        ("no word in the text", (y >= 0) & (lengths == 0)),
    ):
        found.left_out[reason] += int(some.sum())
    bad, rows = found.bad.total(), found.rows.total()
    allowed = min(MAX_BAD, int(MAX_BAD_SHARE * rows)) if params.max_bad_rows is None else params.max_bad_rows
    if bad > allowed:
        raise UserError(
            f"{params.path}: {bad} of {rows} rows cannot be used{_reasons(found)}; fix them, or set "
            f"data.own.max_bad_rows: {bad} to skip them"
        )
    kept = np.flatnonzero((y >= 0) & (lengths > 0))
    if params.remove_duplicates:
        _, first = np.unique(hashes[kept], return_index=True)
        found.left_out["a duplicate"] = len(kept) - len(first)
        kept = kept[np.sort(first)]
    found.left_out = +(found.left_out + found.bad)
    return kept


def _meaning(
    params: OwnParams, sources: Sequence[Source], found: IngestedRows, of_number: Sequence[int]
) -> tuple[Sequence[str], str, np.ndarray]:
    """The names of the classes, in words what they are, and the class of each label value: int8, or below 0."""
    counts = {name: {value: of_number[n] for value, n in values.items()} for name, values in found.label_values.items()}
    if not counts:
        found.left_out += Counter({NO_LABEL: len(found.labels)})
        raise UserError(f"{params.path}: none of {found.rows.total()} rows is a review with a label{_reasons(found)}")
    try:
        scales = {source.name if source.table else "": source.scale for source in sources}
        meanings = infer_of_tables(counts, scales, params.labels)
        names = next(iter(meanings.values())).names
        require_classes(names, sum(map(Counter, counts.values()), Counter()))
    except UserError as error:
        bad = f"; rows that cannot be used{_reasons(found)}" if found.bad else ""
        raise UserError(f"{params.path}: {error}{bad}") from error
    classes = np.empty(len(found.places), np.int8)
    rules: dict[str, list[str]] = {}
    for name, values in found.label_values.items():
        rules.setdefault(meanings[name].rule, []).append(name)
        for value, number in values.items():
            classes[number] = meanings[name].meaning[value]
            if classes[number] == UNKNOWN_LABEL:
                reason = f"a label that is neither {' nor '.join(names)}"
                found.bad[reason] += of_number[number]
                found.first_seen_at.setdefault(reason, f"{found.places[number]}: {value!r}")
    rule = "; ".join((f"{', '.join(of)}: " if len(rules) > 1 else "") + rule for rule, of in rules.items())
    return names, rule, classes


def _reasons(found: IngestedRows) -> str:
    reasons = (found.bad or found.left_out).most_common(5)
    shown = (
        f"{count} {why}" + f" ({found.first_seen_at[why]})" * (why in found.first_seen_at) for why, count in reasons
    )
    return f": {'; '.join(shown)}" if reasons else ""


def _parts(
    params: OwnParams, found: IngestedRows, names: Sequence[str], y: np.ndarray, kept: np.ndarray, hashes: np.ndarray
) -> tuple[np.ndarray, np.ndarray, str]:
    """The training and the test rows, ascending, and the rule of the split in words."""
    parts, key, share = np.array(found.parts, np.uint8)[kept], "data.own.test_fraction", params.test_fraction
    is_train, is_test, is_validation = (parts == PARTS.index(name) for name in PARTS[1:])
    rule = "as in the tables or folders"
    if is_train.any() and is_validation.any() and not is_test.any():
        is_test, is_validation = is_validation, is_test
        rule += ", with the validation reviews as the test set, for there are no test reviews with labels"
    if is_test.any() and not is_test.all() and (is_train | is_validation).any():
        if not parts.all():
            raise UserError(f"{params.path}: some reviews are in train or test, others in neither; put each in one")
        if validation := int(is_validation.sum()):
            fraction = float(f"{validation / (~is_test).sum():.4g}")
            rule += (
                f"; {validation} validation reviews are the last training reviews; set train.validation_fraction: "
                f"{fraction} to hold these out"
            )
        return kept[~is_test], kept[is_test], rule
    labels = y[kept]
    counts = np.bincount(labels, minlength=len(names))
    least = LEAST if len(names) == 2 else LEAST_OF_MANY
    if counts.min() < least:
        enough = [in_yaml(name) for name, count in zip(names, counts.tolist(), strict=True) if count >= least]
        setting = (
            f", or leave it out: set data.own.labels: {{classes: [{', '.join(enough)}]}}" if len(enough) > 1 else ""
        )
        raise UserError(
            f"{params.path}: reviews with the label {names[int(counts.argmin())]}: {counts.min()}; at least {least} "
            f"are needed, to train, to validate and to test; add some{setting}"
        )
    if params.group_column:
        groups = np.array(found.groups, np.uint64)[kept]
        train, test = split_by_group(labels, groups, share, key)
        rule = (
            f"by {params.group_column}, none of which is on both sides, about {share} of the reviews are the test set"
        )
    elif params.split == "hash":
        train, test = split_by_hash(labels, hashes[kept], share, key)
        rule = f"by a hash of each text within each label, {share} of it are the test set"
    else:
        train, test = split_by_position(labels, share, key)
        rule = f"by position within each label, the last {share} of it are the test set"
    return kept[train], kept[test], rule


def _unlabelled(
    params: OwnParams,
    sources: Sequence[Source],
    found: IngestedRows,
    y: np.ndarray,
    lengths: np.ndarray,
    hashes: np.ndarray,
    kept: np.ndarray,
    test: np.ndarray,
) -> np.ndarray:
    """The rows without a label from which words are learnt, ascending.

    They are text files, or in tables in which other rows have a label, or in `data.own.unlabelled`; but not in a test
    set, in the group of a test review, or with the words of a labelled review.
    """
    of_source = np.array(found.sources)
    by_themselves = {source.name for source in sources if not source.table or source.is_unlabelled}
    used = [number for number, name in enumerate(found.rows) if name in by_themselves]
    is_used = np.isin(of_source, np.append(np.unique(of_source[y != UNLABELLED]), used))
    is_used &= np.isin(found.parts, (PARTS.index(""), PARTS.index("train")))
    is_used &= ~np.isin(hashes, hashes[kept])
    if found.is_grouped:
        groups = np.array(found.groups, np.uint64)
        is_used &= ~np.isin(groups, groups[test])
    rows = np.flatnonzero(is_used & (y == UNLABELLED) & (lengths > 0))
    if params.remove_duplicates:
        rows = rows[np.sort(np.unique(hashes[rows], return_index=True)[1])]
    return rows


def _described(sources: Sequence[Source], found: IngestedRows) -> list[str]:
    """Each of some tables, with its columns; and how many text files there are."""
    lines = []
    tables = [source for source in sources if source.table]
    for source in tables[:MAX_SHOWN]:
        columns = f"text: {', '.join(source.texts)}, label: {source.label or source.label_of_all or 'none'}"
        why = f" ({source.why})" if source.why else ""
        form = described(source.table)  # type: ignore[arg-type]
        lines.append(f"{source.name}: {form}; {found.rows[source.name]:,} rows; {columns}{why}")
    if len(tables) > MAX_SHOWN:
        lines.append(f"and {len(tables) - MAX_SHOWN:,} more tables")
    if len(tables) < len(sources):
        lines.append(f"{len(sources) - len(tables):,} text files, a review each; label: the folder")
    return lines


def _examples(found: IngestedRows, names: Sequence[str], classes: np.ndarray) -> list[str]:
    """Some texts, of different classes first."""
    shown: dict[str, list[str]] = {}
    for number, text in found.examples:
        if classes[number] >= 0:
            shown.setdefault(names[classes[number]], []).append(text)
    examples = sorted((n, name, text) for name, texts in shown.items() for n, text in enumerate(texts))
    return [f"{name} | {text}" for _, name, text in examples[:EXAMPLES]]
