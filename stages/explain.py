"""Show how far back the network remembers, and what it thinks while it reads.

In: `data/model.keras`, `data/padded/`, and `data/reviews/` for the words that the network does not know. Out, from a
sample of the test reviews: `results/memory.csv` (gradient by distance), `results/last_words.csv` (accuracy with only
the last words left), `results/traces.json` (probability after every word of some reviews) and `results/memory.json`
with the half-life, which is left out where the gradient does not fall to half. And `data/network.json`: the network as
the page of `report` reads it.
"""

import base64

import numpy as np

from stages import files, memory, network
from stages.batches import unpad
from stages.errors import run
from stages.params import ModelParams, PadParams, load_params
from stages.reviews import Reviews, read_padded, read_reviews, read_vocabulary
from stages.vocabulary import NOT_A_WORD, PADDING, RANK_OFFSET, START, UNKNOWN

CELLS_OF_THE_PAGE = ("simple_rnn", "lstm", "gru")  # `page/network.js` computes these
RIGHT, WRONG, UNDECIDED = 2, 3, 2  # reviews of each label that are traced


def telling(y: np.ndarray, probability: np.ndarray) -> list[tuple[int, str]]:
    """Choose the reviews to trace, as rows, each with its kind.

    Kinds: `right` (the surest of those on the right side), `wrong` (the surest of the others), `undecided` (nearest to
    0.5 of the rest). A review is chosen once; there are fewer of a kind if there are no more.

    Args:
        y: (reviews,), 0 or 1.
        probability: (reviews,), that the review is positive.
    """
    for_label = np.where(y == 1, probability, 1 - probability)
    order = np.argsort(-for_label, kind="stable")
    right = [row for label in (0, 1) for row in order[(y[order] == label) & (for_label[order] > 0.5)][:RIGHT]]
    order = order[::-1]
    wrong = [row for label in (0, 1) for row in order[(y[order] == label) & (for_label[order] < 0.5)][:WRONG]]
    nearest = [row for row in np.argsort(np.abs(probability - 0.5), kind="stable") if row not in right + wrong]
    undecided = [row for label in (0, 1) for row in [row for row in nearest if y[row] == label][:UNDECIDED]]
    kinds = {"right": right, "wrong": wrong, "undecided": undecided}
    return [(int(row), kind) for kind, rows in kinds.items() for row in rows]


def words_read(ids: np.ndarray, reviews: Reviews, review: int, vocabulary: list[str], truncating: str) -> list[str]:
    """The words of a padded review, also those that the network knows as unknown; `NOT_A_WORD` if nobody knows it.

    Args:
        ids: (maxlen,), the padded review.
        truncating: `pre` or `post`, where it was cut if it was too long.
    """
    count = int(np.sum((ids != PADDING) & (ids != START)))
    ranks = reviews.ranks[reviews.offsets[review] : reviews.offsets[review + 1]]
    ranks = ranks[len(ranks) - count :] if truncating == "pre" else ranks[:count]
    return [vocabulary[rank - 1] if rank else NOT_A_WORD for rank in ranks]


def stored_network(
    model: network.keras.Model, params: ModelParams, pad_params: PadParams, vocabulary: list[str]
) -> dict | None:
    """What `page/network.js` needs to read as the trained network does; None for a cell that it does not know.

    Args:
        vocabulary: rank 1 first; only the words that have an id of their own are stored.
    """
    if params.cell not in CELLS_OF_THE_PAGE:
        return None
    weights = network.weights_of(model, params)
    arrays = [weights.vectors, *(array for layer in weights.layers for direction in layer for array in direction)]
    arrays += [weights.kernel, weights.bias, weights.ngram_scores]
    numbers = np.concatenate([np.ravel(array) for array in arrays]).astype("<f4")
    return {
        **params.model_dump(include={"cell", "layers", "bidirectional", "embedding_dim", "units", "pooling", "ngrams"}),
        **params.model_dump(include={"mask_padding"}),
        **pad_params.model_dump(),
        "vocabulary": vocabulary[: pad_params.vocab_size - RANK_OFFSET - 1],
        "ngram_count": len(weights.ngram_scores),
        "weights": base64.b64encode(numbers.tobytes()).decode(),
        "ngram_codes": base64.b64encode(weights.ngram_codes.astype("<i8").tobytes()).decode(),
    }


def main() -> None:
    params = load_params()
    model, model_params = network.load(files.MODEL)
    x, y = read_padded("test", params.pad.vocab_size)
    reviews, vocabulary = read_reviews(files.REVIEWS, "test"), read_vocabulary(files.REVIEWS)
    if len(reviews) != len(y):
        raise files.damaged(files.PADDED, "pad", f"it has {len(y)} test reviews, {files.REVIEWS} has {len(reviews)}")
    rows = memory.sample(len(y), params.explain.reviews)
    x, y = x[rows], y[rows]
    words = unpad(x, mask_padding=True)
    read = network.reader(model, model_params, params.pad)
    as_read = unpad(x, model_params.mask_padding)
    by_distance = memory.gradient_by_distance(network.gradient_norms(model, model_params, as_read), as_read)
    half_life = memory.half_life(by_distance["gradient"].to_numpy())

    traces = []
    for row, kind in telling(y, read(words)):
        known = x[row][(x[row] != PADDING) & (x[row] != START)] != UNKNOWN
        traces.append(
            {
                "review": int(rows[row]),
                "label": int(y[row]),
                "kind": kind,
                "words": words_read(x[row], reviews, rows[row], vocabulary, params.pad.truncating),
                "known": known.tolist(),
                "probability": memory.trace(read, words, row).round(6).tolist(),
            }
        )

    tables = {
        files.MEMORY: by_distance.round({"gradient": 8}),
        files.LAST_WORDS: memory.accuracy_of_last_words(read, words, y, params.pad.maxlen).round(6),
    }
    for path, table in tables.items():
        with files.replacing(path) as new:
            table.to_csv(new, index=False, lineterminator="\n")
    files.write_json(files.TRACES, {"traces": traces})
    found = {} if half_life is None else {"half_life_words": round(half_life, 2)}
    files.write_json(files.MEMORY_METRICS, {"memory": found})
    stored = stored_network(model, model_params, params.pad, vocabulary)
    files.write_json(files.STORED_NETWORK, {"weights": model.count_params(), "network": stored})
    told = "does not fall to half" if half_life is None else f"has fallen to half {half_life:.0f} words back"
    print(f"what a word still does to the answer {told}")


if __name__ == "__main__":
    run(main)
