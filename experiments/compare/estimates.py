"""How good a network is, and how two of them differ: estimates, their intervals, and tests."""

from typing import NamedTuple

import numpy as np
from scipy import stats

from imdb_rnn.evaluation.intervals import CONFIDENCE, Interval


class Estimate(NamedTuple):
    """A mean, its standard error, and the degrees of freedom of that."""

    mean: float
    error: float
    freedom: float


def estimate(right: np.ndarray, other: np.ndarray | None = None) -> Estimate:
    """Estimate the accuracy of a network, or its difference from another's on the same reviews.

    Two sources of chance count. Which reviews there are: the variance of the mean over them, paired where there are two
    networks, so that what is hard for both does not count. And which seeds were tried: each network's variance over its
    seeds. Degrees of freedom by Welch and Satterthwaite. With one run of each network it is McNemar's test.

    Args:
        right, other: bool (seeds, reviews): whether the network was right.
    """
    networks = [right] if other is None else [right, other]
    by_review = right.mean(axis=0) - (0 if other is None else other.mean(axis=0))
    by_seeds = [(seeds.mean(axis=1).var(ddof=1) / len(seeds), len(seeds) - 1) for seeds in networks if len(seeds) > 1]
    variance = by_review.var(ddof=1) / len(by_review) + sum(of_network for of_network, _ in by_seeds)
    uncertainty = sum(of_network**2 / of_freedom for of_network, of_freedom in by_seeds)
    freedom = variance**2 / uncertainty if uncertainty else np.inf
    return Estimate(float(by_review.mean()), float(np.sqrt(variance)), float(freedom))


def interval(estimated: Estimate) -> Interval:
    """The interval that holds the true value with `CONFIDENCE`."""
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, estimated.freedom)) * estimated.error
    return estimated.mean - half, estimated.mean + half


def p_value(difference: Estimate) -> float:
    """How often chance alone brings two equal networks as far apart, or farther."""
    if not difference.error:  # right on the very same reviews, or each on those of the other
        return float(difference.mean == 0)
    return float(2 * stats.t.sf(abs(difference.mean) / difference.error, difference.freedom))


def holm(p: np.ndarray) -> np.ndarray:
    """Adjust p-values for their number (Holm, A Simple Sequentially Rejective Multiple Test Procedure, 1979).

    If the differences with a p below some level are taken for real, the chance that equal networks are among them is at
    most that level, however many differences there are.
    """
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1)
    return adjusted
