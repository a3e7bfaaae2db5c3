"""Show what a sweep has found: `python -m experiments.sweep.table`.

In: `experiments/sweep/trials.csv`, `plots.language`. Out: `results/experiments/sweep.csv`, the trials, best first,
those that were stopped behind those that were finished; `results/sweep.png` and `.svg`. Prints the best as Markdown.
"""

from pathlib import Path

import pandas as pd

from experiments.sweep import figure
from experiments.sweep.search import TRIALS
from imdb_rnn.core import files, frames
from imdb_rnn.core.errors import UserError, run_command
from imdb_rnn.core.params import load_params
from imdb_rnn.reporting.figures import save, style

FIGURE = Path("results/sweep")
STATUS = ("finished", "stopped", "failed")
SHOWN = 10


def main(root: Path) -> None:
    language = load_params(root).plots.language
    trials = read_trials(root / TRIALS)
    if not (trials["status"] == "finished").any():
        reasons = ", ".join(sorted(set(trials["error"].dropna()))) or "all were stopped early"
        raise UserError(f"no trial was finished ({reasons}); change experiments/sweep/sweep.yaml, or params.yaml")
    rank = trials["status"].map({status: place for place, status in enumerate(STATUS)})
    order = trials.assign(rank=rank).sort_values(["rank", "val_loss", "trial"]).index
    as_written = pd.read_csv(root / TRIALS, dtype=str, keep_default_na=False)  # an integer beside null stays one
    frames.write_csv(root / files.SWEEP, as_written.loc[order])
    with style(language):
        save(figure.progress(trials, keys_of(trials), language), root / FIGURE.parent, FIGURE.name)
    print(markdown(as_written.loc[order].head(SHOWN)))


def read_trials(path: Path) -> pd.DataFrame:
    """Read what `search` wrote. Raises `UserError` when it is missing or not that."""
    try:
        trials = pd.read_csv(path)
        if trials.empty or not set(trials["status"]) <= set(STATUS):
            raise ValueError("it should be a table of trials")
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{path} cannot be read ({' '.join(str(error).split())}); run `make sweep`") from error
    return trials


def keys_of(trials: pd.DataFrame) -> list[str]:
    """The dotted keys that the trials differ by."""
    return [name for name in trials.columns if "." in name]


def markdown(trials: pd.DataFrame) -> str:
    """The trials, all of it text, as a table of Markdown."""
    columns = ["trial", "status", "epochs", "val_loss", "val_accuracy", *keys_of(trials)]
    rows = [columns, ["---"] * len(columns)]
    rows += trials[columns].to_numpy().tolist()
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


if __name__ == "__main__":
    run_command(lambda: main(Path()))
