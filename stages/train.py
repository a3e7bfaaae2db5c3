"""Train the network and keep one epoch's weights.

In: `data/padded/`. Out: `data/model.keras`, and `results/history.csv` with loss and accuracy on training and validation
reviews after every epoch. The same parameters and reviews give the same bytes again on the same machine.
"""

import sys

import numpy as np
import pandas as pd

from stages import files, history, network
from stages.errors import UserError, holding_interrupts, run
from stages.network import keras  # not from keras itself: network sets TensorFlow up before its import
from stages.params import ModelParams, TrainParams, load_params
from stages.reviews import read_padded, split_by_position


def train(
    x: np.ndarray,
    y: np.ndarray,
    x_validation: np.ndarray,
    y_validation: np.ndarray,
    vocab_size: int,
    model_params: ModelParams,
    params: TrainParams,
) -> tuple[keras.Model, pd.DataFrame]:
    """Train for `params.epochs` epochs.

    Args:
        x, x_validation: int32 (reviews, words), ids below `vocab_size`.
        y, y_validation: (reviews,), 0 or 1.

    Returns:
        The network with the weights of the epoch that `history.kept_epoch` names, and the history.

    Raises:
        UserError: when the loss is no longer a number.
    """
    keras.utils.set_random_seed(params.seed)
    model = network.build(model_params, vocab_size)
    model.compile(
        optimizer=keras.optimizers.Adam(params.learning_rate),
        loss="binary_crossentropy",
        metrics=["accuracy"],
        jit_compile=True,
    )
    rows, kept = [], None

    def after_epoch(index: int, logs: dict) -> None:
        nonlocal kept
        row = {"epoch": index + 1} | {name: round(float(logs[name]), 6) for name in history.COLUMNS[1:]}
        if not np.isfinite(list(row.values())).all():
            raise UserError(
                f"the loss became {row['loss']} in epoch {row['epoch']}; nothing was written; "
                "lower train.learning_rate in params.yaml"
            )
        rows.append(row)
        if history.kept_epoch(pd.DataFrame(rows), params.validation) == row["epoch"]:
            kept = model.get_weights()
        if not bar:
            numbers = "  ".join(f"{name} {row[name]:.4f}" for name in history.COLUMNS[1:])
            print(f"epoch {row['epoch']}/{params.epochs}  {numbers}", flush=True)

    bar = sys.stdout.isatty()
    with holding_interrupts() as check_interrupt:
        interruptible = keras.callbacks.Callback()
        interruptible.on_train_batch_end = interruptible.on_test_batch_end = lambda batch, logs: check_interrupt()
        model.fit(
            x,
            y,
            batch_size=params.batch_size,
            epochs=params.epochs,
            validation_data=(x_validation, y_validation),
            callbacks=[interruptible, keras.callbacks.LambdaCallback(on_epoch_end=after_epoch)],
            verbose=1 if bar else 0,
        )
    trained = network.build(model_params, vocab_size)  # without the state of the optimiser, which is a later epoch's
    trained.set_weights(kept)
    return trained, pd.DataFrame(rows)


def main() -> None:
    params = load_params()
    vocab_size, validation = params.pad.vocab_size, params.train.validation
    x, y = read_padded("train", vocab_size)
    if validation == "test":
        x_validation, y_validation = read_padded("test", vocab_size)
    else:
        rows, held_out = split_by_position(y, params.train.validation_fraction, "train.validation_fraction")
        x_validation, y_validation = x[held_out], y[held_out]
        x, y = x[rows], y[rows]
    model, course = train(x, y, x_validation, y_validation, vocab_size, params.model, params.train)
    network.save(model, files.MODEL)
    history.write_history(course)
    print(f"kept epoch {history.kept_epoch(course, validation)} of {params.train.epochs}")


if __name__ == "__main__":
    run(main)
