"""Train the network and keep the weights of the best epoch.

In: `data/padded/`; the vocabulary and provenance in `data/reviews/`.
Out: `data/model.safetensors`, and `results/history.csv` with loss and accuracy on training and validation reviews after
every epoch. With the engine `compiled` the same parameters and reviews give the same bytes on every machine, also when
training was stopped and resumed from its checkpoint.
"""

from pathlib import Path

from imdb_rnn import model_file
from imdb_rnn.core import files, frames
from imdb_rnn.core.params import Params
from imdb_rnn.text.corpus import read_provenance, read_vocabulary
from imdb_rnn.text.encode import Labelled, read_padded, read_unlabelled, unpad
from imdb_rnn.text.vocabulary import RANK_OFFSET, known_words
from imdb_rnn.training import checkpoint
from imdb_rnn.training.ahead import compiled_ahead
from imdb_rnn.training.batches import hold_out
from imdb_rnn.training.loop import train


def main(params: Params, root: Path) -> None:
    def read(name: str) -> Labelled:
        x, y = read_padded(root / files.PADDED, name, params.pad.vocab_size)
        return Labelled(unpad(x), y)

    reviews = root / files.REVIEWS
    with compiled_ahead(params.model.cell, params.train):
        vocabulary = known_words(read_vocabulary(reviews), params.pad.vocab_size)
        labelled = read("train")._replace(unlabelled=read_unlabelled(root / files.PADDED, params.pad.vocab_size))
        if labelled.ids.values.max(initial=0) > len(vocabulary) + RANK_OFFSET:
            raise files.damaged(reviews / "vocabulary.txt", "download", f"it has only {len(vocabulary)} words")
        holdout = params.train.validation == "holdout"
        training, validation = hold_out(labelled, params.train) if holdout else (labelled, read("test"))
    arrays = [array for part in (training, validation) for array in (*vars(part.ids).values(), part.y)]
    arrays += vars(training.unlabelled).values()
    fingerprint = checkpoint.fingerprint(params.pad, params.model, params.train, *arrays)
    path = root / files.CHECKPOINTS / f"{fingerprint}.npz"
    trained = train(training, validation, params.model, params.pad, params.train, path, words=vocabulary)
    checkpoint.prune(path.parent, path)
    model = trained.model(params.model, params.pad, vocabulary, read_provenance(reviews))
    model_file.save(model, root / files.MODEL)
    frames.write_csv(root / files.HISTORY, trained.history)
    is_last = holdout and trained.best_epoch == params.train.epochs
    more = ", the last: with a higher train.epochs the network may become better" * is_last
    print(f"best epoch: {trained.best_epoch} of {len(trained.history)}{more}")
