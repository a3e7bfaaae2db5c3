"""The parameters of `params.yaml`: names, types, ranges and defaults, all checked before a stage does any work.

Presets change the defaults, and Python callers get them. `params.yaml` states every value, so that a reader and
`dvc params diff` see it.
"""

import json
import re
import reprlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError

RENAMED = {  # an old key, and the new one with its values
    "data.tokens": "data.tokenizer: auto, word, char or jieba",
    "data.keras.word_index_md5": "data.keras.word_index_sha256",
    "model.word_vectors": "model.embeddings: learned or ppmi_svd",
    "model.embedding_dropout": "model.word_dropout",
}
RENAMED_VALUES = {  # a key, its old values, and the new ones
    "data.tokenizer": {"words": "word", "characters": "char"},
    "model.embeddings": {"trained": "learned", "counted": "ppmi_svd"},
}


def _rule(value: Any) -> Any:
    """What the threshold is chosen for: a score, or a precision that is to be reached."""
    wanted = value.get("precision") if isinstance(value, dict) and len(value) == 1 else None
    if value in (None, *THRESHOLD_RULES) or (isinstance(wanted, float) and 0 < wanted < 1):
        return value
    raise ValueError(f"choose null, {', '.join(THRESHOLD_RULES)} or {{precision: 0.9}}, a number above 0 and below 1")


def _in_folder(folder: Path) -> AfterValidator:
    """DVC watches that folder and no other place."""

    def check(path: str) -> str:
        parts = PurePosixPath(path).parts
        if parts[: len(folder.parts)] != folder.parts or ".." in parts:
            raise ValueError(f"{path!r} is not in {folder}; put the file, or a link to it, into {folder}")
        return path

    return AfterValidator(check)


OwnPath = Annotated[str, _in_folder(files.OWN)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Rate = Annotated[float, Field(ge=0, lt=1)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Url = Annotated[str, Field(pattern=r"^(https?|file)://.+")]
SourceName = Literal["bundled", "keras", "own"]
Tokenizer = Literal["word", "char", "jieba"]
TokenizerChoice = Literal["auto", "word", "char", "jieba"]
Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
THRESHOLD_RULES = ("accuracy", "f1", "balanced_accuracy")
Column = Annotated[str, Field(min_length=1)]


class Section(BaseModel):
    """One group of parameters: no unknown keys, no silent conversion, no change after reading."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False, hide_input_in_errors=True)


SectionType = TypeVar("SectionType", bound=Section)


class BundledParams(Section):
    test_fraction: Fraction


class KerasParams(Section):
    url: Url
    sha256: Sha256
    word_index_url: Url
    word_index_sha256: Sha256


class LabelParams(Section):
    """Lists of values, or bounds of a rating between which reviews are left out, or the values that are a class each.

    classes: a list of values in their order, or `all`
    """

    negative: list[Any] | None = None
    positive: list[Any] | None = None
    negative_max: float | None = None
    positive_min: float | None = None
    classes: list[Any] | str | None = None

    @model_validator(mode="after")
    def _lists_or_bounds(self) -> "LabelParams":
        lists, bounds = (self.negative, self.positive), (self.negative_max, self.positive_min)
        none = (None, None)
        ways = (all(lists) and bounds == none, None not in bounds and lists == none, lists == bounds == none)
        if not any(ways) or ways[2] != (self.classes is not None):
            raise ValueError(
                "give negative and positive, lists of values, or negative_max and positive_min, two numbers, or classes"
            )
        if self.classes not in (None, "all") and (isinstance(self.classes, str) or len(self.classes or ()) < 2):
            raise ValueError("classes should be all, or a list of two values or more")
        if self.negative_max is not None and self.negative_max >= self.positive_min:  # type: ignore[operator]
            raise ValueError("negative_max should be below positive_min")
        values = [str(value) for value in (*(self.negative or ()), *(self.positive or ()))]
        values += [str(value) for value in self.classes or ()] * (self.classes != "all")
        if len(set(values)) < len(values):
            raise ValueError("a value is listed twice")
        return self


class OwnParams(Section):
    path: OwnPath = str(files.OWN)
    unlabelled: OwnPath | None = None
    text_columns: list[Column] | None = None
    label_column: Column | None = None
    labels: LabelParams | None = None
    split_column: Column | None = None
    group_column: Column | None = None
    split: Literal["position", "hash"] = "position"
    test_fraction: Fraction = 0.2
    remove_duplicates: bool = False
    max_bad_rows: Annotated[int, Field(ge=0)] | None = None


class DataParams(Section):
    """The source, and a group of parameters for each source, with the same name."""

    source: SourceName
    tokenizer: TokenizerChoice
    bundled: BundledParams
    keras: KerasParams
    own: OwnParams

    @model_validator(mode="after")
    def _keras_has_words(self) -> "DataParams":
        if self.source == "keras" and self.tokenizer not in ("auto", "word"):
            raise ValueError("source: keras has word ids and no text; set tokenizer: auto")
        return self

    def of_source(self) -> Any:
        """The group of the chosen source."""
        return getattr(self, self.source)


class PadParams(Section):
    vocab_size: Annotated[int, Field(ge=5, le=1_000_000)] = 10_000
    maxlen: Annotated[int, Field(ge=2, le=10_000)] = 500
    padding: Literal["pre", "post"] = "pre"
    truncating: Literal["pre", "post"] = "pre"


class ModelParams(Section):
    cell: Literal["simple_rnn", "lstm", "gru"] = "simple_rnn"
    layers: Annotated[int, Field(ge=1, le=16)] = 1
    bidirectional: bool = False
    embedding_dim: Annotated[int, Field(ge=1, le=4096)] = 32
    embeddings: Literal["learned", "ppmi_svd"] = "learned"
    units: Annotated[int, Field(ge=1, le=4096)] = 32
    pooling: Literal["last", "max", "mean", "max+mean"] = "last"
    ngrams: Annotated[int, Field(ge=0, le=3)] = 0
    ngram_min_reviews: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    word_dropout: Rate = 0.0
    dropout: Rate = 0.0
    mask_padding: bool = True


class TrainParams(Section):
    engine: Literal["compiled", "keras"] = "compiled"
    epochs: Annotated[int, Field(ge=1, le=1000)] = 10
    batch_size: Annotated[int, Field(ge=1, le=100_000)] = 128
    optimizer: Literal["adam", "rmsprop", "sgd"] = "adam"
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 0.001
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    clipnorm: Annotated[float, Field(gt=0)] | None = 1.0
    class_weight: Literal["balanced"] | None = None
    weight_averaging: Fraction | None = None
    patience: Annotated[int, Field(ge=1, le=1000)] | None = None
    validation: Literal["holdout", "test"] = "holdout"
    validation_fraction: Fraction = 0.1
    start_from: Annotated[str, _in_folder(files.START)] | None = None
    folds: Annotated[int, Field(ge=2, le=20)] | None = None
    threshold: Annotated[str | dict[str, float] | None, BeforeValidator(_rule)] = None
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 42

    @model_validator(mode="after")
    def _the_test_set_never_stops_training(self) -> "TrainParams":
        if self.patience and self.validation == "test":
            raise ValueError("with validation: test, patience must be null; the test reviews must not choose the epoch")
        return self

    @model_validator(mode="after")
    def _folds_choose_the_threshold(self) -> "TrainParams":
        if self.threshold and not self.folds:
            raise ValueError("threshold is chosen on folds; set folds to a number, such as 3, or threshold to null")
        return self


def _keras_is_plain(settings: Any) -> Any:
    plain: dict[str, Any] = {"model.ngrams": 0, "model.word_dropout": 0, "model.embeddings": "learned"}
    plain |= {"train.folds": None, "train.start_from": None}
    for key, value in plain.items() if settings.train.engine == "keras" else ():
        section, name = key.split(".")
        found = getattr(getattr(settings, section), name)
        if found != value:
            raise ValueError(
                f"{key} is {found!r}, which the engine keras does not have; "
                f"set it to {'null' if value is None else value}, or train.engine to compiled"
            )
    return settings


check_engine: Any = model_validator(mode="after")(_keras_is_plain)  # for a class with the fields `model` and `train`


class ExplainParams(Section):
    reviews: Annotated[int, Field(ge=1, le=1_000_000)]


class PlotsParams(Section):
    language: Language


class Params(Section):
    data: DataParams
    pad: PadParams
    model: ModelParams
    train: TrainParams
    explain: ExplainParams
    plots: PlotsParams
    _check_engine = check_engine


def parse_yaml(text: str, path: Path) -> object:
    """Read YAML 1.2 with DVC's own reader. Raises `UserError`, naming `path`, when it is not valid."""
    try:
        return YAML(typ="safe", pure=True).load(text)
    except Exception as error:  # not YAMLError alone: ValueError for 2001-99-99, RecursionError for 1000 brackets
        why = str(error)
        if isinstance(error, MarkedYAMLError) and error.problem_mark:
            why = re.sub('(?s)found duplicate key "(.*?)" with.*', r"duplicate key '\1'", error.problem or "")
            why = f"line {error.problem_mark.line + 1}: {why}"
        raise UserError(f"{path}: not valid YAML: {' '.join(why.split())[:300]}") from error


def in_yaml(value: str) -> str:
    """A text as it is written in a list of `params.yaml`: in quotes where it needs them."""
    return value if re.fullmatch(r"[^\W\d_](?:[\w .()/-]*[\w)])?", value) else json.dumps(value, ensure_ascii=False)


def value_of(key: str, values: object) -> object:
    """The value of a dotted key in what `parse_yaml` read, None where there is none.

    Args:
        key: `pad.maxlen`, `train`; it may hold the value of another, as in `data.${data.source}`.
    """
    value = values
    for name in re.sub(r"\$\{(.+?)\}", lambda inner: str(value_of(inner[1], values)), key).split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def validate(model: type[SectionType], values: object, path: Path, *above: str, complete: bool = False) -> SectionType:
    """Check values against their model.

    Args:
        values: what `parse_yaml` read from `path`, below the keys `above`.
        complete: whether a missing key is a fault although it has a default.

    Raises:
        UserError: one line per fault, naming file and key, what was found and what is allowed.
    """
    faults = _missing(model, values, above) if complete else []
    try:
        section = model.model_validate(values)
    except ValidationError as error:
        others = (_fault(model, details, above) for details in error.errors())
        faults += [fault for fault in others if fault not in faults]
    renamed = {f"{new.split(':')[0]} is missing" for old, new in RENAMED.items() if value_of(old, values) is not None}
    faults = [fault for fault in faults if fault not in renamed]
    if faults:
        raise UserError("\n".join(f"{path}: {' '.join(fault.split())}" for fault in faults))
    return section


def _missing(model: type[Section], values: object, above: tuple[str, ...]) -> list[str]:
    if not isinstance(values, Mapping):
        return []
    missing = []
    for name, field in model.model_fields.items():
        if name not in values:
            missing.append(f"{'.'.join([*above, name])} is missing")
        elif isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            missing += _missing(field.annotation, values[name], (*above, name))
    return missing


def _fault(model: type[Section], details: Any, above: tuple[str, ...]) -> str:
    key = ".".join([*above, *map(str, details["loc"])]) or "the whole file"
    parameter = key.removeprefix(".".join(above[:1]) + ".")  # without the name of a preset
    kind, found = details["type"], details["input"]
    if kind == "missing":
        return f"{key} is missing"
    if kind == "extra_forbidden":
        if parameter in RENAMED:
            return f"{key} is now {RENAMED[parameter]}"
        section: Any = model
        for name in details["loc"][:-1]:
            inner = section.model_fields[name].annotation
            section = next((part for part in get_args(inner) if part is not type(None)), inner)  # of `Section | None`
        return f"{key} is not a parameter; allowed here: {', '.join(section.model_fields)}"
    if kind == "value_error":
        fault = str(details["ctx"]["error"])
        return f"{key}: {fault}" if above or details["loc"] else fault
    if isinstance(found, str) and found in RENAMED_VALUES.get(parameter, {}):
        return f"{key}: {found} is now {RENAMED_VALUES[parameter][found]}"
    shortened = reprlib.Repr()  # aliases can make a few lines of YAML into a value that fills the memory when printed
    shortened.maxlevel, shortened.maxstring, shortened.maxother = 2, 200, 200
    value = shortened.repr(found)
    if kind == "model_type":
        return f"{key} is {value}, it should be a mapping of keys to values"
    message = details["msg"].replace("Input should", "it should").replace("String should", "it should")
    return f"{key} is {value}, {message}"


def parse_params(text: str) -> Params:
    """Check the text of a parameter file, which has to state every value.

    Raises:
        UserError: as `parse_yaml` and `validate` do.
    """
    return validate(Params, parse_yaml(text, files.PARAMS), files.PARAMS, complete=True)


def load_params(root: Path) -> Params:
    """Read and check `params.yaml` in the project's folder. Raises `UserError` as `parse_params` does."""
    return parse_params(files.read_text(root / files.PARAMS))
