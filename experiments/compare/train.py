"""Train one preset with one seed: `python -m experiments.compare.train NETWORK SEED`.

In: `data/reviews/`, `presets.yaml`. Out: `experiments/compare/runs/NETWORK-SEED/`. The test reviews choose nothing: the
epoch is chosen on the held-out part of the training reviews; with `validation: test` it is the last one.
"""

import sys
import time
from dataclasses import replace
from pathlib import Path

from experiments.compare.runs import MODEL, PLAN, RUNS, Run, write_run
from imdb_rnn import keras_model
from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError, run_command
from imdb_rnn.core.params import TrainParams, parse_yaml, validate
from imdb_rnn.text.corpus import read_provenance, read_reviews, read_vocabulary
from imdb_rnn.text.encode import Labelled, encode
from imdb_rnn.text.split import split_by_position
from imdb_rnn.text.vocabulary import known_words
from imdb_rnn.training.loop import train
from tools.preset import PRESETS_FILE, preset


def main(arguments: list[str], root: Path) -> None:
    if len(arguments) != 2:
        raise UserError("name a preset and a seed: python -m experiments.compare.train NETWORK SEED")
    name, seed = arguments
    chosen = preset(files.read_text(root / PRESETS_FILE), name)
    params = validate(TrainParams, chosen.train.model_dump() | {"seed": parse_yaml(seed, PLAN)}, PLAN)

    folder = root / files.REVIEWS
    reviews, test_reviews = read_reviews(folder, "train"), read_reviews(folder, "test")
    if params.engine == "keras":
        keras_model.load_keras(computing=True)  # which takes seconds that are not training's
    begun = time.perf_counter()
    training = Labelled(encode(reviews.ranks, chosen.pad), reviews.labels)
    if params.validation == "test":
        validation = Labelled(encode(test_reviews.ranks, chosen.pad), test_reviews.labels)
    else:
        rows, held_out = split_by_position(training.y, params.validation_fraction, "train.validation_fraction")
        training, validation = training.rows(rows), training.rows(held_out)
    network, history = train(training, validation, chosen.model, chosen.pad, params)
    trained = time.perf_counter()
    logits = network.logits(encode(test_reviews.ranks, chosen.pad))
    predicted = time.perf_counter()

    run = Run(
        weights=network.count_weights(),
        training_seconds=round(trained - begun, 2),
        reviews_per_second=round(len(logits) / (predicted - trained)),
    )
    provenance = read_provenance(folder)
    network = replace(
        network,
        vocabulary=known_words(read_vocabulary(folder), chosen.pad.vocab_size),
        provenance=provenance,
        tokenizer=provenance["tokenizer"],
        labels=tuple(provenance["labels"]),
    )
    with files.replacing(root / RUNS / f"{name}-{seed}") as new:
        new.mkdir()
        keras_model.save(network, new / MODEL)
        write_run(new, run, logits)
    print(f"{name}-{seed}: best epoch: {network.best_epoch} of {len(history)}, trained in {run.training_seconds:.0f} s")


if __name__ == "__main__":
    run_command(lambda: main(sys.argv[1:], Path()))
