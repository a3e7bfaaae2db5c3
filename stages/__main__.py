"""Run a stage: `python -m stages NAME`.

DVC runs whatever `python` is first on the path. Where that one lacks the project's packages, one line takes the place
of a traceback about the first of them.
"""

import runpy
import sys

if __name__ == "__main__":
    try:
        runpy.run_module(f"stages.{sys.argv[1]}", run_name="__main__", alter_sys=True)
    except ModuleNotFoundError as error:
        if str(error.name).split(".")[0] in ("imdb_rnn", "stages"):
            raise
        sys.exit(
            f"error: {sys.executable} does not have the project's packages ({error.name} is missing); "
            "run `make repro`, or `. .venv/bin/activate` and then `dvc repro`"
        )
