"""Show what a sweep has found: `python -m experiments.sweep.table`.

In: `experiments/sweep/trials.csv`, `plots.language`. Out: `results/experiments/sweep.csv`, the same table;
`results/sweep.png` and `.svg`. Prints the best trials as Markdown.
"""

from pathlib import Path

from experiments.sweep import figure
from experiments.sweep.search import TRIALS
from imdb_rnn.core import files, frames
from imdb_rnn.core.errors import UserError, run_command
from imdb_rnn.core.params import load_params
from imdb_rnn.reporting.figures import save, style
from imdb_rnn.reporting.sweep_results import SHOWN, read_sweep

FIGURE = Path("results/sweep")


def main(root: Path) -> None:
    language = load_params(root).plots.language
    trials = read_sweep(root / TRIALS)
    if not trials or trials[0].status != "finished":
        reasons = ", ".join(sorted({trial.error for trial in trials if trial.error})) or "all were stopped early"
        raise UserError(f"no trial was finished ({reasons}); change experiments/sweep/sweep.yaml or params.yaml")
    files.write_text(root / files.SWEEP, files.read_text(root / TRIALS))
    with style(language):
        save(figure.progress(trials, language), root / FIGURE.parent, FIGURE.name)
    columns = ["trial", "status", "epochs", "val_loss", "val_accuracy"]
    rows = [[*(getattr(trial, column) for column in columns), *trial.settings.values()] for trial in trials[:SHOWN]]
    print(frames.markdown([*columns, *trials[0].settings], rows))


if __name__ == "__main__":
    run_command(lambda: main(Path()))
