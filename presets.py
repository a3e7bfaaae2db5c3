"""Named settings: `python -m presets NAME` writes one of `presets.yaml` into `params.yaml`, whose comments stay."""

import io
import sys
from pathlib import Path

import yaml
from ruamel.yaml import YAML

from stages import files
from stages.errors import UserError, run
from stages.params import PARAMS_FILE, parse_params

PRESETS_FILE = Path("presets.yaml")


def preset(text: str, name: str) -> dict[str, dict]:
    """Return the values of a preset, by section: `default`, and over it what the preset changes.

    Args:
        text: of `presets.yaml`.

    Raises:
        UserError: when there is no such preset.
    """
    presets = yaml.safe_load(text)
    if name not in presets:
        raise UserError(f"there is no preset {name!r} in {PRESETS_FILE}; it has {', '.join(presets)}")
    default, changes = presets["default"], presets[name]
    return {section: default.get(section, {}) | changes.get(section, {}) for section in default | changes}


def apply(values: dict[str, dict], params: str) -> str:
    """Put the values of a preset into the text of a parameter file. Raises `UserError` if that is no valid one then."""
    parse_params(params)  # or a file that is damaged already would be called the preset's fault
    yaml_file = YAML()
    yaml_file.width = 4096
    yaml_file.preserve_quotes = True
    yaml_file.representer.add_representer(
        type(None), lambda self, _: self.represent_scalar("tag:yaml.org,2002:null", "null")
    )
    document = yaml_file.load(params)
    for section, names in values.items():
        for name, value in names.items():
            if document[section][name] != value:
                document[section][name] = value
    stream = io.StringIO()
    yaml_file.dump(document, stream)
    parse_params(stream.getvalue())
    return stream.getvalue()


def main() -> None:
    if len(sys.argv) != 2:
        raise UserError("name one preset: python -m presets NAME")
    values = preset(PRESETS_FILE.read_text(encoding="utf-8"), sys.argv[1])
    files.write_text(PARAMS_FILE, apply(values, PARAMS_FILE.read_text(encoding="utf-8")))
    print(f"{PARAMS_FILE} has the preset {sys.argv[1]} now; `dvc params diff` shows what changed, `dvc repro` runs it")


if __name__ == "__main__":
    run(main)
