"""Run a stage of `dvc.yaml`: `python -m stages NAME`.

DVC runs whatever `python` is first on the path. If that Python lacks the project's packages, the user sees one line
instead of a traceback.
"""

import errno
import sys
from importlib import import_module

from imdb_rnn.core.errors import UserError, run_command
from stages import IS_CHECKOUT, PROJECT

INSTALL = "make repro`, or `. .venv/bin/activate" if IS_CHECKOUT else "pip install -r requirements.txt"
FULL = (errno.EDQUOT, errno.EFBIG, errno.ENOSPC)  # a quota, a limit on the size of files, a disk


def main(arguments: list[str]) -> None:
    try:
        from imdb_rnn.core.stage import declared_params, run

        stages = declared_params(PROJECT / "dvc.yaml")
        if len(arguments) != 1 or arguments[0] not in stages:
            asked = f"there is no stage {' '.join(arguments)!r}" if arguments else "name a stage"
            raise UserError(f"{asked}; python -m stages runs one of {', '.join(stages)}")
        run(import_module(f"stages.{arguments[0]}").main, stages[arguments[0]])
    except ModuleNotFoundError as error:
        if str(error.name).split(".")[0] in ("imdb_rnn", "stages"):
            raise
        raise UserError(
            f"{sys.executable} does not have the project's packages ({error.name} is missing); "
            f"run `{INSTALL}` and then `dvc repro`"
        ) from error
    except OSError as error:  # of machine code that Numba saves, say; what a stage writes has messages of its own
        if error.errno not in FULL:
            raise
        raise UserError(f"a file cannot be written ({error.strerror}); free space, then run again") from error


if __name__ == "__main__":
    run_command(lambda: main(sys.argv[1:]))  # here already, for Ctrl-C while the packages are imported
