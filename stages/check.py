"""Check every parameter, before any stage's results are touched.

In: `params.yaml`. Out: `data/parameters.checked`, always the same bytes, so that nothing is run again because of it.
DVC removes what a stage wrote before it runs the stage, so a mistyped parameter would cost results if that stage were
the first to look. This is the first stage of all.
"""

from pathlib import Path

from imdb_rnn.core import files
from imdb_rnn.core.params import Params
from imdb_rnn.core.stage import run
from imdb_rnn.engine.kernels.cells import cell_named
from imdb_rnn.training.learner import refuse


def main(params: Params, root: Path) -> None:
    cell_named(params.model.cell)
    refuse(params.model, params.train)
    files.write_text(root / files.CHECKED, "params.yaml holds every parameter, and each in its range\n")


if __name__ == "__main__":
    run(main, reads=tuple(Params.model_fields))
