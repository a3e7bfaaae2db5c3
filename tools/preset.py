"""Named settings: `python -m presets NAME` writes one of `presets.yaml` into `params.yaml`, whose comments stay."""

import io
import sys
from pathlib import Path
from typing import Literal

from ruamel.yaml import YAML

from stages import files
from imdb_rnn.base.errors import UserError, run
from imdb_rnn.base.params import (
    PARAMS_FILE,
    ModelParams,
    PadParams,
    Section,
    TrainParams,
    check,
    parse_params,
    parse_yaml,
    read_text,
)

PRESETS_FILE = Path("presets.yaml")


class PresetData(Section):
    """What a preset may say of the reviews; what it does not say stays as it is."""

    source: Literal["bundled", "keras"] | None = None


class Preset(Section):
    data: PresetData = PresetData()
    pad: PadParams
    model: ModelParams
    train: TrainParams


def preset(text: str, name: str) -> Preset:
    """Return a preset: `default`, and over it what the preset changes.

    Args:
        text: of `presets.yaml`.

    Raises:
        UserError: when there is no such preset, or it is not one.
    """
    presets = parse_yaml(text, PRESETS_FILE)
    if not isinstance(presets, dict) or not isinstance(presets.get("default"), dict):
        raise UserError(f"{PRESETS_FILE}: it should be a mapping of names to presets, `default` among them")
    if name not in presets:
        raise UserError(f"there is no preset {name!r} in {PRESETS_FILE}; it has {', '.join(map(str, presets))}")
    default, changes = presets["default"], presets[name]
    for values in (changes, *(changes.values() if isinstance(changes, dict) else ())):
        if not isinstance(values, dict):
            raise UserError(f"{PRESETS_FILE}: {name} should be a mapping of sections to keys and values")
    merged = {section: default.get(section, {}) | changes.get(section, {}) for section in default | changes}
    return check(Preset, merged, PRESETS_FILE, name)


def apply(chosen: Preset, params: str) -> str:
    """Put the values of a preset into the text of a parameter file. Raises `UserError` if that is no valid one."""
    parse_params(params)
    yaml_file = YAML()  # keeps comments and order
    yaml_file.width = 4096
    yaml_file.representer.add_representer(
        type(None), lambda writer, _: writer.represent_scalar("tag:yaml.org,2002:null", "null")
    )
    document = yaml_file.load(params)
    values = chosen.model_dump()
    if chosen.data.source is None:
        del values["data"]
    for section, names in values.items():
        for name, value in names.items():
            if document[section][name] != value:
                document[section][name] = value
    stream = io.StringIO()
    yaml_file.dump(document, stream)
    return stream.getvalue()


def main() -> None:
    if len(sys.argv) != 2:
        raise UserError("name one preset: make preset NAME=best")
    chosen = preset(read_text(PRESETS_FILE), sys.argv[1])
    files.write_text(PARAMS_FILE, apply(chosen, read_text(PARAMS_FILE)))
    print(f"{PARAMS_FILE} has the preset {sys.argv[1]} now; `dvc params diff` shows what changed, `dvc repro` runs it")


if __name__ == "__main__":
    run(main)
