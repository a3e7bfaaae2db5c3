"""How a stage is run: its parameters are checked before it runs, and compared with the file afterwards."""

from collections.abc import Callable, Iterable
from pathlib import Path

from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import Params, parse_params, parse_yaml, value_of


def declared_params(pipeline: Path) -> dict[str, list[str]]:
    """The stages of a `dvc.yaml`, and the keys of the parameters that each reads: `pad.maxlen`, `train`."""
    stages: dict = parse_yaml(files.read_text(pipeline), pipeline)["stages"]  # type: ignore[index]
    every_key = list(Params.model_fields)  # of a stage that depends on the file: `{params.yaml: null}`
    return {
        name: [key for entry in stage.get("params", ()) for key in ([entry] if isinstance(entry, str) else every_key)]
        for name, stage in stages.items()
    }


def run(main: Callable[[Params, Path], None], keys: Iterable[str]) -> None:
    """Run a stage in the current folder.

    DVC reads `params.yaml` after the stage has ended, and would note a value that was edited meanwhile for results of
    the old value. So the stage fails if one of the parameters that it reads (`keys`) was edited while it ran.

    Raises:
        UserError: when a parameter is wrong or was edited, and whenever `main` raises it.
    """
    text = files.read_text(files.PARAMS)
    main(parse_params(text), Path())
    text_now = files.read_text(files.PARAMS)
    if text_now == text:
        return
    before, now = parse_yaml(text, files.PARAMS), parse_yaml(text_now, files.PARAMS)
    edited = [key for key in keys if value_of(key, before) != value_of(key, now)]
    if edited:
        raise UserError(f"{files.PARAMS}: {', '.join(edited)} was edited while this ran; run the same again")
