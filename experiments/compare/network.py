"""Train one preset with one seed: `python -m compare.network NETWORK SEED`.

In: `data/reviews/`, `presets.yaml`. Out: `compare/runs/NETWORK-SEED/`, with how far back the network remembers and what
it thinks while it reads some of the test reviews. The epoch is chosen on the held-out part of the
training reviews; the test reviews are judged once, by the network that is kept.
"""

import sys
import time

from compare.runs import PLAN, traced_reviews, write_run
from presets import PRESETS_FILE, preset
from stages import files, history, memory, network
from stages.batches import Words, choose, unpad
from imdb_rnn.base.errors import UserError, run
from stages.pad import pad
from imdb_rnn.base.params import TrainParams, check, parse_yaml, read_text
from stages.reviews import Reviews, read_reviews, split_by_position
from stages.train import train

MEMORY_REVIEWS = 5000  # test reviews that tell how far back a network remembers


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

    def remembers(model: network.keras.Model) -> dict:
        x, judge = pad(test_reviews, pad_params), network.reader(model, model_params, pad_params)
        traced = unpad(x[traced_reviews(test_reviews)], mask_padding=True)
        traces = [memory.trace(judge, traced, row).round(4).tolist() for row in range(len(traced.lengths))]
        rows = memory.sample(len(x), MEMORY_REVIEWS)
        words, as_read = unpad(x[rows], mask_padding=True), unpad(x[rows], model_params.mask_padding)
        norms = network.gradient_norms(model, model_params, as_read)
        gradient = memory.gradient_by_distance(norms, as_read)["gradient"]
        accuracy = memory.accuracy_of_last_words(judge, words, test_reviews.labels[rows], pad_params.maxlen)
        return {
            "gradient": gradient.round(8).tolist(),
            "last_words": dict(zip(accuracy["words"].tolist(), accuracy["accuracy"].round(6).tolist(), strict=True)),
            "traces": traces,
        }

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
        memory=remembers(model),
        kept_epoch=kept,
        validation_accuracy=float(course["val_accuracy"][kept - 1]),
    )


if __name__ == "__main__":
    run(main)
