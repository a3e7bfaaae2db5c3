"""Reviews as the network reads them: the probability after every word."""

import re
from collections.abc import Callable, Sequence

import numpy as np

from imdb_rnn.decision import THRESHOLD, is_correct, margin, predicted
from imdb_rnn.engine.ragged import Ragged
from imdb_rnn.evaluation.sensitivity import has_start_token
from imdb_rnn.model import Model
from imdb_rnn.text.encode import encode
from imdb_rnn.text.vocabulary import OOV, words_of_ranks

N_CORRECT, N_WRONG, N_UNDECIDED = 2, 3, 2  # reviews of each of two labels that are traced
MOST = 10  # of one kind
UNFIT = re.compile(  # sex, slurs and cruelty: how such words begin; whole words where a \b follows
    r"""\b(?:
    rap(?:e[ds]?|ing|ists?)\b|molest|pa?edophil|incest|sodom|necrophil|bestiality|sex|porn|snuff|erotic|orgy|orgies|semen
    |nud(?:e|es|ity)\b|naked|topless|strippers?\b|striptease|prostitut|brothel|hooker|pimp|underage|masturbat|orgasm
    |ejaculat|fellatio|blowjob|sperm|penis|vagina|dildo|genital|testicle|crotch|breasts|boob|tits\b|nipple|erection
    |anal(?:ly)?\b|condom|fuck|shit|bullshit|cunt|pussy|cocks?\b|whor|slut|bitch|ass(?:es|holes?)?\b|piss|wank|bastard
    |fag(?:s|got\w*)?\b|homos?\b|tranny|retard|nigg|negro|chinks?\b|gooks?\b|japs?\b|spics?\b|kikes?\b|tortur|mutilat
    |behead|decapitat|suicid)""",
    re.VERBOSE,
)
UNFIT_CHINESE = re.compile(
    "强奸|轮奸|乱伦|色情|情色|性侵|性爱|性交|做爱|床戏|裸体|全裸|妓女|嫖|阴茎|阴道|乳房|自慰|婊子|傻逼|他妈的|操你|自杀|虐待"
)


def trace_reviews(network: Model, ranks: Ragged, y: np.ndarray, vocabulary: list[str]) -> list[dict]:
    """Trace the network through the reviews that `choose` chooses of those that are fit for a class.

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
    for row, kind in _choose_fit(y, logits, network.threshold, lambda row: words_of_ranks(ranks[row], vocabulary)):
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


def is_fit(words: Sequence[str]) -> bool:
    """Whether a review can be shown to a class: it has no word of `UNFIT`, and nothing of `UNFIT_CHINESE`."""
    return not (UNFIT.search(" ".join(words)) or UNFIT_CHINESE.search("".join(words)))


def _choose_fit(
    y: np.ndarray, logits: np.ndarray, threshold: float, words_of: Callable[[int], list[str]]
) -> list[tuple[int, str]]:
    """What `choose` chooses of the reviews that are fit; only those that it comes upon are looked at."""
    rows = np.arange(len(y))
    while True:
        chosen = [(int(rows[place]), kind) for place, kind in choose(y[rows], logits[rows], threshold)]
        unfit = [row for row, _ in chosen if not is_fit(words_of(row))]
        if not unfit:
            return chosen
        rows = np.setdiff1d(rows, unfit)


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
        labels = range(max((2, *logits.shape[1:])))
        count = max(1, 2 * count // len(labels))
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
