"""Threads that share work: each takes the next piece from a queue until none is left."""

import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

# Quota and period, in microseconds, of the processor time of this process and its like: of cgroups v2, and of v1
QUOTAS = (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"))
CGROUPS = Path("/sys/fs/cgroup")


@cache
def count() -> int:
    """How many CPUs this process may use, by its affinity and its cgroup's quota, or NUMBA_NUM_THREADS if lower."""
    from numba import config  # here, because not everything that imports this needs Numba

    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return int(min(cpus, _quota(), config.NUMBA_NUM_THREADS))  # type: ignore[attr-defined]


def _quota() -> float:
    """How many CPUs the quota of a container allows, rounded up; infinity without one."""
    for files in QUOTAS:
        with suppress(OSError, ValueError):  # there is no such file; `max`
            quota, period = (int(number) for file in files for number in (CGROUPS / file).read_text().split())
            if quota > 0:  # -1: none
                return math.ceil(quota / period)
    return math.inf


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
