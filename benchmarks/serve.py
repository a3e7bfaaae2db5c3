"""How the web service answers many clients at once: `python -m benchmarks.serve`.

Takes `data/model.safetensors` and the bundled reviews, starts `imdb-rnn serve`, and asks it about one review after the
other: as a single client, and then as 50 clients for a minute, each with its own connection. Prints how long answers
took, how many there were, and the memory of the service. Every answer is compared with that of `imdb-rnn predict`.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import numpy as np

import imdb_rnn
from imdb_rnn.cli.answers import answers
from imdb_rnn.core.errors import run_command
from imdb_rnn.text.sources.bundled import find_file, read_table

SINGLE, TEXTS = 1000, 5000  # requests of the single client; reviews
HOST = "127.0.0.1"
HEAD = "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"


def requests_and_answers() -> list[tuple[bytes, dict]]:
    """What is asked, and what `imdb-rnn predict --json` says to it."""
    model, texts = imdb_rnn.load(), read_table(find_file())["text"].tolist()[:TEXTS]
    bodies = [json.dumps({"text": text}).encode() for text in texts]
    said = answers(model, texts, model.decision_function(texts))
    return [(HEAD.format(len(body)).encode() + body, answer) for body, answer in zip(bodies, said, strict=True)]


async def ask(
    port: int, asked: list[tuple[bytes, dict]], numbers: Iterator[int], until: float, times: list[float]
) -> int:
    """Ask one after the other on one connection, note how long each answer took, and return how many were wrong."""
    reader, writer = await asyncio.open_connection(HOST, port, limit=2**20)
    wrong = 0
    while (number := next(numbers, None)) is not None and time.perf_counter() < until:
        request, expected = asked[number % len(asked)]
        begun = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
        times.append(time.perf_counter() - begun)
        wrong += not head.startswith(b"HTTP/1.1 200 ") or json.loads(body) != expected
    writer.close()
    return wrong


def resident(process: int) -> float:
    """The memory of a process and its children, in MB; pages that several of them share count in each."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * 4096 / 2**20 + sum(resident(int(child)) for child in children)


async def measure(process: int, port: int, clients: int, seconds: float) -> None:
    """Print what this module's docstring says."""
    asked, times = requests_and_answers(), list[float]()
    wrong = await ask(port, asked, iter(range(SINGLE)), np.inf, times)
    single = statistics.median(times)
    print(f"one client: median {single * 1000:.1f} ms of {len(times):,} answers, {wrong} wrong")

    numbers, times = count(), []
    begun, before = time.perf_counter(), 0.0
    running = [asyncio.create_task(ask(port, asked, numbers, begun + seconds, times)) for _ in range(clients)]
    await asyncio.sleep(seconds / 6)
    before = resident(process)
    done = await asyncio.gather(*running, return_exceptions=True)
    errors = [error for error in done if isinstance(error, BaseException)]
    p50, p99 = np.percentile(times, [50, 99])
    print(f"{clients} clients: {len(times):,} answers, {len(times) / (time.perf_counter() - begun):,.0f} a second")
    print(f"median {p50 * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms, {p99 / single:.1f} times the single client's median")
    print(f"{sum(each for each in done if isinstance(each, int))} wrong, {len(errors)} errors {errors[:1] or ''}")
    print(f"memory: {before:.0f} MB after {seconds / 6:.0f} s, {resident(process):.0f} MB at the end")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--workers", default="1")
    arguments = parser.parse_args()
    command = [sys.executable, "-m", "imdb_rnn", "serve", "--port", "0", "--workers", arguments.workers]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            port = int(process.stderr.readline().split(";")[0].rpartition(":")[2])
            asyncio.run(measure(process.pid, port, arguments.clients, arguments.seconds))
        finally:
            process.terminate()


if __name__ == "__main__":
    run_command(main)
