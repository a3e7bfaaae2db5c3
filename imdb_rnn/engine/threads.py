"""Threads that share work: each takes the next piece from a queue until none is left."""

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


def parallel_for(function: Callable[..., None], *arguments: Any, overlap: Callable[[], None] | None = None) -> None:
    """Call `function(queue, *arguments)` in every thread; `overlap` is called in this thread first.

    A forked process has no threads of its parent and starts its own. A helper thread that has not started when all
    pieces are done is not waited for: other programs may keep all CPUs busy.

    Args:
        function: releases the GIL, and takes pieces from `queue`, int64 (2,), by `arithmetic.atomic_fetch_add`: at
            index 0 the number of the next piece, at index 1 the number of the thread.
    """
    queue = np.zeros(2, np.int64)
    helpers = _helpers(os.getpid())
    helping = [helpers.submit(function, queue, *arguments) for _ in range(count() - 1)]
    try:
        if overlap:
            overlap()
        function(queue, *arguments)
    finally:
        started = [helper for helper in helping if not helper.cancel()]
        wait(started)  # even after an error, because they write to arrays that the caller goes on using
    for helper in started:
        helper.result()
