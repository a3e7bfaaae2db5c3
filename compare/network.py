"""Train one preset with one seed: `python -m compare.network NETWORK SEED`.

In: `data/reviews/`, `presets.yaml`. Out: `compare/runs/NETWORK-SEED/`. The epoch is chosen on the held-out part of the
training reviews; the test reviews are judged once, by the network that is kept.
"""

import sys
import time

from compare.runs import PLAN, write_run
from presets import PRESETS_FILE, preset
from stages import files, history, network
from stages.batches import Words, choose, unpad
from stages.errors import UserError, run
from stages.pad import pad
from stages.params import TrainParams, check, parse_yaml, read_text
from stages.reviews import Reviews, read_reviews, split_by_position
from stages.train import train


def main() -> None:
    if len(sys.argv) != 3:
        raise UserError("name a preset and a seed: python -m compare.network NETWORK SEED")
    name, seed = sys.argv[1:]
    chosen = preset(read_text(PRESETS_FILE), name)
    pad_params, model_params = chosen.pad, chosen.model
    train_values = chosen.train.model_dump() | {"seed": parse_yaml(seed, PLAN)}
    params = check(TrainParams, train_values, PLAN)
    network.check_cell(model_params.cell)
    if params.validation != "holdout":
        raise UserError(f"preset {name} chooses its epoch by the test reviews; a comparison needs validation: holdout")

    def read(reviews: Reviews) -> Words:
        return unpad(pad(reviews, pad_params), model_params.mask_padding)

    reviews, test_reviews = (read_reviews(files.REVIEWS, name) for name in ("train", "test"))
    y = reviews.labels
    rows, held_out = split_by_position(y, params.validation_fraction, "train.validation_fraction")
    begun = time.perf_counter()
    words = read(reviews)
    model, course = train(
        choose(words, rows), y[rows], choose(words, held_out), y[held_out], pad_params.vocab_size, model_params, params
    )
    trained = time.perf_counter()
    probability = network.predict(model, model_params, read(test_reviews))
    predicted = time.perf_counter()
    kept = history.kept_epoch(course, params.validation)
    write_run(
        f"{name}-{seed}",
        test_reviews.labels,
        probability,
        parameters=model.count_params(),
        training=trained - begun,
        prediction=predicted - trained,
        kept_epoch=kept,
        validation_accuracy=float(course["val_accuracy"][kept - 1]),
    )


if __name__ == "__main__":
    run(main)
