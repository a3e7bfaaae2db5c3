"""Named settings: `python -m tools.preset NAME` writes one of `presets.yaml` to `params.yaml`, whose comments stay."""

import io
import sys
from pathlib import Path

from ruamel.yaml import YAML

from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError, run_command
from imdb_rnn.core.params import (
    DataParams,
    ModelParams,
    PadParams,
    Section,
    TokenizerChoice,
    TrainParams,
    check_engine,
    parse_params,
    parse_yaml,
    validate,
)

PRESETS_FILE = Path("presets.yaml")
Source = DataParams.model_fields["source"].annotation


class PresetData(Section):
    """What a preset may change in `data`; None leaves it as it is."""

    source: Source | None = None
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


def apply(chosen: Preset, params: str) -> str:
    """Return the text of a parameter file with the values of a preset; comments and other values stay.

    Raises:
        UserError: when the parameters are not valid, before or with the preset.
    """
    parse_params(params)
    yaml_file = editor()
    document = yaml_file.load(params)
    values = chosen.model_dump() | {"data": chosen.data.model_dump(exclude_none=True)}
    for section, names in values.items():
        for name, value in names.items():
            if document[section][name] != value:
                document[section][name] = value
    stream = io.StringIO()
    yaml_file.dump(document, stream)
    try:
        parse_params(stream.getvalue())
    except UserError as error:
        raise UserError(f"nothing was written, because with this preset {error}") from error
    return stream.getvalue()


def main() -> None:
    if len(sys.argv) != 2:
        raise UserError("name one preset: make preset NAME=best")
    chosen = preset(files.read_text(PRESETS_FILE), sys.argv[1])
    files.write_text(files.PARAMS, apply(chosen, files.read_text(files.PARAMS)))
    print(f"{files.PARAMS} has the preset {sys.argv[1]} now; `dvc params diff` shows what changed, `dvc repro` runs it")


if __name__ == "__main__":
    run_command(main)
