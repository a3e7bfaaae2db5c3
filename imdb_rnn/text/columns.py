"""Which columns of a user-supplied table hold text, label and split: by their names, then by their content."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import in_yaml
from imdb_rnn.text.labels import canonical, infer_label_mapping

# A name counts whole (`Review Text` is review_text), or by its last word, which says what is meant: `airline_sentiment`
# is a sentiment, `rating_service` is no rating. Chinese names are compared by their ends, for they have no blanks.
TEXT = (
    "text", "review", "reviews", "review_text", "review_body", "review_content", "sentence", "content",
    "contents", "comment", "comments", "body", "tweet", "message", "utterance", "document", "reviewbody",
    "reviewtext", "评论", "内容", "文本", "影评", "正文", "评语", "留言",
)  # fmt: skip
LABEL = (
    "label", "labels", "sentiment", "polarity", "target", "stars", "star", "rating", "ratings", "score",
    "overall", "cats", "class", "y", "标签", "情感", "倾向", "极性", "评分", "打分", "星级", "星", "分数",
    "类别", "评价",
)  # fmt: skip
LESS = (
    "category", "classification", "recommended", "recommend", "recommendation", "feedback", "emotion", "liked",
    "feeling", "intent", "voted_up", "推荐",
)  # fmt: skip
SPLIT = ("split", "set", "subset", "fold", "partition", "part")
GROUP = (
    "product_id", "productid", "asin", "product", "item_id", "business_id", "movie", "movie_id", "movie_name",
    "film", "film_id", "title_id", "app_id", "app_name", "hotel", "hotel_name", "clothing_id", "user_id",
    "userid", "author", "drugname", "商品", "商品名称", "电影", "电影名", "影片",
)  # fmt: skip
PARTS = {"train": "train", "training": "train", "test": "test", "testing": "test"} | dict.fromkeys(
    ("dev", "val", "valid", "validation"), "validation"
)
FILLERS = ("ind", "index", "flag", "cn", "zh", "en", "value", "clean", "cleaned")  # endings that mean nothing
MAX_VALUES = 20  # a column with more different values is no label, unless its name says so
NUMBER = re.compile(
    r"[-+]?[\d.,:/%\s-]+(?:[eE][-+]?\d+)?|(?:https?://|www\.)\S+|[0-9a-f-]{16,}"
)  # or an address, or a key
MUCH_LONGER = 2  # as long as other texts, so that it is the text without a name that says so


class NoColumnError(UserError):
    """A table lacks a column: among other tables, it may be no table of reviews."""


class Facts(NamedTuple):
    """Of a column in some rows: how many cells are filled, their values, letters a cell, whether they are numbers."""

    filled: int
    values: Counter[str]
    letters: float
    is_number: bool

    @property
    def is_text(self) -> bool:
        return not self.is_number and len(self.values) > max(2, self.filled / 3) and self.letters >= 4

    @property
    def is_label(self) -> bool:
        return 2 <= len(self.values) <= min(MAX_VALUES, self.filled / 2)


def find_text(columns: Sequence[str], rows: Sequence[Mapping[str, Any]], place: str, setting: str) -> tuple[str, str]:
    """The column of the texts, and how it was recognised.

    Args:
        rows: some of the table, by column.
        place: the table, for messages.
        setting: what names the column where it cannot be told, `data.own.text_columns`.

    Raises:
        UserError: when several columns could be it; a `NoColumnError` when none could.
    """
    facts = _facts_of(rows)
    for named in _by_name(columns, TEXT):
        if len(named) > 1:
            named = [name for name in named if facts(name).is_text] or named
        if len(named) == 1 and (_is_whole(named[0], TEXT) or facts(named[0]).is_text):
            return named[0], "by name"
        if len(named) > 1:
            raise unclear(place, "text", named, columns, setting)
    texts = sorted((name for name in columns if facts(name).is_text), key=lambda name: -facts(name).letters)
    if not texts:
        raise unclear(place, "text", [], columns, setting)
    if len(texts) > 1 and facts(texts[0]).letters < MUCH_LONGER * facts(texts[1]).letters:
        raise unclear(place, "text", texts, columns, setting)
    return texts[0], "by content"


def find_label(
    columns: Sequence[str], rows: Sequence[Mapping[str, Any]], texts: Sequence[str], place: str
) -> tuple[str, str]:
    """The column of the labels, and how it was recognised; empty if there is none.

    Args:
        columns, rows, place: as in `find_text`.
        texts: columns that are not it.

    Raises:
        UserError: when several columns could be it.
    """
    columns = [name for name in columns if name not in texts]
    facts = _facts_of(rows)
    for names in (LABEL, LESS):
        for named in _by_name(columns, names):
            if not _is_whole(named[0], names) or len(named) > 1:
                named = [name for name in named if _could_be_label(facts(name))] or (named if len(named) > 1 else [])
            if len(named) == 1:
                return named[0], "by name"
            if named:
                raise unclear(place, "label", named, columns)
    few = [name for name in columns if facts(name).is_label and not set(facts(name).values) <= set(PARTS)]
    clear = [name for name in few if _is_clear(facts(name))]
    if len(few) > 1 and len(clear) != 1:
        raise unclear(place, "label", clear or few, columns)
    return (*(clear or few), "")[0], "by content"


def find_split(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """The column that says train or test in each of some rows; empty if there is none."""
    for name in columns:
        values = {canonical(row.get(name)).lower() for row in rows}
        if _words(name)[-1:] and _words(name)[-1] in SPLIT and values and values <= set(PARTS):
            return name
    return ""


def find_group(columns: Sequence[str]) -> str:
    """The first column that by its name says what is reviewed, or by whom; empty if there is none."""
    return next((name for named in _by_name(columns, GROUP) for name in named), "")


def unclear(
    place: str,
    what: str,
    candidates: Sequence[str],
    columns: Sequence[str],
    setting: str = "data.own.label_column",
) -> UserError:
    """The line for a table whose columns cannot be told apart, with the setting that tells."""
    start = f"{place}: cannot tell which column to use as the {what}"
    if not candidates:
        return NoColumnError(f"{start} (columns: {listed(columns)}); name it in {setting}")
    value = in_yaml(candidates[0])
    example = setting if setting[0] == "-" else f"for example {setting}: {f'[{value}]' if what == 'text' else value}"
    return UserError(f"{start} (candidates: {listed(candidates)}); set {example}")


def require(columns: Sequence[str], wanted: Iterable[str], path: Path | str) -> None:
    """Raise a `NoColumnError` that names the first wanted column that is missing."""
    missing = [name for name in wanted if name not in columns]
    if missing:
        raise NoColumnError(f"{path} has no column {missing[0]!r}; it has {listed(columns)}")


def listed(columns: Sequence[str]) -> str:
    """Columns for a message, which stays one line of readable length."""
    shown = ", ".join(column[:40] for column in columns[:12]) + (", …" if len(columns) > 12 else "")
    return " ".join(shown.split()) or "none"


def _facts_of(rows: Sequence[Mapping[str, Any]]) -> Callable[[str], Facts]:
    """A function that tells what the cells of a column are like."""

    @cache
    def facts(name: str) -> Facts:
        cells = [str(row[name]).strip() for row in rows if canonical(row.get(name))]
        letters = sum(map(str.isalpha, "".join(cell[:1000] for cell in cells)))
        numbers = sum(bool(NUMBER.fullmatch(cell)) for cell in cells)
        values = Counter(canonical(row.get(name)).casefold() for row in rows)
        values.pop("", None)
        return Facts(len(cells), values, letters / max(1, len(cells)), numbers > len(cells) / 2)

    return facts


def _could_be_label(column: Facts) -> bool:
    return column.is_label or (column.is_number and len(column.values) > 1)


def _is_clear(column: Facts) -> bool:
    try:
        return infer_label_mapping(column.values, None).is_sure
    except UserError:
        return False


def _by_name(columns: Sequence[str], names: Sequence[str]) -> list[list[str]]:
    """Columns that are named like one of `names`, and then those that end like one."""
    whole = [name for name in columns if _is_whole(name, names)]
    ending = [name for name in columns if name not in whole and _ends(_words(name), names)]
    return [found for found in (whole, ending) if found]


def _is_whole(column: str, names: Sequence[str]) -> bool:
    return "_".join(_words(column)) in names


def _ends(words: list[str], names: Sequence[str]) -> bool:
    last = words[-1] if words else ""
    return last in names or any(last.endswith(name) for name in names if not name.isascii())


def _words(name: str) -> list[str]:
    """`Review Text`, `reviewText` and `review.text` are review and text."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", unicodedata.normalize("NFKC", name))
    words = [word for word in re.split(r"[\W_]+", name.casefold()) if word]
    while len(words) > 1 and words[-1] in FILLERS:
        words.pop()
    return words
