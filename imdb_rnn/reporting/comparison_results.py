"""How far back the networks of the comparison remember, as `make compare` writes it and the page shows it."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from imdb_rnn.core.errors import UserError
from imdb_rnn.evaluation.results import CLASSES, Result, Share


class NetworkSensitivity(Result):
    """How far back one network remembers.

    Half-lives are by window, in words, and then by seed; the rest is means over the seeds.
    """

    half_life_words: dict[str, Annotated[list[Annotated[float, Field(ge=0)] | None], Field(min_length=1)]]
    gradient: list[Annotated[float, Field(ge=0)]]
    last_words: dict[str, Share]


class SharedTrace(Result):
    """A review that every network of the comparison read, with the probability of each network after each word.

    It is the probability of a positive review, of more than two classes that of the label.
    """

    review: Annotated[int, Field(ge=0)]
    label: Annotated[int, Field(ge=0)]
    kind: Literal["correct", "wrong", "divided"]
    words: list[str]
    known: list[bool]
    probability: dict[str, list[Share]]


class Comparison(Result):
    """`labels` are the names of the classes."""

    source: str
    labels: tuple[str, ...] = CLASSES
    networks: dict[str, NetworkSensitivity]
    traces: list[SharedTrace]


def read_comparison(path: Path) -> Comparison:
    """Read what the networks of the comparison remember. Raises `UserError` when it is missing or damaged."""
    try:
        return Comparison.model_validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path} cannot be read ({reason}); `git checkout {path}` or run `make compare`") from error
