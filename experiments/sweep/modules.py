"""List what each stage of the sweep is made of: `python -m experiments.sweep.modules`; see that of the comparison."""

from pathlib import Path

from experiments.compare.modules import write_lists
from experiments.sweep.plan import FOLDER
from imdb_rnn.core.errors import run_command

STAGES = ("search", "table")

if __name__ == "__main__":
    run_command(lambda: write_lists(FOLDER, STAGES, Path()))
