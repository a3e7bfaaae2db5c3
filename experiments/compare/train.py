"""Train one preset with one seed: `python -m experiments.compare.train NETWORK SEED`.

In: `data/reviews/`, `presets.yaml`. Out: `experiments/compare/runs/NETWORK-SEED/`. The test reviews choose nothing: the
epoch is chosen on the held-out part of the training reviews; with `validation: test` it is the last one. The seconds
of training include those of `train.folds`.
"""

import sys
import time
from pathlib import Path

from experiments.compare.runs import MODEL, PLAN, RUNS, Run, write_run
from imdb_rnn import keras_model, model_file
from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError, run_command
from imdb_rnn.core.params import TrainParams, parse_yaml, validate
from imdb_rnn.core.presets import PRESETS_FILE, preset
from imdb_rnn.text.corpus import read_provenance, read_reviews, read_vocabulary
from imdb_rnn.text.encode import Labelled, encode
from imdb_rnn.text.vocabulary import known_words
from imdb_rnn.training.fit import fit


def main(arguments: list[str], root: Path) -> None:
    if len(arguments) != 2:
        raise UserError("name a preset and a seed: python -m experiments.compare.train NETWORK SEED")
    name, seed = arguments
    chosen = preset(files.read_text(root / PRESETS_FILE), name)
    params = validate(TrainParams, chosen.train.model_dump() | {"seed": parse_yaml(seed, PLAN)}, PLAN)

    folder = root / files.REVIEWS
    reviews, test_reviews = read_reviews(folder, "train"), read_reviews(folder, "test")
    if params.engine == "keras":
        keras_model.load_keras()  # which takes seconds that are not training's
    begun = time.perf_counter()
    labelled, test = (Labelled(encode(part.ranks, chosen.pad), part.labels) for part in (reviews, test_reviews))
    vocabulary = known_words(read_vocabulary(folder), chosen.pad.vocab_size)
    trained, _ = fit(labelled, test, chosen.model, chosen.pad, params, vocabulary)
    ended = time.perf_counter()
    network = trained.model(chosen.model, chosen.pad, vocabulary, read_provenance(folder))
    read = time.perf_counter()
    logits = network.logits(encode(test_reviews.ranks, chosen.pad))
    predicted = time.perf_counter()

    run = Run(
        weights=network.count_weights(),
        training_seconds=round(ended - begun, 2),
        reviews_per_second=round(len(logits) / (predicted - read)),
    )
    with files.replacing(root / RUNS / f"{name}-{seed}") as new:
        new.mkdir()
        model_file.save(network, new / MODEL)
        write_run(new, run, logits)
    epochs = f"best epoch: {trained.best_epoch} of {len(trained.history)}"
    print(f"{name}-{seed}: {epochs}, trained in {run.training_seconds:.0f} s")


if __name__ == "__main__":
    run_command(lambda: main(sys.argv[1:], Path()))
