"""Which column of people's own tables holds what, told by its name where they do not say it."""

from collections.abc import Sequence
from pathlib import Path

from imdb_rnn.core.errors import UserError

TEXT = (
    "text", "review", "review_text", "reviewtext", "sentence", "content", "comment", "body",
    "评论", "内容", "文本", "影评", "正文",
)  # fmt: skip
LABEL = ("label", "sentiment", "stars", "rating", "score", "polarity", "标签", "情感", "评分", "星级", "评价")


def find(columns: Sequence[str], names: Sequence[str], path: Path, say: str) -> str:
    """The one column with one of these names, in upper or lower case.

    Args:
        names: in lower case.
        say: what the user sets to say it.

    Raises:
        UserError: when there is none, or more than one.
    """
    found = [column for column in columns if column.strip().lower() in names]
    if len(columns) == 1 and ";" in columns[0]:
        raise UserError(f"{path}: its fields are parted by ; and those of a .csv should be by commas; save it so")
    if len(found) != 1:
        which = f"could be {', '.join(found)}" if found else f"is not clear from the names: {listed(columns)}"
        raise UserError(f"{path}: which column to read {which}; say it by {say}")
    return found[0]


def require(columns: Sequence[str], wanted: Sequence[str], path: Path) -> None:
    """Raise a `UserError` that names the first column which is wanted and not there."""
    missing = [name for name in wanted if name not in columns]
    if missing:
        raise UserError(f"{path} has no column {missing[0]!r}; it has {listed(columns)}")


def listed(columns: Sequence[str]) -> str:
    """Columns for a message, which stays one line of readable length."""
    shown = ", ".join(column[:40] for column in columns[:12]) + (", …" if len(columns) > 12 else "")
    return " ".join(shown.split()) or "none"
