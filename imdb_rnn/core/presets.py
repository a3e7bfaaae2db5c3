"""Named settings, and how values are written into the text of `params.yaml`, whose comments stay."""

import io
from collections.abc import Mapping
from pathlib import Path

from ruamel.yaml import YAML

from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import (
    ModelParams,
    PadParams,
    Section,
    SourceName,
    TokenizerChoice,
    TrainParams,
    check_engine,
    parse_params,
    parse_yaml,
    validate,
)

PRESETS_FILE = Path("presets.yaml")


class PresetData(Section):
    """What a preset may change in `data`; None leaves it as it is."""

    source: SourceName | None = None
    tokenizer: TokenizerChoice | None = None


class Preset(Section):
    """Whole settings: the defaults, and what the preset changes of them."""

    data: PresetData = PresetData()
    pad: PadParams = PadParams()
    model: ModelParams = ModelParams()
    train: TrainParams = TrainParams()
    _check_engine = check_engine


def preset(text: str, name: str) -> Preset:
    """Return a preset.

    Args:
        text: of `presets.yaml`.

    Raises:
        UserError: when there is no such preset, or it is not one.
    """
    presets = parse_yaml(text, PRESETS_FILE)
    if not isinstance(presets, dict):
        raise UserError(f"{PRESETS_FILE}: it should be a mapping of names to presets")
    if name not in presets:
        raise UserError(f"there is no preset {name!r} in {PRESETS_FILE}; it has {', '.join(map(str, presets))}")
    return validate(Preset, presets[name], PRESETS_FILE, name)


def editor() -> YAML:
    """A reader and writer of YAML that keeps comments and order."""
    yaml_file = YAML()
    yaml_file.width = 4096
    yaml_file.representer.add_representer(
        type(None), lambda writer, _: writer.represent_scalar("tag:yaml.org,2002:null", "null")
    )
    return yaml_file


def edit(params: str, values: Mapping) -> str:
    """Return the text of a parameter file with other values; comments and what `values` does not name stay.

    Args:
        values: as in the file, sections with their names and values.

    Raises:
        UserError: when the parameters are not valid, before or with these values.
    """
    parse_params(params)
    yaml_file = editor()
    document = yaml_file.load(params)

    def put(section: dict, values: Mapping) -> None:
        for name, value in values.items():
            if isinstance(value, Mapping) and isinstance(section.get(name), Mapping):
                put(section[name], value)
            elif name not in section or section[name] != value:
                section[name] = value

    put(document, values)
    stream = io.StringIO()
    yaml_file.dump(document, stream)
    parse_params(stream.getvalue())
    return stream.getvalue()


def apply(chosen: Preset, params: str) -> str:
    """Return the text of a parameter file with the values of a preset. Raises `UserError` as `edit` does."""
    parse_params(params)
    try:
        return edit(params, chosen.model_dump() | {"data": chosen.data.model_dump(exclude_none=True)})
    except UserError as error:
        raise UserError(f"nothing was written, because with this preset {error}") from error
