"""What the file of a model says about the model besides its arrays; read without the engine, which is slow to load."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from safetensors import SafetensorError, safe_open

from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import Fraction, ModelParams, PadParams, Tokenizer
from imdb_rnn.text.corpus import Labels
from imdb_rnn.text.profiles import Profile, bins
from imdb_rnn.text.vocabulary import RANK_OFFSET

KEY = "imdb_rnn"  # the only entry: with several, the order of safetensors' bytes changes from run to run


class Metadata(BaseModel):
    """What the file says about the model besides its arrays."""

    model_config = ConfigDict(extra="forbid", strict=True)
    model: ModelParams
    pad: PadParams
    tokenizer: Tokenizer
    labels: Labels
    best_epoch: Annotated[int, Field(ge=1)]
    threshold: Fraction = 0.5
    profile: Profile | None = None
    provenance: dict[str, Any]
    vocabulary: list[str]


@contextmanager
def opened(path: Path, stage: str) -> Iterator[Any]:
    """Open the file of a model for the body, which reads and checks it.

    Raises:
        UserError: when `path`, which `stage` wrote, is missing or cannot be read, or the body raises a ValueError.
    """
    files.require(path, stage)
    try:
        with safe_open(path, framework="numpy") as file:
            yield file
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror or error})") from error
    except (SafetensorError, ValueError) as error:
        raise files.damaged(path, stage, error) from error


def parse(file: Any) -> Metadata:
    """The metadata of an opened file. Raises ValueError when they are missing, or not those of a model."""
    about = Metadata.model_validate_json((file.metadata() or {}).get(KEY, ""))
    if not 0 < len(about.vocabulary) < about.pad.vocab_size - RANK_OFFSET:
        raise ValueError(f"its vocabulary has {len(about.vocabulary)} words")
    if about.profile:
        sizes = {name: len(counts) for name, counts in about.profile.items()}
        if sizes != bins(len(about.labels)) or not all(sum(c) > 0 and min(c) >= 0 for c in about.profile.values()):
            raise ValueError("its profile does not count texts")
    return about
