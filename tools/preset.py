"""`python -m tools.preset NAME` writes one of the named settings in `presets.yaml` to `params.yaml`."""

import sys

from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError, run_command
from imdb_rnn.core.presets import PRESETS_FILE, apply, preset


def main() -> None:
    if len(sys.argv) != 2:
        raise UserError("name one preset: make preset NAME=best")
    chosen = preset(files.read_text(PRESETS_FILE), sys.argv[1])
    files.write_text(files.PARAMS, apply(chosen, files.read_text(files.PARAMS)))
    print(f"{files.PARAMS} has the preset {sys.argv[1]} now; `dvc params diff` shows what changed, `dvc repro` runs it")


if __name__ == "__main__":
    run_command(main)
