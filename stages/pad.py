"""Turn reviews of any length into rows of equal length, as the article does before training.

In: `data/reviews/`. Out: `data/padded/{x,y}_{train,test}.npy`, x int32 (reviews, maxlen), y uint8 (reviews,), ready to
be memory-mapped. Equal to Keras' `imdb.load_data(num_words=vocab_size)` and `pad_sequences(maxlen=maxlen)`.
"""

import numpy as np

from stages import files
from stages.errors import run
from stages.params import PadParams, load_params
from stages.reviews import Reviews, read_reviews
from stages.vocabulary import PADDING, RANK_OFFSET, START, UNKNOWN


def pad(reviews: Reviews, params: PadParams) -> np.ndarray:
    """Cut or fill every review to `maxlen` ids: 1 at its start, rank + 3 for a word, 2 for a word beyond `vocab_size`.

    Returns:
        int32 (reviews, maxlen), every id below `vocab_size`.
    """
    known = (reviews.ranks > 0) & (reviews.ranks < params.vocab_size - RANK_OFFSET)
    ids = np.where(known, reviews.ranks + RANK_OFFSET, UNKNOWN).astype(np.int32)

    # A review's tokens are its start mark and its words, so review i begins i places later than its words did.
    lengths = np.diff(reviews.offsets) + 1
    starts = reviews.offsets[:-1] + np.arange(len(reviews))
    tokens = np.empty(len(ids) + len(reviews), np.int32)
    is_start = np.zeros(len(tokens), bool)
    is_start[starts] = True
    tokens[is_start] = START
    tokens[~is_start] = ids

    kept = np.minimum(lengths, params.maxlen)
    position = np.arange(len(tokens)) - np.repeat(starts, lengths)
    if params.truncating == "pre":
        tokens = tokens[position >= np.repeat(lengths - kept, lengths)]
    else:
        tokens = tokens[position < np.repeat(kept, lengths)]

    column = np.arange(params.maxlen)
    filled = column >= params.maxlen - kept[:, None] if params.padding == "pre" else column < kept[:, None]
    x = np.full((len(reviews), params.maxlen), PADDING, np.int32)
    x[filled] = tokens
    return x


def main() -> None:
    params = load_params().pad
    sets = {name: read_reviews(files.REVIEWS, name) for name in ("train", "test")}
    with files.replacing(files.PADDED) as new:
        new.mkdir()
        for name, reviews in sets.items():
            np.save(new / f"x_{name}.npy", pad(reviews, params))
            np.save(new / f"y_{name}.npy", reviews.labels)
    longer = np.mean(np.concatenate([np.diff(reviews.offsets) + 1 for reviews in sets.values()]) > params.maxlen)
    print(f"{sum(map(len, sets.values()))} reviews of {params.maxlen} ids; {longer:.1%} were longer and were cut")


if __name__ == "__main__":
    run(main)
