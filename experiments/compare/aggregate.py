"""How far back the networks of the comparison remember: means over the seeds, and reviews that all networks read."""

import numpy as np

from experiments.compare.sensitivity import RunSensitivity
from imdb_rnn.core.errors import UserError
from imdb_rnn.decision import THRESHOLD, is_correct, margin
from imdb_rnn.evaluation.results import class_names
from imdb_rnn.evaluation.sensitivity import half_life
from imdb_rnn.evaluation.traces import is_fit
from imdb_rnn.reporting.comparison_results import Comparison, NetworkSensitivity, SharedTrace
from imdb_rnn.text.corpus import Reviews
from imdb_rnn.text.vocabulary import words_of_ranks

WINDOWS = (1, 5, 10, 20, 50)  # words in the moving average that gives a half-life
PER_KIND = 2  # reviews that all networks classify correctly, that all classify wrongly, on which they differ


def over_seeds(runs: list[RunSensitivity]) -> NetworkSensitivity:
    """Combine the runs of one network: half-lives by window and seed, and means over the seeds."""
    shortest = min(len(run.gradient) for run in runs)
    gradient = np.mean([run.gradient[:shortest] for run in runs], axis=0)
    last_words = {words: np.mean([run.last_words[words] for run in runs]) for words in runs[0].last_words}
    return NetworkSensitivity(
        half_life_words={
            str(window): [half_life(np.array(run.gradient), window) for run in runs] for window in WINDOWS
        },
        gradient=gradient.round(8).tolist(),
        last_words={words: round(float(mean), 6) for words, mean in last_words.items()},
    )


def choose_shared(
    traces: dict[str, list[list[float]]],
    reviews: Reviews,
    rows: np.ndarray,
    vocabulary: list[str],
    predicted: dict[str, list[int]] | None = None,
) -> list[SharedTrace]:
    """Choose reviews fit for a class that all networks read whole, with each network's probability after every word.

    Args:
        traces: for each network the probabilities along each of the reviews.
        rows: of the reviews that were traced.
        vocabulary: of `reviews`, rank 1 first.
        predicted: of more than two classes, for each network the class that it predicts for each of the reviews.

    Returns:
        `PER_KIND` reviews of each kind: of those that all networks classify correctly the ones with the largest margin,
        of those that all classify wrongly too, and of the others those on which the networks differ most.
    """
    lengths = reviews.ranks.lengths[rows] + 1
    whole = [i for i, length in enumerate(lengths) if all(len(trace[i]) == length for trace in traces.values())]
    whole = [i for i in whole if is_fit(words_of_ranks(reviews.ranks[rows[i]], vocabulary))]
    rows, traces = rows[whole], {name: [trace[i] for i in whole] for name, trace in traces.items()}
    labels = reviews.labels[rows]
    ends = np.array([[trace[-1] for trace in each] for each in traces.values()]).reshape(len(traces), len(rows))
    if predicted:
        correct, margins = np.array([np.array(each)[whole] == labels for each in predicted.values()]), ends
    else:
        correct, margins = (np.array([of(labels, end) for end in ends - THRESHOLD]) for of in (is_correct, margin))
    all_correct, all_wrong = np.all(correct, axis=0), np.all(~correct, axis=0)
    chosen = {
        "correct": (all_correct, -margins.min(axis=0)),
        "wrong": (all_wrong, margins.max(axis=0)),
        "divided": (~all_correct & ~all_wrong, -np.ptp(ends, axis=0)),
    }
    found = []
    for kind, (is_kind, order) in chosen.items():
        indices = np.argsort(order, kind="stable")
        for i in indices[is_kind[indices]][:PER_KIND]:
            ranks = reviews.ranks[rows[i]]
            review = {
                "review": int(rows[i]),
                "label": int(labels[i]),
                "kind": kind,
                "words": words_of_ranks(ranks, vocabulary),
                "known": (ranks > 0).tolist(),
                "probability": {name: trace[i] for name, trace in traces.items()},
            }
            found.append(SharedTrace.model_validate(review))
    return found


def combine(
    provenance: dict, runs: dict[str, list[RunSensitivity]], reviews: Reviews, rows: np.ndarray, vocabulary: list[str]
) -> Comparison:
    """Combine the runs of all networks; the traces are from each network's first run.

    Args:
        provenance: of the reviews.
        rows: of the reviews that the networks were traced on.

    Raises:
        UserError: when the runs were traced on other reviews.
    """
    traces = {name: seeds[0].traces for name, seeds in runs.items()}
    if any(len(each) != len(rows) for each in traces.values()):
        raise UserError(f"the networks were not traced on these {len(rows)} reviews; run `make compare`")
    networks = {name: over_seeds(seeds) for name, seeds in runs.items()}
    predicted = {name: seeds[0].predicted for name, seeds in runs.items() if seeds[0].predicted}
    shared, labels = choose_shared(traces, reviews, rows, vocabulary, predicted), class_names(provenance["labels"])
    return Comparison(source=provenance["source"], labels=tuple(labels), networks=networks, traces=shared)
