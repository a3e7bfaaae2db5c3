"""Which column of a user-supplied table holds the text and which the label, inferred from its name."""

from collections.abc import Sequence
from pathlib import Path

from imdb_rnn.core.errors import UserError

TEXT = (
    "text", "review", "review_text", "reviewtext", "sentence", "content", "comment", "body",
    "评论", "内容", "文本", "影评", "正文",
)  # fmt: skip
LABEL = ("label", "sentiment", "stars", "rating", "score", "polarity", "标签", "情感", "评分", "星级", "评价")


def find(columns: Sequence[str], names: Sequence[str], path: Path, setting: str) -> str:
    """The one column with one of these names, in upper or lower case.

    Args:
        names: in lower case.
        setting: what names the column where it cannot be inferred.

    Raises:
        UserError: when there is none, or more than one.
    """
    found = [column for column in columns if column.strip().lower() in names]
    if len(columns) == 1 and ";" in columns[0]:
        raise UserError(f"{path}: fields are separated by ';'; save the file with commas")
    if len(found) != 1:
        candidates = f"candidates: {', '.join(found)}" if found else f"columns: {listed(columns)}"
        raise UserError(f"{path}: cannot tell which column to use ({candidates}); set {setting}")
    return found[0]


def require(columns: Sequence[str], wanted: Sequence[str], path: Path) -> None:
    """Raise a `UserError` that names the first wanted column that is missing."""
    missing = [name for name in wanted if name not in columns]
    if missing:
        raise UserError(f"{path} has no column {missing[0]!r}; it has {listed(columns)}")


def listed(columns: Sequence[str]) -> str:
    """Columns for a message, which stays one line of readable length."""
    shown = ", ".join(column[:40] for column in columns[:12]) + (", …" if len(columns) > 12 else "")
    return " ".join(shown.split()) or "none"
