import os
import subprocess
import sys
from threading import Event, Thread, current_thread, main_thread

import numpy as np
import pytest
from material import ROOT, network_of
from networks import NETWORKS, reviews_of
from numba import config

from imdb_rnn.engine import threads
from imdb_rnn.engine.kernels.arithmetic import atomic_fetch_add
from imdb_rnn.engine.kernels.compiled import compiled
from imdb_rnn.engine.threads import parallel_for


@pytest.fixture
def three(monkeypatch):
    """Three threads, however many processors there are."""
    monkeypatch.setattr(threads, "count", lambda: 3)


@pytest.mark.parametrize(
    ("affinity", "quota", "numba", "expected"),
    [
        (6, {}, None, 6),
        (6, {}, 4, 4),
        (2, {}, 4, 2),
        (6, {"cpu.max": "max 100000"}, None, 6),
        (6, {"cpu.max": "250000 100000"}, None, 3),
        (2, {"cpu.max": "250000 100000"}, None, 2),
        (6, {"cpu/cpu.cfs_quota_us": "50000", "cpu/cpu.cfs_period_us": "100000"}, None, 1),
        (6, {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None, 6),
    ],
)
def test_the_cpus_are_those_that_this_process_may_use_or_fewer(monkeypatch, tmp_path, affinity, quota, numba, expected):
    """By its affinity, the quota of a container, of both kinds, and NUMBA_NUM_THREADS."""
    for file, text in quota.items():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(text + "\n")
    monkeypatch.setattr(threads, "CGROUPS", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: range(affinity), raising=False)
    monkeypatch.setattr(config, "NUMBA_NUM_THREADS", numba or affinity)
    assert threads.count.__wrapped__() == expected


@compiled
def _count(queue, taken, numbers):
    numbers[atomic_fetch_add(queue, 1)] += 1
    while True:
        piece = atomic_fetch_add(queue, 0)
        if piece >= len(taken):
            return
        taken[piece] += 1


def test_each_piece_is_taken_once_and_each_thread_has_a_number_of_its_own(three):
    for _ in range(20):
        taken, numbers = np.zeros(100_000, np.int64), np.zeros(3, np.int64)
        parallel_for(_count, taken, numbers)
        assert (taken == 1).all()
        assert numbers[0] == 1
        assert numbers.max() == 1


def test_overlap_is_called_once_by_the_caller_and_before_its_pieces(three):
    did = []
    parallel_for(lambda queue: did.append(current_thread()), overlap=lambda: did.append("overlap"))
    assert did.count("overlap") == did.count(main_thread()) == 1
    assert did.index("overlap") < did.index(main_thread())


def test_an_exception_in_a_helper_reaches_who_called(three):
    begun = Event()

    def fail(queue):
        if current_thread() is main_thread():
            assert begun.wait(10)
        else:
            begun.set()
            raise ValueError("in a helper")

    with pytest.raises(ValueError, match="in a helper"):
        parallel_for(fail)


def test_a_helper_that_has_not_begun_is_not_waited_for(monkeypatch):
    """Here all threads are busy with something else."""
    parallel_for(lambda queue: None)  # so that all threads are there
    more = threads.count() + 10
    monkeypatch.setattr(threads, "count", lambda: more)
    done, begun, called = Event(), Event(), []

    def wait(queue):
        if current_thread() is busy:
            begun.set()
        assert done.wait(30)

    busy = Thread(target=parallel_for, args=(wait,))
    busy.start()
    assert begun.wait(10)
    parallel_for(lambda queue: called.append(current_thread()))
    done.set()
    busy.join()
    assert called == [main_thread()]


def test_several_threads_compute_at_once_and_each_what_it_would_alone():
    networks, ids = (
        [network_of(NETWORKS[kind], seed=seed) for kind in ("everything", "lstm") for seed in (1, 2)],
        reviews_of(20, 60, 12),
    )
    alone = [(network.logits(ids), network.gradient_norms(ids).values) for network in networks]
    answers = [[] for _ in networks]

    def answer(network, of_network):
        of_network += [(network.logits(ids), network.gradient_norms(ids).values) for _ in range(10)]

    at_once = [Thread(target=answer, args=arguments) for arguments in zip(networks, answers, strict=True)]
    for thread in at_once:
        thread.start()
    for thread in at_once:
        thread.join()
    for expected, of_network in zip(alone, answers, strict=True):
        assert len(of_network) == 10
        for answer in of_network:
            for array, same in zip(answer, expected, strict=True):
                np.testing.assert_array_equal(array, same)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_after_a_fork_both_processes_read_on():
    """Threads do not survive a fork, so a child that took over its parent's would wait for them for ever."""
    script = """if True:
        import os, sys
        from networks import ragged
        from material import model_params, network_of
        network, ids = network_of(model_params()), ragged([1, 5, 6], [1, 7])
        before = network.probabilities(ids).tolist()
        child = os.fork()
        if child == 0:
            os._exit(network.probabilities(ids).tolist() != before)
        same = network.probabilities(ids).tolist() == before
        sys.exit(not same or os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    # In a process group of its own, so that a child that hangs is ended with it
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", script],
        env=os.environ | {"PYTHONPATH": path},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.communicate(timeout=60)[1] == ""
        assert process.returncode == 0
    finally:
        if process.poll() is None:
            os.killpg(process.pid, 9)
            process.communicate()
