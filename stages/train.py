"""Train the network and keep one epoch's weights.

In: `data/padded/`. Out: `data/model.keras`, and `results/history.csv` with loss and accuracy on training and validation
reviews after every epoch. The same parameters and reviews give the same bytes again on the same machine, also when
training was stopped and went on from its checkpoint.
"""

import math
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from stages import checkpoint, files, history, network, ngrams
from stages.batches import Words, choose, longest_first, shuffled, unpad
from stages.errors import UserError, holding_interrupts, run
from stages.network import keras  # not from keras itself: network sets TensorFlow up before its import
from stages.params import ModelParams, TrainParams, check_unchanged, load_params
from stages.reviews import read_padded, split_by_position

# An n-gram that few training reviews have tells more of these than of sentiment: it is left out, or counts less.
NGRAM_REVIEWS, NGRAM_SMOOTHING = 10, 5
FACTS = ("epoch", "done", "loss", "right", "drawn", "course")  # of a checkpoint
CHECKPOINT_SECONDS = 60  # at most between two checkpoints; there is one after every epoch besides
DROPOUT_STREAM = 1  # sets what dropout draws apart from the order of the batches


def train(
    words: Words,
    y: np.ndarray,
    held_out: Words,
    y_held_out: np.ndarray,
    vocab_size: int,
    model_params: ModelParams,
    params: TrainParams,
    kept_at: Path | None = None,
) -> tuple[keras.Model, pd.DataFrame]:
    """Train for `params.epochs` epochs.

    Args:
        words, held_out: reviews to train on, and to validate with after every epoch; ids below `vocab_size`.
        y, y_held_out: their labels, (reviews,), 0 or 1.
        kept_at: the checkpoint: training goes on from it if it is there, and writes it. None: no checkpoints.

    Returns:
        The network with the weights of the epoch that `history.kept_epoch` names, and the history, which ends early
        when `params.patience` says so or the loss is no longer a number.

    Raises:
        UserError: when the loss is not a number from the first epoch on, an id is not below `vocab_size`, or there is
            no such cell.
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
    step, variables = network.training_step(model, model_params, params, steps, ratio)
    # What a checkpoint holds, besides `variables`: the epoch that is under way, how many of its batches are done, their
    # sums, the state of what dropout draws from, the history, and the weights of the epoch that is kept so far.
    epoch, done, loss, right, drawn, course, kept = 1, 0, 0.0, 0, None, [], []
    expected = {checkpoint.VARIABLES: [variable.numpy() for variable in variables], "kept": model.get_weights()}
    found = checkpoint.read(kept_at, expected) if kept_at else None
    if found:
        facts, arrays = found
        epoch, done, loss, right, drawn, course = (facts[name] for name in FACTS)
        kept = arrays.get("kept", [])
        for variable, value in zip(variables, arrays[checkpoint.VARIABLES], strict=True):
            variable.assign(value)
        print(f"going on from the checkpoint in epoch {epoch}", flush=True)

    def keep() -> None:
        if kept_at and np.isfinite(loss):
            values = (epoch, done, loss, right, drawn, course)
            arrays = {checkpoint.VARIABLES: [variable.numpy() for variable in variables], "kept": kept}
            checkpoint.write(kept_at, dict(zip(FACTS, values, strict=True)), arrays)

    with holding_interrupts() as check_interrupt:
        try:
            while epoch <= params.epochs and not _is_over(course, params):
                written = time.monotonic()
                batches = shuffled(len(labels), params.batch_size, params.seed, epoch)[done:]
                random = np.random.default_rng((params.seed, epoch, DROPOUT_STREAM))
                if drawn:
                    random.bit_generator.state = drawn
                for rows in tqdm(batches, f"epoch {epoch}", unit="batch", leave=False, disable=not sys.stderr.isatty()):
                    batch, rows = longest_first(words, rows)
                    batch_loss, batch_right = step(batch, labels[rows], random)
                    loss += batch_loss * len(rows)
                    right += batch_right
                    done, drawn = done + 1, random.bit_generator.state
                    check_interrupt()
                    if time.monotonic() - written > CHECKPOINT_SECONDS:
                        keep()
                        written = time.monotonic()
                probability = network.predict(model, model_params, held_out)
                val_loss, val_accuracy = history.loss_and_accuracy(y_held_out, probability)
                values = (loss / len(labels), right / len(labels), val_loss, val_accuracy)
                if not np.isfinite(values).all():
                    advice = f"the loss became {values[0]} in epoch {epoch}; lower train.learning_rate"
                    if not course:
                        raise UserError(f"{advice}; nothing was written")
                    print(f"{advice}; training ends here, and epochs 1 to {epoch - 1} count", file=sys.stderr)
                    break
                course.append([epoch, *(round(value, 6) for value in values)])
                if history.kept_epoch(_table(course), params.validation) == epoch:
                    kept = model.get_weights()
                numbers = "  ".join(
                    f"{name} {value:.4f}" for name, value in zip(history.COLUMNS[1:], values, strict=True)
                )
                print(f"epoch {epoch}/{params.epochs}  {numbers}", flush=True)
                epoch, done, loss, right, drawn = epoch + 1, 0, 0.0, 0, None
                keep()
        except KeyboardInterrupt:
            keep()
            if kept_at:
                print(f"\nnext time training goes on in epoch {epoch}, after batch {done}", file=sys.stderr)
            raise
    model.set_weights(kept)
    return model, _table(course)


def _table(course: list[list]) -> pd.DataFrame:
    return pd.DataFrame(course, columns=history.COLUMNS)


def _is_over(course: list[list], params: TrainParams) -> bool:
    """Whether `params.patience` epochs have passed without a better one."""
    if not (params.patience and course):
        return False
    return course[-1][0] - history.kept_epoch(_table(course), params.validation) >= params.patience


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
    arrays = (*vars(words).values(), y, *vars(held_out).values(), y_held_out)
    identity = checkpoint.fingerprint(Path(__file__), vocab_size, params.model, params.train, *arrays)
    kept_at = checkpoint.path_of(identity)
    model, course = train(words, y, held_out, y_held_out, vocab_size, params.model, params.train, kept_at)
    network.save(model, params.model, files.MODEL)
    history.write_history(course)
    check_unchanged()  # before the checkpoint goes
    kept_at.unlink(missing_ok=True)
    print(f"kept epoch {history.kept_epoch(course, validation)} of {len(course)}")


if __name__ == "__main__":
    run(main)
