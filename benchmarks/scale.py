"""Would several machines train one network faster? A step as measured here, against the exchange of its gradient.

Usage: python -m benchmarks.scale. Measures, for networks of several sizes, a training step of 128 reviews, and how long
two processes of this machine take to send each other a gradient and add it up: over TCP on loopback, so without a
network between them. From the step it computes that of several machines joined by a network of `GIGABITS`: each reads
its share of the reviews, then a ring adds the gradients up, in which each sends 2 (n - 1) / n of one. Prints Markdown.
"""

import multiprocessing
import socket
import statistics
import time

import numpy as np

from benchmarks.growth import nanoseconds
from imdb_rnn.core.errors import run_command

BATCH, WORDS = 128, 223  # reviews of a step, and the mean of their words
VOCABULARY, DIM = 10_000, 32
UNITS = (32, 128, 256)
MACHINES = (2, 10, 100)
GIGABITS = 10
ROUND_TRIP = 0.0001  # seconds, between two machines of one data centre
EXCHANGES = 20


def weights(units: int) -> int:
    """Weights of a SimpleRNN: vectors, kernels, bias and head."""
    return VOCABULARY * DIM + units * (DIM + units + 1) + units + 1


def exchange_seconds(count: int) -> float:
    """Send and receive so many float32 numbers, and add them up: the median over some exchanges."""
    listener = socket.create_server(("127.0.0.1", 0))
    context = multiprocessing.get_context("spawn")
    other = context.Process(target=_answer, args=(listener.getsockname()[1], count))
    other.start()
    connection, _ = listener.accept()
    with listener, connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        seconds = _exchange(connection, count, sends_first=True)
    other.join()
    return statistics.median(seconds)


def _answer(port: int, count: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _exchange(connection, count, sends_first=False)


def _exchange(connection: socket.socket, count: int, sends_first: bool) -> list[float]:
    gradient, received = np.ones(count, np.float32), np.empty(count, np.float32)
    seconds = []
    for _ in range(EXCHANGES):
        begun = time.perf_counter()
        for sends in (sends_first, not sends_first):
            if sends:
                connection.sendall(gradient.data)
            else:
                _receive(connection, received)
        gradient += received
        seconds.append(time.perf_counter() - begun)
        gradient[:] = 1
    return seconds


def _receive(connection: socket.socket, out: np.ndarray) -> None:
    view = memoryview(out).cast("B")
    while len(view):
        count = connection.recv_into(view)
        if not count:
            raise ConnectionError("the other process has ended")
        view = view[count:]


def step_seconds(alone: float, machines: int, count: int) -> float:
    """A step on several machines: a share of the reading, and a ring over the network.

    Args:
        alone: seconds of a step on one machine.
        count: weights, four bytes each.
    """
    sent = 2 * (machines - 1) / machines * 4 * count
    return alone / machines + sent / (GIGABITS * 1e9 / 8) + 2 * (machines - 1) * ROUND_TRIP / 2


def main() -> None:
    columns = ["units", "weights", "step, ms", "exchange here, ms", *(f"{n} machines, ms" for n in MACHINES)]
    print(f"| {' | '.join(columns)} |\n|{' --- |' * len(columns)}")
    for units in UNITS:
        alone = nanoseconds("compiled", "simple_rnn", units, VOCABULARY, 25_000) * BATCH * WORDS / 1e9
        count = weights(units)
        several = [step_seconds(alone, machines, count) for machines in MACHINES]
        numbers = [1000 * seconds for seconds in (alone, exchange_seconds(count), *several)]
        print(f"| {units} | {count:,} | {' | '.join(f'{number:.1f}' for number in numbers)} |", flush=True)


if __name__ == "__main__":
    run_command(main)
