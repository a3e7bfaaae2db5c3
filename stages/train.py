"""Train the network and keep one epoch's weights.

In: `data/padded/`; the vocabulary and provenance in `data/reviews/`.
Out: `data/model.keras`, and `results/history.csv` with loss and accuracy on training and validation reviews after every
epoch. With the engine `compiled` the same parameters and reviews give the same bytes on every machine, also when
training was stopped and went on from its checkpoint.
"""

from dataclasses import replace
from pathlib import Path

from imdb_rnn import keras_model
from imdb_rnn.core import files
from imdb_rnn.core.params import Params
from imdb_rnn.engine.kernels.cells import cell_named
from imdb_rnn.text.corpus import read_provenance, read_vocabulary
from imdb_rnn.text.encode import Labelled, read_padded, unpad
from imdb_rnn.text.split import split_by_position
from imdb_rnn.text.vocabulary import RANK_OFFSET, known_words
from imdb_rnn.training import checkpoint
from imdb_rnn.training.history import write_history
from imdb_rnn.training.loop import train


def main(params: Params, root: Path) -> None:
    cell_named(params.model.cell)

    def read(name: str) -> Labelled:
        x, y = read_padded(root / files.PADDED, name, params.pad.vocab_size)
        return Labelled(unpad(x), y)

    reviews = root / files.REVIEWS
    vocabulary = known_words(read_vocabulary(reviews), params.pad.vocab_size)
    training = read("train")
    if training.ids.values.max(initial=0) > len(vocabulary) + RANK_OFFSET:
        raise files.damaged(reviews / "vocabulary.txt", "download", f"it has only {len(vocabulary)} words")
    if params.train.validation == "test":
        validation = read("test")
    else:
        rows, held_out = split_by_position(training.y, params.train.validation_fraction, "train.validation_fraction")
        training, validation = training.rows(rows), training.rows(held_out)
    arrays = [array for part in (training, validation) for array in (*vars(part.ids).values(), part.y)]
    fingerprint = checkpoint.fingerprint(params.pad, params.model, params.train, *arrays)
    path = checkpoint.path_of(root / files.CHECKPOINTS, fingerprint)
    network, history = train(training, validation, params.model, params.pad, params.train, path)
    checkpoint.prune(path.parent, path)
    provenance = read_provenance(reviews)
    network = replace(
        network,
        vocabulary=vocabulary,
        provenance=provenance,
        tokenizer=provenance["tokenizer"],
        labels=tuple(provenance["labels"]),
    )
    keras_model.save(network, root / files.MODEL)
    write_history(root / files.HISTORY, history)
    print(f"best epoch: {network.best_epoch} of {len(history)}")
