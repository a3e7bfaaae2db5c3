"""Run a stage: `python -m stages NAME`.

DVC runs whatever `python` is first on the path. Where that one lacks the project's packages, one line takes the place
of a traceback about the first of them.
"""

import runpy
import sys

from imdb_rnn.core.errors import UserError, run_command


def main() -> None:
    try:
        runpy.run_module(f"stages.{sys.argv[1]}", run_name="__main__", alter_sys=True)
    except ModuleNotFoundError as error:
        if str(error.name).split(".")[0] in ("imdb_rnn", "stages"):
            raise
        raise UserError(
            f"{sys.executable} does not have the project's packages ({error.name} is missing); "
            "run `make repro`, or `. .venv/bin/activate` and then `dvc repro`"
        ) from error


if __name__ == "__main__":
    run_command(main)  # here already, for Ctrl-C while the packages are imported
