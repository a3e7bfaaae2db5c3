"""Keep the best trial of a sweep: `python -m experiments.sweep.best`.

In: `results/experiments/sweep.csv`, and the `params.yaml` of the sweep. Out: the preset `swept` in
`presets.yaml`, and the DVC experiment `swept`: the whole pipeline with these settings, run beside the workspace, which
stays as it is.
"""

import io
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pandas as pd

from experiments.sweep.plan import SECTIONS, with_values
from experiments.sweep.table import read_trials
from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError, run_command
from imdb_rnn.core.params import Params, load_params, parse_yaml
from tools.preset import PRESETS_FILE, Preset, PresetData, editor, preset

NAME = "swept"


def main(root: Path) -> None:
    trials, params = read_trials(root / files.SWEEP), load_params(root)
    values = values_of(root / files.SWEEP)
    changed = with_values(params, values)
    text = with_preset(files.read_text(root / PRESETS_FILE), changed)
    preset(text, NAME)
    files.write_text(root / PRESETS_FILE, text)
    print(f"{PRESETS_FILE} has the best trial now: make preset NAME={NAME}", flush=True)
    subprocess.run(["dvc", "exp", "remove", "--quiet", NAME], cwd=root, stderr=subprocess.DEVNULL)
    settings = [part for key, value in values.items() for part in ("--set-param", f"{key}={as_yaml(value)}")]
    if params.data.source == "own" and (root / params.data.own.path).exists():
        settings += ["--copy-paths", params.data.own.path]  # git may not have them, and DVC would take what it has
    run = subprocess.run(["dvc", "exp", "run", "--temp", "--name", NAME, *settings], cwd=root)
    if run.returncode:
        raise UserError(f"the experiment {NAME} was not made; once that is mended: python -m experiments.sweep.best")
    print(f"its validation loss in the sweep was {trials['val_loss'][0]}; `dvc exp show` lists the experiment")


def values_of(path: Path) -> dict[str, Any]:
    """What the best trial, the first one, has for each key."""
    first = pd.read_csv(path, dtype=str, keep_default_na=False).iloc[0]
    return {key: parse_yaml(text, path) for key, text in first.items() if "." in key}


def with_preset(presets: str, params: Params) -> str:
    """The text of `presets.yaml` with the preset `swept`: where these parameters differ from the defaults."""
    defaults, changed = Preset().model_dump(), params.model_dump()
    differing = {
        section: {key: value for key, value in changed[section].items() if value != defaults[section][key]}
        for section in sorted(SECTIONS)
    }
    settings = {"data": params.data.model_dump(include=set(PresetData.model_fields))} | {
        key: part for key, part in differing.items() if part
    }
    stream = io.StringIO()
    editor().dump({NAME: settings}, stream)
    earlier = re.compile(rf"^{NAME}:.*\n(?:[ \t].*\n)*", re.MULTILINE)
    if earlier.search(presets):
        return earlier.sub(lambda _: stream.getvalue(), presets)
    return f"{presets.rstrip()}\n\n# The best trial of the last `make sweep`.\n{stream.getvalue()}"


def as_yaml(value: Any) -> str:
    """A value as DVC reads it from its command line."""
    return "null" if value is None else json.dumps(value) if not isinstance(value, str) else value


if __name__ == "__main__":
    run_command(lambda: main(Path()))
