"""Train the network and keep the weights of the best epoch.

In: `data/padded/`; the vocabulary and provenance in `data/reviews/`; how network and n-grams are combined, and
what the threshold is chosen by, in `data/out_of_fold/`; the model at `train.start_from`.
Out: `data/model.safetensors`, and `results/history.csv` with loss and accuracy on training and validation reviews after
every epoch. With the engine `compiled` the same parameters and reviews give the same bytes on every machine, also when
training was stopped and resumed from its checkpoint.
"""

from dataclasses import replace
from pathlib import Path

from imdb_rnn import model_file
from imdb_rnn.core import files, frames
from imdb_rnn.core.params import Params
from imdb_rnn.decision import THRESHOLD, predicted
from imdb_rnn.text.corpus import read_provenance
from imdb_rnn.text.encode import read_labelled, read_training
from imdb_rnn.text.profiles import training_profile
from imdb_rnn.training import out_of_fold
from imdb_rnn.training.ahead import compiled_ahead
from imdb_rnn.training.loop import divide, hold_out_and_train
from imdb_rnn.training.start import starting_weights, with_words_of_start
from imdb_rnn.training.threshold import choose


def main(params: Params, root: Path) -> None:
    reviews, padded, settings = root / files.REVIEWS, root / files.PADDED, (params.model, params.pad, params.train)
    with compiled_ahead(params.model.cell, params.train):
        training, words = read_training(reviews, padded, params.pad.vocab_size)
        test = read_labelled(padded, "test", params.pad.vocab_size)
        found = out_of_fold.read(root / files.OUT_OF_FOLD)
    combination, rule = found.combination if found else None, params.train.threshold
    threshold = choose(training.y, found.logits, rule) if found else THRESHOLD
    provenance = read_provenance(reviews)
    start = starting_weights(params, root, words, provenance)
    trained = hold_out_and_train(training, test, *settings, root / files.CHECKPOINTS, words, combination, start)
    model = trained.model(params.model, params.pad, words, provenance, threshold)
    logits = found.logits if found else model.logits(divide(training, test, params.train)[1].ids)
    of_others = predicted(logits, threshold)  # by models that have not learnt from the reviews that they predict
    profile = training_profile(
        with_words_of_start(training, params, root, words), of_others, len(model.labels), params.pad.vocab_size
    )
    model_file.save(replace(model, profile=profile), root / files.MODEL)
    frames.write_csv(root / files.HISTORY, trained.history)
    is_last = params.train.validation == "holdout" and trained.best_epoch == params.train.epochs
    more = ", the last: with a higher train.epochs the network may become better" * is_last
    if rule:
        print(f"threshold: {threshold}")
    print(f"best epoch: {trained.best_epoch} of {len(trained.history)}{more}")
