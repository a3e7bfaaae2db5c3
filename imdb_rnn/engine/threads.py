"""Threads that share out work: each takes the next piece from a queue until there is none."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
from typing import Any

import numpy as np
from numba import config


@cache
def count() -> int:
    """How many CPUs this process may use, by its affinity and its cgroup's quota, or NUMBA_NUM_THREADS if lower."""
    import joblib  # here, because it takes 50 ms that an import of the engine does not need

    return min(joblib.cpu_count(), int(config.NUMBA_NUM_THREADS))  # type: ignore[attr-defined]


@cache
def _helpers(process: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(1, count() - 1), "imdb_rnn")


def share_out(function: Callable[..., None], *arguments: Any, meanwhile: Callable[[], None] | None = None) -> None:
    """Call `function(queue, *arguments)` in every thread, and before it `meanwhile` in this one.

    The queue is int64 (2,): the next piece, and the number of the next thread that asks for its own.

    A fork has none of its parent's threads and starts its own. A helper that has not begun when all is done is not
    waited for: other programs may have all processors.

    Args:
        function: takes pieces by `arithmetic.claim`, and lets other threads run.
    """
    queue = np.zeros(2, np.int64)
    helpers = _helpers(os.getpid())
    helping = [helpers.submit(function, queue, *arguments) for _ in range(count() - 1)]
    try:
        if meanwhile:
            meanwhile()
        function(queue, *arguments)
    finally:
        begun = [helper for helper in helping if not helper.cancel()]
        wait(begun)  # in any case, for they write into arrays that whoever called goes on using
    for helper in begun:
        helper.result()
