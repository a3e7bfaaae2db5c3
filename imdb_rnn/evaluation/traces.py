"""Reviews as the network reads them: the probability after every word."""

import numpy as np

from imdb_rnn.decision import THRESHOLD, is_correct, margin, predicted
from imdb_rnn.engine.ragged import Ragged
from imdb_rnn.evaluation.sensitivity import has_start_token
from imdb_rnn.model import Model
from imdb_rnn.text.encode import encode
from imdb_rnn.text.vocabulary import OOV, words_of_ranks

N_CORRECT, N_WRONG, N_UNDECIDED = 2, 3, 2  # reviews of each of two labels that are traced
MOST = 10  # of one kind


def trace_reviews(network: Model, ranks: Ragged, y: np.ndarray, vocabulary: list[str]) -> list[dict]:
    """Trace the network through the reviews that `choose` chooses.

    Args:
        ranks: of whole reviews, so that words that are OOV for the network have a name.
        y: (reviews,), classes from 0.
        vocabulary: of `ranks`, rank 1 first.

    Returns:
        For each review row (of `ranks`), label, kind, words (that the network read), known (whether each is in the
        network's vocabulary), and what else `results.Trace` has, six decimals.
    """
    ids = encode(ranks, network.encoding)
    has_start, logits, traces = has_start_token(ids), network.logits(ids), []
    decided = predicted(logits)
    for row, kind in choose(y, logits, network.threshold):
        start = int(has_start[row])
        words = ids[row][start:]
        whole = words_of_ranks(ranks[row], vocabulary)
        trace = {
            "row": row,
            "label": int(y[row]),
            "kind": kind,
            "words": whole[len(whole) - len(words) :] if network.encoding.truncating == "pre" else whole[: len(words)],
            "known": (words != OOV).tolist(),
        }
        probability = network.trace_ids(ids[row], start).round(6)
        if probability.ndim == 2:
            trace["predicted"], probability = int(decided[row]), probability[:, decided[row]]
        traces.append(trace | {"probability": probability.tolist()})
    return traces


def choose(y: np.ndarray, logits: np.ndarray, threshold: float = THRESHOLD) -> list[tuple[int, str]]:
    """Choose reviews worth following word by word: pairs of row and kind.

    Kinds: `correct` (the most confident correct predictions), `wrong` (the most confident wrong ones), `undecided`
    (of the remaining reviews those with a `margin` nearest 0). No review is chosen twice; a kind may have too few. The
    more classes there are, the fewer of each, and at most `MOST` of a kind.

    Args:
        y: (reviews,), classes from 0.
        logits: (reviews,) of two classes, (reviews, classes) of more.
        threshold: see `decision.predicted`.
    """
    margins, correct = margin(y, logits, threshold), is_correct(y, logits, threshold)

    def first(order: np.ndarray, count: int) -> list[int]:
        labels, count = range(max(2, logits[0].size)), max(1, 2 * count // max(2, logits[0].size))
        rows = [int(row) for label in labels for row in order[y[order] == label][:count]]
        return rows if len(rows) <= MOST else order[np.isin(order, rows)][:MOST].tolist()

    descending = np.argsort(-margins, kind="stable")
    most_correct = first(descending[correct[descending]], N_CORRECT)
    ascending = descending[::-1]
    most_wrong = first(ascending[~correct[ascending]], N_WRONG)
    nearest = np.argsort(np.abs(margins), kind="stable")
    undecided = first(nearest[~np.isin(nearest, [*most_correct, *most_wrong])], N_UNDECIDED)
    kinds = {"correct": most_correct, "wrong": most_wrong, "undecided": undecided}
    return [(row, kind) for kind, rows in kinds.items() for row in rows]
