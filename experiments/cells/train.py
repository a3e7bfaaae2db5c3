"""Train a small network of each cell, and keep it as it is after some epochs: `python -m experiments.cells.train`.

In: the bundled reviews, `experiments/cells/params.yaml`. Out: `results/experiments/cells.safetensors`. The test reviews
choose nothing. Training depends on the seed alone, so the weights after an epoch are those of a training that ends with
it.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from imdb_rnn.core import files
from imdb_rnn.core.errors import run_command
from imdb_rnn.core.params import BundledParams, ModelParams, PadParams, Section, TrainParams, parse_yaml, validate
from imdb_rnn.decision import is_correct
from imdb_rnn.engine.weights import Weights
from imdb_rnn.model import Model
from imdb_rnn.reporting.small_networks import SMALL_NETWORKS, SmallNetwork, rounded, save
from imdb_rnn.text.encode import Labelled, encode
from imdb_rnn.text.sources import bundled
from imdb_rnn.text.vocabulary import known_words
from imdb_rnn.training.batches import hold_out
from imdb_rnn.training.fit import fit
from imdb_rnn.training.learner import learner

PLAN = Path("experiments/cells/params.yaml")
TEST_FRACTION = 0.2


class Plan(Section):
    cells: Annotated[list[str], Field(min_length=1)]
    epochs: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]
    pad: PadParams
    model: ModelParams
    train: TrainParams


def main(root: Path) -> None:
    plan = validate(Plan, parse_yaml(files.read_text(root / PLAN), PLAN), PLAN)
    corpus = bundled.read(BundledParams(test_fraction=TEST_FRACTION), root, "word")
    reviews, test = (Labelled(encode(part.ranks, plan.pad), part.labels) for part in (corpus.train, corpus.test))
    training, validation = hold_out(reviews, plan.train)
    words, labels = known_words(corpus.vocabulary, plan.pad.vocab_size), tuple(corpus.provenance["labels"])
    texts = words, corpus.provenance["tokenizer"], labels
    networks = []
    for cell in plan.cells:
        params = validate(ModelParams, plan.model.model_dump() | {"cell": cell}, PLAN)
        for epoch in plan.epochs:
            weights = after(epoch, training, validation, params, plan)
            network = Model(params, plan.pad, rounded(weights), np.empty(0, np.int64), *texts, epoch, corpus.provenance)
            found = SmallNetwork(network, accuracy(network, validation), accuracy(network, test))
            scores = f"{found.validation_accuracy:.4f} (validation), {found.test_accuracy:.4f} (test)"
            print(f"{cell}, epoch {epoch}: accuracy {scores}", flush=True)
            networks.append(found)
    save(networks, root / SMALL_NETWORKS)


def after(epoch: int, training: Labelled, validation: Labelled, params: ModelParams, plan: Plan) -> Weights:
    """The weights after an epoch, of 0 the initial ones."""
    if not epoch:
        return learner(training, params, plan.pad, plan.train, steps=1).weights()
    # With `validation: test` the last epoch is kept, and not the best one; what it is validated with is held out.
    ending = plan.train.model_copy(update={"epochs": epoch, "validation": "test"})
    return fit(training, validation, params, plan.pad, ending)[0].weights


def accuracy(network: Model, reviews: Labelled) -> float:
    return round(float(is_correct(reviews.y, network.logits(reviews.ids)).mean()), 4)


if __name__ == "__main__":
    run_command(lambda: main(Path()))
