"""What the networks of the comparison remember, put together: means over the seeds, and reviews that all read."""

import numpy as np

from experiments.compare.memory import RunMemory
from imdb_rnn.core.errors import UserError
from imdb_rnn.decision import THRESHOLD, is_correct, margin
from imdb_rnn.evaluation.sensitivity import half_life
from imdb_rnn.reporting.comparison_results import Comparison, NetworkSensitivity, SharedTrace
from imdb_rnn.text.corpus import Reviews
from imdb_rnn.text.vocabulary import words_of_ranks

WINDOWS = (1, 5, 10, 20, 50)  # words, of the means of which half-lives are taken
EACH_KIND = 2  # reviews on which the networks are right together, wrong together, or divided


def network_memory(runs: list[RunMemory]) -> NetworkSensitivity:
    """Put together what several seeds of one network remember: half-lives by window, and the means of the rest."""
    shortest = min(len(run.gradient) for run in runs)
    gradient = np.mean([run.gradient[:shortest] for run in runs], axis=0)

    def half_lives(window: int) -> list[float | None]:
        return [half_life(np.array(run.gradient), window) for run in runs]

    return NetworkSensitivity(
        half_life_words={str(window): half_lives(window) for window in WINDOWS},
        gradient=gradient.round(8).tolist(),
        last_words={
            words: round(float(np.mean([run.last_words[words] for run in runs])), 6) for words in runs[0].last_words
        },
    )


def read_together(
    traces: dict[str, list[list[float]]], reviews: Reviews, rows: np.ndarray, vocabulary: list[str]
) -> list[SharedTrace]:
    """Choose reviews that several networks read, with what each says after every word.

    Args:
        traces: for each network the probabilities along each of the reviews.
        rows: the reviews.
        vocabulary: of `reviews`, rank 1 first.

    Returns:
        The `EACH_KIND` surest of the reviews that all judge right, as many that all judge wrong, and as many of the
        others, on which they differ most.
    """
    # A network that cuts reviews of this length has no part in comparing them.
    lengths = reviews.ranks.lengths[rows] + 1
    whole = [
        place for place, length in enumerate(lengths) if all(len(each[place]) == length for each in traces.values())
    ]
    rows, traces = rows[whole], {name: [each[place] for place in whole] for name, each in traces.items()}
    labels = reviews.labels[rows]
    ends = np.array([[trace[-1] for trace in each] for each in traces.values()]).reshape(len(traces), len(rows))
    right, sureness = is_correct(labels, ends - THRESHOLD), margin(labels, ends - THRESHOLD)
    all_right, all_wrong = np.all(right, axis=0), np.all(~right, axis=0)
    chosen = {
        "correct": (all_right, -sureness.min(axis=0)),
        "wrong": (all_wrong, sureness.max(axis=0)),
        "divided": (~all_right & ~all_wrong, -np.ptp(ends, axis=0)),
    }
    found = []
    for kind, (is_kind, order) in chosen.items():
        places = np.argsort(order, kind="stable")
        for place in places[is_kind[places]][:EACH_KIND]:
            ranks = reviews.ranks[rows[place]]
            review = {
                "review": int(rows[place]),
                "label": int(labels[place]),
                "kind": kind,
                "words": words_of_ranks(ranks, vocabulary),
                "known": (ranks > 0).tolist(),
                "probability": {name: each[place] for name, each in traces.items()},
            }
            found.append(SharedTrace.model_validate(review))
    return found


def compare_memory(
    source: str, measured: dict[str, list[RunMemory]], reviews: Reviews, rows: np.ndarray, vocabulary: list[str]
) -> Comparison:
    """Put together what `measured` says of each network's runs; the traces are those of its first.

    Args:
        source: of the reviews.
        rows: the reviews that the networks were traced on.

    Raises:
        UserError: when the runs were traced on other reviews than these.
    """
    traces = {name: runs[0].traces for name, runs in measured.items()}
    if any(len(each) != len(rows) for each in traces.values()):
        raise UserError(f"the networks were not traced on these {len(rows)} reviews; run `make compare`")
    return Comparison(
        source=source,
        networks={name: network_memory(runs) for name, runs in measured.items()},
        traces=read_together(traces, reviews, rows, vocabulary),
    )
