"""Keep the best trial of a sweep: `python -m experiments.sweep.best`.

In: `results/experiments/sweep.csv`, and the `params.yaml` of the sweep. Out: the preset `swept` in `presets.yaml`, and
the DVC experiment `swept`: the whole pipeline with these settings, run outside the workspace, which stays as it is.
"""

import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from experiments.sweep.plan import with_values
from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError, run_command
from imdb_rnn.core.params import Params, load_params
from imdb_rnn.core.presets import PRESETS_FILE, Preset, PresetData, apply, editor, preset
from imdb_rnn.reporting.sweep_results import read_sweep

NAME = "swept"


def main(root: Path) -> None:
    params, trials = load_params(root), read_sweep(root / files.SWEEP)
    if not trials or trials[0].status != "finished":
        raise UserError(f"{files.SWEEP} has no finished trial; run `make sweep`")
    settings = trials[0].settings
    text = with_preset(files.read_text(root / PRESETS_FILE), with_values(params, settings))
    apply(preset(text, NAME), files.read_text(root / files.PARAMS))
    files.write_text(root / PRESETS_FILE, text)
    print(f"{PRESETS_FILE} has the best trial now: make preset NAME={NAME}", flush=True)
    dvc = [sys.executable, "-m", "dvc", "exp"]
    subprocess.run([*dvc, "remove", "--quiet", NAME], cwd=root, stderr=subprocess.DEVNULL)
    options = [option for key, value in settings.items() for option in ("--set-param", f"{key}={as_yaml(value)}")]
    if params.data.source == "own" and (root / params.data.own.path).exists():
        options += ["--copy-paths", params.data.own.path]  # they may not be in git, where DVC takes its files from
    run = subprocess.run([*dvc, "run", "--temp", "--name", NAME, *options], cwd=root)
    if run.returncode:
        raise UserError(f"the experiment {NAME} failed; fix that, then run python -m experiments.sweep.best")
    print(f"its validation loss in the sweep was {trials[0].val_loss}; `dvc exp show` lists the experiment")


def with_preset(presets: str, params: Params) -> str:
    """The text of `presets.yaml` with the preset `swept`: where these parameters differ from the defaults."""
    data = PresetData(source=params.data.source, tokenizer=params.data.tokenizer)
    settings = Preset(data=data, pad=params.pad, model=params.model, train=params.train)
    stream = io.StringIO()
    editor().dump({NAME: settings.model_dump(exclude_defaults=True)}, stream)
    earlier = re.compile(rf"^{NAME}:.*\n(?:[ \t].*\n)*", re.MULTILINE)
    if earlier.search(presets):
        return earlier.sub(lambda _: stream.getvalue(), presets)
    return f"{presets.rstrip()}\n\n# The best trial of the last `make sweep`.\n{stream.getvalue()}"


def as_yaml(value: Any) -> str:
    """A value as DVC reads it from its command line."""
    return value if isinstance(value, str) else json.dumps(value)


if __name__ == "__main__":
    run_command(lambda: main(Path()))
