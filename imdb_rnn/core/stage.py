"""How a stage is run: its parameters read and checked before, and looked at again when its work is done."""

from collections.abc import Callable
from pathlib import Path

from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError, run_command
from imdb_rnn.core.params import Params, parse_params, parse_yaml, value_of


def run(main: Callable[[Params, Path], None], *, reads: tuple[str, ...]) -> None:
    """Run a stage in the current folder, and leave the process if it fails, as `run_command` does.

    DVC reads `params.yaml` after the stage, and would note an edited value for what was made with the old one. So the
    stage fails if a parameter that it reads was edited meanwhile. An edit of any other, even a mistyped one, does not
    concern it.

    Args:
        main: the stage; it takes the parameters and the project's folder.
        reads: keys of the parameters that it reads, as `dvc.yaml` lists them: `pad.maxlen`, `train`.
    """

    def checked() -> None:
        root = Path()
        text = files.read_text(root / files.PARAMS)
        main(parse_params(text), root)
        before = parse_yaml(text, files.PARAMS)
        now = parse_yaml(files.read_text(root / files.PARAMS), files.PARAMS)
        edited = [key for key in reads if value_of(key, before) != value_of(key, now)]
        if edited:
            raise UserError(f"{files.PARAMS}: {', '.join(edited)} was edited while this ran; run the same again")

    run_command(checked)
