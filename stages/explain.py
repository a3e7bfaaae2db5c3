"""Show how far back the network remembers, and what it says while it reads.

In: `data/model.keras`, `data/reviews/`. Out, from a sample of the test reviews: `results/explanation/` with
`gradient.csv` (by distance from the end), `last_words.csv` (accuracy with only the last words left) and `traces.json`
(probability after every word of some reviews); and `results/sensitivity.json` with the half-life, left out where
the gradient does not fall to half. Of made-up sentences, each a test of one ability: `behaviour.csv` there, a row for
each test, and `results/behaviour.json`, the share of cases that passed; both empty if the network does not know their
words.
"""

import json
from pathlib import Path

import numpy as np

from imdb_rnn import model_file
from imdb_rnn.core import files
from imdb_rnn.core.params import Params
from imdb_rnn.core.stage import run
from imdb_rnn.engine.ragged import Ragged
from imdb_rnn.evaluation import behaviour, sensitivity
from imdb_rnn.model import Network
from imdb_rnn.text.corpus import read_reviews, read_vocabulary
from imdb_rnn.text.encode import encode
from imdb_rnn.text.vocabulary import OOV, words_of_ranks


def traced(network: Network, ranks: Ragged, y: np.ndarray, vocabulary: list[str]) -> list[dict]:
    """Some reviews, chosen by `sensitivity.choose_traced`, as the network reads them, word by word.

    Args:
        ranks: whole reviews; the words that the network does not know come from here.
        y: (reviews,), 0 or 1.
        vocabulary: of `ranks`, rank 1 first.

    Returns:
        For each row (of `ranks`), label, kind, words, whether each is known, and the probability before the first and
        after each.
    """
    ids = encode(ranks, network.encoding)
    starts = sensitivity.has_start_token(ids).astype(int)
    traces = []
    for row, kind in sensitivity.choose_traced(y, network.logits(ids)):
        words = ids[row][starts[row] :]
        one = ranks.rows(np.array([row]))
        read = one.last(len(words)) if network.encoding.truncating == "pre" else one.first(len(words))
        traces.append(
            {
                "row": row,
                "label": int(y[row]),
                "kind": kind,
                "words": words_of_ranks(read[0], vocabulary),
                "known": (words != OOV).tolist(),
                "probability": network.trace(ids[row], int(starts[row])).round(6).tolist(),
            }
        )
    return traces


def main(params: Params, root: Path) -> None:
    network = model_file.load(root / files.MODEL)
    reviews, vocabulary = read_reviews(root / files.REVIEWS, "test"), read_vocabulary(root / files.REVIEWS)
    rows = sensitivity.sample(len(reviews), params.explain.reviews)
    ranks, y = reviews.ranks.rows(rows), reviews.labels[rows]
    ids = encode(ranks, network.encoding)
    gradient = sensitivity.gradient_by_distance(network.gradient_norms(ids), ids)
    half_life = sensitivity.half_life(gradient["gradient"].to_numpy())
    last_words = sensitivity.accuracy_of_last_words(network.logits, ids, y, network.encoding.maxlen)
    traces = [{"review": int(rows[trace.pop("row")]), **trace} for trace in traced(network, ranks, y, vocabulary)]
    behaved = behaviour.measure(network)
    texts = {
        "behaviour.csv": behaved.to_csv(index=False, lineterminator="\n"),
        "gradient.csv": gradient.round({"gradient": 8}).to_csv(index=False, lineterminator="\n"),
        "last_words.csv": last_words.round(6).to_csv(index=False, lineterminator="\n"),
        "traces.json": json.dumps({"traces": traces}, indent=2, ensure_ascii=False, allow_nan=False) + "\n",
    }
    with files.replacing(root / files.EXPLANATION) as new:
        new.mkdir()
        for name, text in texts.items():
            (new / name).write_text(text, encoding="utf-8", newline="\n")
    metrics = {} if half_life is None else {"half_life_words": round(half_life, 2)}
    files.write_json(root / files.SENSITIVITY_METRICS, {"sensitivity": metrics})
    files.write_json(root / files.BEHAVIOUR_METRICS, behaviour.as_metrics(behaved))
    words = "longer than the reviews" if half_life is None else f"{half_life:.0f} words"
    print(f"half-life of a word's influence on the answer: {words}")
    print(f"made-up sentences: {behaved['passed'].sum()} of {behaved['cases'].sum()} judged as they should be")


if __name__ == "__main__":
    run(main, reads=("explain.reviews",))
