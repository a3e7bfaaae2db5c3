"""Train the network and keep one epoch's weights.

In: `data/padded/`. Out: `data/model.keras`, and `results/history.csv` with loss and accuracy on training and validation
reviews after every epoch. The same parameters and reviews give the same bytes again on the same machine.
"""

import sys

import numpy as np
import pandas as pd
from tqdm import tqdm

from stages import files, history, network
from stages.batches import Words, choose, longest_first, shuffled, unpad
from stages.errors import UserError, holding_interrupts, run
from stages.network import keras  # not from keras itself: network sets TensorFlow up before its import
from stages.params import ModelParams, TrainParams, load_params
from stages.reviews import read_padded, split_by_position


def train(
    words: Words,
    y: np.ndarray,
    held_out: Words,
    y_held_out: np.ndarray,
    vocab_size: int,
    model_params: ModelParams,
    params: TrainParams,
) -> tuple[keras.Model, pd.DataFrame]:
    """Train for `params.epochs` epochs.

    Args:
        words, held_out: reviews to train on, and to validate with after every epoch; ids below `vocab_size`.
        y, y_held_out: their labels, (reviews,), 0 or 1.

    Returns:
        The network with the weights of the epoch that `history.kept_epoch` names, and the history.

    Raises:
        UserError: when the loss is no longer a number, or an id is not below `vocab_size`.
    """
    keras.utils.set_random_seed(params.seed)
    model = network.build(model_params, vocab_size)
    network.check_ids(model, words)
    step = network.training_step(model, params)
    labels = y.astype(np.float32)
    course, kept = [], None
    with holding_interrupts() as check_interrupt:
        for epoch in range(1, params.epochs + 1):
            loss, right = 0.0, 0
            batches = shuffled(len(labels), params.batch_size, params.seed, epoch)
            for rows in tqdm(batches, f"epoch {epoch}", unit="batch", leave=False, disable=not sys.stderr.isatty()):
                batch, rows = longest_first(words, rows)
                batch_loss, batch_right = step(batch, labels[rows])
                loss += batch_loss * len(rows)
                right += batch_right
                check_interrupt()
            val_loss, val_accuracy = history.loss_and_accuracy(y_held_out, network.predict(model, held_out))
            values = (loss / len(labels), right / len(labels), val_loss, val_accuracy)
            if not np.isfinite(values).all():
                raise UserError(
                    f"the loss became {values[0]} in epoch {epoch}; nothing was written; "
                    "lower train.learning_rate in params.yaml"
                )
            course.append((epoch, *(round(value, 6) for value in values)))
            if history.kept_epoch(pd.DataFrame(course, columns=history.COLUMNS), params.validation) == epoch:
                kept = model.get_weights()
            numbers = "  ".join(f"{name} {value:.4f}" for name, value in zip(history.COLUMNS[1:], values, strict=True))
            print(f"epoch {epoch}/{params.epochs}  {numbers}", flush=True)
    model.set_weights(kept)
    return model, pd.DataFrame(course, columns=history.COLUMNS)


def main() -> None:
    params = load_params()
    vocab_size, validation = params.pad.vocab_size, params.train.validation

    def read(name: str) -> tuple[Words, np.ndarray]:
        x, y = read_padded(name, vocab_size)
        return unpad(x, params.model.mask_padding), y

    words, y = read("train")
    if validation == "test":
        held_out, y_held_out = read("test")
    else:
        rows, rows_held_out = split_by_position(y, params.train.validation_fraction, "train.validation_fraction")
        held_out, y_held_out = choose(words, rows_held_out), y[rows_held_out]
        words, y = choose(words, rows), y[rows]
    model, course = train(words, y, held_out, y_held_out, vocab_size, params.model, params.train)
    network.save(model, files.MODEL)
    history.write_history(course)
    print(f"kept epoch {history.kept_epoch(course, validation)} of {params.train.epochs}")


if __name__ == "__main__":
    run(main)
