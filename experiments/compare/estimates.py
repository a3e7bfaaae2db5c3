"""The accuracy of a network and the difference of two: estimates, confidence intervals, significance tests."""

from typing import NamedTuple

import numpy as np
from scipy import stats

from imdb_rnn.evaluation.intervals import CONFIDENCE, Interval


class Estimate(NamedTuple):
    """A mean, its standard error, and the degrees of freedom of the standard error."""

    mean: float
    error: float
    freedom: float


def estimate(correct: np.ndarray, other: np.ndarray | None = None) -> Estimate:
    """Estimate the accuracy of a network, or the difference of its accuracy from another network's on the same reviews.

    The variance has two parts. The choice of the reviews: the variance of the mean over reviews, paired for two
    networks, so that a review that is hard for both does not add to it. The choice of the seeds: the variance of each
    network over its seeds. Degrees of freedom by Welch and Satterthwaite. With one run each it is McNemar's test.

    Args:
        correct, other: bool (seeds, reviews): whether the network was correct.
    """
    networks = [correct] if other is None else [correct, other]
    by_review = correct.mean(axis=0) - (0 if other is None else other.mean(axis=0))
    by_seeds = [(seeds.mean(axis=1).var(ddof=1) / len(seeds), len(seeds) - 1) for seeds in networks if len(seeds) > 1]
    variance = by_review.var(ddof=1) / len(by_review) + sum(of_network for of_network, _ in by_seeds)
    uncertainty = sum(of_network**2 / of_freedom for of_network, of_freedom in by_seeds)
    freedom = variance**2 / uncertainty if uncertainty else np.inf
    return Estimate(float(by_review.mean()), float(np.sqrt(variance)), float(freedom))


def interval(estimated: Estimate) -> Interval:
    """The confidence interval at `CONFIDENCE`."""
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, estimated.freedom)) * estimated.error
    return estimated.mean - half, estimated.mean + half


def p_value(difference: Estimate) -> float:
    """The two-sided p-value: how often two equal networks differ by this much or more."""
    if not difference.error:  # all reviews contribute the same difference: 0, 1 or -1
        return float(difference.mean == 0)
    return float(2 * stats.t.sf(abs(difference.mean) / difference.error, difference.freedom))


def holm(p: np.ndarray) -> np.ndarray:
    """Adjust p-values for their number (Holm, A Simple Sequentially Rejective Multiple Test Procedure, 1979).

    If the differences with a p below some level are called significant, the probability that any of them is between
    equal networks is at most that level, however many differences there are.
    """
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1)
    return adjusted
