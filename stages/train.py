"""Train the network and keep one epoch's weights.

In: `data/padded/`. Out: `data/model.keras`, and `results/history.csv` with loss and accuracy on training and validation
reviews after every epoch. The same parameters and reviews give the same bytes again on the same machine.
"""

import math
import sys

import numpy as np
import pandas as pd
from tqdm import tqdm

from stages import files, history, network, ngrams
from stages.batches import Words, choose, longest_first, shuffled, unpad
from stages.errors import UserError, holding_interrupts, run
from stages.network import keras  # not from keras itself: network sets TensorFlow up before its import
from stages.params import ModelParams, TrainParams, load_params
from stages.reviews import read_padded, split_by_position

# An n-gram that few training reviews have tells more of these than of sentiment: it is left out, or counts less.
NGRAM_REVIEWS, NGRAM_SMOOTHING = 10, 5
DROPOUT_STREAM = 1  # sets what dropout draws apart from the order of the batches


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
        The network with the weights of the epoch that `history.kept_epoch` names, and the history, which ends early
        when `params.patience` says so.

    Raises:
        UserError: when the loss is no longer a number, an id is not below `vocab_size`, or there is no such cell.
    """
    keras.utils.set_random_seed(params.seed)
    known = ratio = None
    if model_params.ngrams:
        codes = ngrams.codes_of(words, model_params.ngrams, vocab_size)
        known = ngrams.known_codes(codes, NGRAM_REVIEWS)
        if not len(known):
            raise UserError(f"no n-gram is in {NGRAM_REVIEWS} training reviews; set model.ngrams to 0")
        ratio = ngrams.log_count_ratio(ngrams.look_up(codes, known), y, len(known), NGRAM_SMOOTHING)
    model = network.build(model_params, vocab_size, known)
    network.check_ids(model, words)
    labels = y.astype(np.float32)
    steps = params.epochs * math.ceil(len(labels) / params.batch_size)
    step = network.training_step(model, model_params, params, steps, ratio)
    course, kept, kept_epoch = [], None, 0
    with holding_interrupts() as check_interrupt:
        for epoch in range(1, params.epochs + 1):
            loss, right = 0.0, 0
            batches = shuffled(len(labels), params.batch_size, params.seed, epoch)
            random = np.random.default_rng((params.seed, epoch, DROPOUT_STREAM))
            for rows in tqdm(batches, f"epoch {epoch}", unit="batch", leave=False, disable=not sys.stderr.isatty()):
                batch, rows = longest_first(words, rows)
                batch_loss, batch_right = step(batch, labels[rows], random)
                loss += batch_loss * len(rows)
                right += batch_right
                check_interrupt()
            probability = network.predict(model, model_params, held_out)
            val_loss, val_accuracy = history.loss_and_accuracy(y_held_out, probability)
            values = (loss / len(labels), right / len(labels), val_loss, val_accuracy)
            if not np.isfinite(values).all():
                raise UserError(
                    f"the loss became {values[0]} in epoch {epoch}; nothing was written; lower train.learning_rate"
                )
            course.append((epoch, *(round(value, 6) for value in values)))
            kept_epoch = history.kept_epoch(pd.DataFrame(course, columns=history.COLUMNS), params.validation)
            if kept_epoch == epoch:
                kept = model.get_weights()
            numbers = "  ".join(f"{name} {value:.4f}" for name, value in zip(history.COLUMNS[1:], values, strict=True))
            print(f"epoch {epoch}/{params.epochs}  {numbers}", flush=True)
            if params.patience and epoch - kept_epoch >= params.patience:
                break
    model.set_weights(kept)
    return model, pd.DataFrame(course, columns=history.COLUMNS)


def main() -> None:
    params = load_params()
    network.check_cell(params.model.cell)
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
    network.save(model, params.model, files.MODEL)
    history.write_history(course)
    print(f"kept epoch {history.kept_epoch(course, validation)} of {len(course)}")


if __name__ == "__main__":
    run(main)
