"""Check the parameters, and write fingerprints of the code, before any other stage runs.

In: `params.yaml`, the code of the stages and experiments, and the model at `train.start_from`.
Out: `data/code/NAME.txt` for each stage, and `data/code/EXPERIMENT-NAME.txt` for each part of an experiment: the
modules that it consists of, a line per module, with their fingerprints. Stages depend on these files instead of the
code, so that an edit of a comment or a message runs only this stage. DVC removes the outs of a stage before it runs the
stage; with the parameters checked here, a mistyped value costs no results.
"""

from pathlib import Path

from imdb_rnn.core import files
from imdb_rnn.core.fingerprints import fingerprint, listing
from imdb_rnn.core.params import Params
from imdb_rnn.text.sources import require_source
from imdb_rnn.training.learner import require_engine
from imdb_rnn.training.start import require_start
from stages import HERE, IS_CHECKOUT

CODE = HERE.parent
STARTED = "download", "folds", "train"  # the stages that read the model at `train.start_from`
EXPERIMENTS = (
    "cells/train",
    "compare/linear",
    "compare/sensitivity",
    "compare/sentences",
    "compare/table",
    "compare/train",
    "sweep/search",
)


def main(params: Params, root: Path) -> None:
    require_engine(params.train)
    require_source(params.data, root)
    start = root / params.train.start_from if params.train.start_from else None
    if start:
        require_start(start, params.model)
    modules = {path.stem: f"stages/{path.name}" for path in (CODE / "stages").glob("[!_]*.py") if path.stem != "check"}
    if IS_CHECKOUT:
        modules |= {name.replace("/", "-"): f"experiments/{name}.py" for name in EXPERIMENTS}
    with files.replacing(root / files.CODE) as new:
        new.mkdir()
        for name, module in modules.items():
            text = listing(CODE, module)
            if start and name in STARTED:
                text += f"{fingerprint(start)}  {params.train.start_from}\n"
            (new / f"{name}.txt").write_text(text, encoding="utf-8", newline="\n")
