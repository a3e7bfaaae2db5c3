"""Turn reviews of any length into rows of equal length, as the article does before training.

In: `data/reviews/`. Out: `data/padded/{x,y}_{train,test}.npy`, x int32 (reviews, maxlen), y uint8 (reviews,), ready to
be memory-mapped. Equal to Keras' `imdb.load_data(num_words=vocab_size)` and `pad_sequences(maxlen=maxlen)`.
"""

from pathlib import Path

import numpy as np

from imdb_rnn.base import files
from imdb_rnn.base.params import Params
from imdb_rnn.base.stage import run
from imdb_rnn.reviews import encode
from imdb_rnn.reviews.corpus import read_reviews


def main(params: Params, root: Path) -> None:
    maxlen = params.pad.maxlen
    sets = {name: read_reviews(root / files.REVIEWS, name) for name in ("train", "test")}
    padded = {
        name: (encode.pad(encode.encode(reviews.ranks, params.pad), maxlen, params.pad.padding), reviews.labels)
        for name, reviews in sets.items()
    }
    encode.write_padded(root / files.PADDED, padded)
    longer = np.mean(np.concatenate([reviews.ranks.lengths + 1 for reviews in sets.values()]) > maxlen)
    print(f"{sum(map(len, sets.values()))} reviews of {maxlen} ids; {longer:.1%} were longer and were cut")


if __name__ == "__main__":
    run(main, reads=("pad",))
