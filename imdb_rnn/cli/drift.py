"""Drift: whether the texts of a table are unlike those that the model was trained on, more than chance makes them.

Compared are the lengths, the shares of unknown words, and the predictions. For the first two, the largest gap between
the cumulative shares counts, as in the test of Kolmogorov and Smirnov; for predictions that of any class. Fewer unknown
words do no harm. A gap is drift if it is large (`GAP`), and if chance hardly ever makes it as large (`CHANCE`).
"""

import html
import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from imdb_rnn.core import files
from imdb_rnn.text.profiles import LENGTHS, PERCENTS, Profile

# As between two normal distributions half a standard deviation apart: their population stability index is 0.25, which
# usually counts as a major change (Siddiqi, Credit Risk Scorecards, 2006)
GAP = 0.2
CHANCE = 0.001  # of tables like the training texts, at most one in so many is called unlike them
MOSTLY = 50  # percent of unknown words: as texts in other European languages have of a vocabulary of English
NAMES = {"words": "Length", "unknown": "Unknown words", "predicted": "Predicted labels"}
STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.1rem .5rem .1rem 0}td+td{width:40%}
i{display:inline-block;height:.7rem;background:#2b6cb0;margin-right:.4rem}td+td+td i{background:#999}"""


class Difference(NamedTuple):
    """Where the texts differ most from the training texts in one part of a profile.

    part: of `NAMES`
    here, training: the share of the texts, and of the training texts, that are as `what` says
    is_drift: whether it is more than chance and large
    """

    part: str
    what: str
    here: float
    training: float
    is_drift: bool

    def __str__(self) -> str:
        return f"{self.here:.0%} {self.what} (training texts: {self.training:.0%})"


def compare(profile: Profile, training: Profile, labels: Sequence[str]) -> list[Difference]:
    """The differences of texts from training texts, by their profiles, for each of `NAMES`; none if there are no texts.

    Chance: the empirical distribution of n independent values is further than sqrt(ln(2 / p) / 2n) from the one that
    they are drawn from with a probability of at most p, for each n, also if values are equal or in bins (Massart, The
    Annals of Probability 18, 1990). Two samples of one distribution are not further apart than both together.
    """
    tests = 2 + (len(labels) if len(labels) > 2 else 1)
    found = []
    for part in NAMES if sum(profile["words"]) else ():
        counts = np.array([profile[part], training[part]])
        if part == "unknown":
            counts = counts[:, ::-1]  # the highest percentage first
        sizes = counts.sum(axis=1)
        shares = (counts if part == "predicted" else counts.cumsum(axis=1)) / sizes[:, None]
        by_chance = np.sqrt(math.log(4 * tests / CHANCE) / (2 * sizes)).sum()
        gaps = shares[0] - shares[1] if part == "unknown" else np.abs(shares[0] - shares[1])
        at = int(gaps.argmax())
        here, before = shares[:, at].tolist()
        what = {
            "words": f"have fewer than {LENGTHS[min(at, len(LENGTHS) - 1)]:,} words",
            "unknown": f"have {PERCENTS - 1 - at}% unknown words or more",
            "predicted": f"are predicted {labels[min(at, len(labels) - 1)]}",
        }[part]
        found.append(Difference(part, what, here, before, bool(gaps[at] > max(GAP, by_chance))))
    return found


def summary(profile: Profile, training: Profile, labels: Sequence[str]) -> str:
    """What is said of texts that are unlike the training texts, in a line; nothing of others."""
    drifted = [str(difference) for difference in compare(profile, training, labels) if difference.is_drift]
    if not drifted:
        return ""
    is_foreign = sum(profile["unknown"][MOSTLY:]) > sum(profile["unknown"]) / 2
    question = "; are they in another language?" if is_foreign else ""
    return f"these texts are unlike the training texts: {'; '.join(drifted)}{question}"


def write_page(path: Path, profile: Profile, training: Profile, labels: Sequence[str]) -> None:
    """Write the comparison as a page of HTML that works offline. Raises `UserError` when that fails."""
    differences = compare(profile, training, labels)
    parts = [_part(each, profile[each.part], training[each.part], labels) for each in differences]
    title = "A table compared with the training texts"
    verdict = summary(profile, training, labels) or "these texts are like the training texts, as far as compared here"
    texts = f"{sum(profile['words']):,} texts, compared with {sum(training['words']):,} training texts."
    rule = (
        f"A difference counts if it is larger than {GAP:.0%} of the texts and than what chance gives in one of "
        f"{1 / CHANCE:,.0f} comparisons. Lengths are those of the part that the network reads. The predictions for "
        "training texts are those of models that had not seen them."
    )
    said = [f"<p>{html.escape(line)}</p>" for line in (verdict[0].upper() + verdict[1:], texts)]
    body = [f"<h1>{title}</h1>", *said, *parts, f"<p>{rule}</p>"]
    head = f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>\n'
    files.write_text(path, head + "\n".join(body) + "\n</html>\n")


def _part(difference: Difference, texts: list[int], training: list[int], labels: Sequence[str]) -> str:
    """A section of the page: the shares of both in each bin that either has texts in."""
    part = difference.part
    counts = np.array([texts, training])
    if part == "words":
        ends = [f"{low:,} to {high - 1:,}" if high - low > 1 else f"{low}" for low, high in pairwise([0, *LENGTHS])]
        names = [*ends, f"{LENGTHS[-1]:,} or more"]
    elif part == "unknown":
        starts = np.arange(0, 100, 10)
        counts, names = np.add.reduceat(counts, starts, axis=1), [f"{start} to {start + 9}%" for start in starts]
        names[-1] = "90 to 100%"
    else:
        names = list(labels)
    shares = counts / counts.sum(axis=1, keepdims=True)
    rows = [
        f"<tr><td>{html.escape(name)}</td>"
        + "".join(f'<td><i style="width:{70 * share:.1f}%"></i>{share:.1%}</td>' for share in both)
        for name, both in zip(names, shares.T.tolist(), strict=True)
        if any(both)
    ]
    verdict = f"{difference}: {'unlike' if difference.is_drift else 'no clear or large difference'}."
    head = "<tr><th></th><th>these texts</th><th>training texts</th></tr>"
    return f"<h2>{NAMES[part]}</h2>\n<p>{html.escape(verdict)}</p>\n<table>{head}\n" + "\n".join(rows) + "\n</table>"
