"""L2-regularised logistic regression on sparse features, trained to convergence by dual coordinate descent.

The method is that of Yu, Huang and Lin (Dual coordinate descent methods for logistic regression and maximum entropy
models, 2011), which scikit-learn offers as `LogisticRegression(solver="liblinear", dual=True)`. The order of the rows
is drawn for each pass, and all sums have a fixed order, so the weights are the same on every machine, whatever its
number of CPUs.
"""

import numpy as np

from imdb_rnn.engine.features import Features
from imdb_rnn.engine.kernels.arithmetic import Array, atomic_fetch_add, exp
from imdb_rnn.engine.kernels.compiled import compiled, inner
from imdb_rnn.engine.rng import Stream, raw
from imdb_rnn.engine.threads import parallel_for

MAX_PASSES = 10_000


def fit(
    features: Features, targets: np.ndarray, costs: np.ndarray, count: int, seed: int, tolerance: float = 1e-3
) -> np.ndarray:
    """Fit several independent problems to the same rows; K classes are K problems, each class against the rest.

    The weights w of a problem minimise |w|²/2 + the sum of cost * cross-entropy over the rows. The intercept is the
    weight of one more feature, which is 1 in every row, and is regularised like the others.

    Args:
        features: n rows; in a row each column comes once.
        targets: bool (problems, n).
        costs: float64 (problems, n), from 0: scikit-learn's C times the row's sample weight. 0 leaves a row out.
        count: how many features there are; every column is below it.
        seed: of the order of the rows.
        tolerance: a problem is solved when a pass over all rows finds no logit further from its optimum, given the
            other rows.

    Returns:
        float64 (problems, count + 1), the intercept last.

    Raises:
        ValueError: if a problem is not solved in `MAX_PASSES` passes. At high costs their number grows with the costs.
    """
    problems, n = targets.shape
    weights, duals, log_odds = np.zeros((problems, count + 1)), np.zeros((problems, n)), np.full((problems, n), -np.inf)
    rows = _arrays(features)
    state = np.where(targets, 1.0, -1.0), np.array(costs, np.float64), duals, log_odds, weights
    unsolved = np.ones(problems, bool)
    for number in range(MAX_PASSES):
        order = np.argsort(raw(n, seed, Stream.ORDER, number), kind="stable")
        parallel_for(_pass, order, rows, state, tolerance, unsolved)
        if not unsolved.any():
            return weights
    raise ValueError(f"logistic regression did not converge in {MAX_PASSES} passes; lower costs take fewer")


def logits(features: Features, weights: np.ndarray) -> np.ndarray:
    """The logit of each row in each problem, float64 (problems, n); for the arguments see `fit`."""
    out = np.empty((len(weights), len(features.columns)))
    parallel_for(_logits, _arrays(features), weights, out)
    return out


def _arrays(features: Features) -> tuple[np.ndarray, ...]:
    columns = features.columns
    return columns.values, features.values, columns.starts, columns.lengths


@compiled
def _logits(queue: Array, rows: tuple[Array, ...], weights: Array, out: Array) -> None:
    """Take problems from the queue, and write the logits of all rows."""
    while True:
        p = atomic_fetch_add(queue, 0)
        if p >= len(weights):
            return
        for r in range(out.shape[1]):
            out[p, r] = _logit(rows, r, weights[p])


@inner
def _logit(rows: tuple[Array, ...], r: int, w: Array) -> float:
    columns, values, starts, lengths = rows
    total = w[-1]
    for i in range(starts[r], starts[r] + lengths[r]):
        total += np.float64(values[i]) * w[columns[i]]
    return total


@compiled
def _pass(
    queue: Array, order: Array, rows: tuple[Array, ...], state: tuple[Array, ...], tolerance: float, unsolved: Array
) -> None:
    """Take problems from the queue; in each that is unsolved visit all rows once, and write whether it still is.

    Args:
        state: signs, 1 or -1, costs, dual variables, the log-odds of dual variables / costs: each (problems, n);
            weights.
    """
    signs, costs, duals, log_odds, weights = state
    while True:
        p = atomic_fetch_add(queue, 0)
        if p >= len(unsolved):
            return
        if unsolved[p]:
            of_problem = signs[p], costs[p], duals[p], log_odds[p], weights[p]
            unsolved[p] = _visit(order, rows, of_problem, tolerance) > tolerance


@inner
def _visit(order: Array, rows: tuple[Array, ...], of_problem: tuple[Array, ...], tolerance: float) -> float:
    """Set each row's dual variable to its optimum, given the others; return the largest distance of a logit from there.

    The weights remain the sum over rows of sign * dual variable * features.
    """
    columns, values, starts, lengths = rows
    signs, costs, duals, log_odds, w = of_problem
    farthest = 0.0
    for r in order:
        if costs[r] > 0:
            row = range(starts[r], starts[r] + lengths[r])
            square = 1.0  # of the intercept's feature
            for i in row:
                square += np.float64(values[i]) * np.float64(values[i])
            margin = signs[r] * _logit(rows, r, w)
            farthest = max(farthest, abs(margin + log_odds[r]))
            log_odds[r] = _optimum(margin, duals[r], costs[r], square, log_odds[r], tolerance)
            dual = costs[r] * _sigmoid(log_odds[r])
            step = signs[r] * (dual - duals[r])
            for i in row:
                w[columns[i]] += step * np.float64(values[i])
            w[-1] += step
            duals[r] = dual
    return farthest


@inner
def _optimum(margin: float, dual: float, cost: float, square: float, log_odds: float, tolerance: float) -> float:
    """The log-odds t of a row's best dual variable: the root of t + margin + square * (cost * sigmoid(t) - dual).

    There t is minus the margin that the row has then. The authors look for the dual variable itself; its log-odds need
    no logarithm, and lose no digits where it is close to 0 or the cost. Newton's method, with bisection where that
    leaves the interval that has the root. The slope is above 1, so that the error is below the function's value.
    """
    low, high = square * (dual - cost) - margin, square * dual - margin
    t = min(max(log_odds, low), high)
    while True:
        share = _sigmoid(t)
        excess = t + margin + square * (cost * share - dual)
        if abs(excess) <= 0.1 * tolerance or high - low <= 0.1 * tolerance:
            return t
        if excess > 0:
            high = t
        else:
            low = t
        t -= excess / (1.0 + square * cost * share * (1.0 - share))
        if not low < t < high:
            t = 0.5 * (low + high)


@inner
def _sigmoid(t: float) -> float:
    e = exp(-abs(t))
    return (1.0 if t > 0 else e) / (1.0 + e)
