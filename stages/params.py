"""The parameters of `params.yaml`: their names, types and ranges, checked whole before a stage does any work."""

import re
import reprlib
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from stages import errors
from stages.errors import UserError

PARAMS_FILE = Path("params.yaml")

Fraction = Annotated[float, Field(gt=0, lt=1)]
Share = Annotated[float, Field(ge=0, lt=1)]
Url = Annotated[str, Field(pattern=r"^(https?|file)://.+")]


_shortened = reprlib.Repr()  # aliases can make a few lines of YAML into a value that fills the memory when written out
_shortened.maxlevel, _shortened.maxstring, _shortened.maxother = 2, 200, 200


class Section(BaseModel):
    """One group of parameters: no unknown keys, no silent conversion, no change after reading."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False, hide_input_in_errors=True)


SectionType = TypeVar("SectionType", bound=Section)


class DataParams(Section):
    source: Literal["bundled", "keras"]
    test_fraction: Fraction
    url: Url
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    word_index_url: Url
    word_index_md5: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]


class PadParams(Section):
    vocab_size: Annotated[int, Field(ge=4, le=1_000_000)]
    maxlen: Annotated[int, Field(ge=1, le=10_000)]
    padding: Literal["pre", "post"]
    truncating: Literal["pre", "post"]


class ModelParams(Section):
    cell: Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")]  # `network.CELLS` knows which there are
    layers: Annotated[int, Field(ge=1, le=16)]
    bidirectional: bool
    embedding_dim: Annotated[int, Field(ge=1, le=4096)]
    units: Annotated[int, Field(ge=1, le=4096)]
    pooling: Literal["last", "max", "mean", "max+mean"]
    ngrams: Annotated[int, Field(ge=0, le=3)]
    embedding_dropout: Share
    dropout: Share
    mask_padding: bool


class TrainParams(Section):
    epochs: Annotated[int, Field(ge=1, le=1000)]
    batch_size: Annotated[int, Field(ge=1, le=100_000)]
    optimizer: Literal["adam", "rmsprop", "sgd"]
    learning_rate: Annotated[float, Field(gt=0, le=1)]
    schedule: Literal["constant", "linear", "cosine"]
    clipnorm: Annotated[float, Field(gt=0)] | None
    weight_averaging: Fraction | None
    patience: Annotated[int, Field(ge=1, le=1000)] | None
    validation: Literal["holdout", "test"]
    validation_fraction: Fraction
    seed: Annotated[int, Field(ge=0, lt=2**32)]

    @model_validator(mode="after")
    def _the_test_set_never_stops_training(self) -> "TrainParams":
        if self.patience and self.validation == "test":
            raise ValueError("with validation: test, patience must be null; the test reviews must not choose the epoch")
        return self


class ExplainParams(Section):
    reviews: Annotated[int, Field(ge=1, le=1_000_000)]


class PlotsParams(Section):
    language: Literal["en", "zh"]


class Params(Section):
    data: DataParams
    pad: PadParams
    model: ModelParams
    train: TrainParams
    explain: ExplainParams
    plots: PlotsParams


_loaded: Params | None = None  # by this process


class _Loader(yaml.SafeLoader):
    """PyYAML reads YAML 1.1, where `1e-3` is a string and `010` is 8; DVC reads 1.2: 0.001 and 10. So do we."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$"),
    list("-+.0123456789"),
)
_Loader.add_constructor(
    "tag:yaml.org,2002:int",
    lambda _, node: int(node.value, 0 if re.match("[-+]?0[bx]", node.value) else 10),
)
_Loader.add_constructor(  # 1.1 has `yes`, `off` and the like besides
    "tag:yaml.org,2002:bool",
    lambda _, node: {"true": True, "false": False}.get(node.value.lower(), node.value),
)


def parse_yaml(text: str, path: Path) -> object:
    """Read YAML 1.2 as DVC does. Raises `UserError`, naming `path`, if it is none."""
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506, a SafeLoader
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # a date of no calendar, 3000 brackets
        raise UserError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error


def check(model: type[SectionType], values: object, path: Path, *above: str) -> SectionType:
    """Check values against a model of theirs.

    Args:
        values: what `parse_yaml` read from `path`, below the keys `above`.

    Raises:
        UserError: one line for each fault, naming file and key, what was found and what is allowed.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        lines = (f"{path}: {_fault(model, details, above)}" for details in error.errors())
        raise UserError("\n".join(lines)) from error


def _fault(model: type[Section], details: dict, above: tuple[str, ...]) -> str:
    key = ".".join([*above, *map(str, details["loc"])]) or "the whole file"
    if details["type"] == "missing":
        return f"{key} is missing"
    if details["type"] == "extra_forbidden":
        section = model.model_fields.get(str(details["loc"][0])) if len(details["loc"]) > 1 else None
        allowed = (section.annotation if section else model).model_fields
        return f"{key} is not a parameter; allowed here: {', '.join(allowed)}"
    if details["type"] == "value_error":
        return f"{key}: {details['ctx']['error']}"
    found = _shortened.repr(details["input"])
    if details["type"] == "model_type":
        return f"{key} is {found}, it should be a mapping of keys to values"
    message = details["msg"].replace("Input should", "it should").replace("String should", "it should")
    return f"{key} is {found}, {message}"


def parse_params(text: str) -> Params:
    """Check the text of a parameter file. Raises `UserError` as `parse_yaml` and `check` do."""
    return check(Params, parse_yaml(text, PARAMS_FILE), PARAMS_FILE)


def read_text(path: Path) -> str:
    """Read a file of the project's top folder. Raises `UserError` when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(f"{path}: cannot be read ({reason}); run from the project's top folder") from error


def load_params() -> Params:
    """Read and check `params.yaml` in the current folder, and see to `check_unchanged` at the end of the stage.

    Raises:
        UserError: as `parse_params` does.
    """
    global _loaded
    _loaded = parse_params(read_text(PARAMS_FILE))
    errors.AT_THE_END.append(check_unchanged)
    return _loaded


def check_unchanged() -> None:
    """Raise a `UserError` if `params.yaml` is not what `load_params` read.

    DVC reads it after the stage, and would note the new values for what was made with the old ones.
    """
    if parse_params(read_text(PARAMS_FILE)) != _loaded:
        raise UserError(f"{PARAMS_FILE} was edited while this ran; run the same again")
