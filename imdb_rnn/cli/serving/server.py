"""Processes that serve: they begin when the model is warm, and end when everything that they accepted is answered."""

import asyncio
import gc
import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path

import numba
import uvicorn
from fastapi import FastAPI

from imdb_rnn.cli.serving import limits
from imdb_rnn.cli.serving.app import create_app
from imdb_rnn.core.errors import UserError
from imdb_rnn.engine import threads
from imdb_rnn.model import Model

BACKLOG = 2048  # connections that wait to be accepted
CONNECTIONS = 256  # that a worker holds at a time
LINGER_SECONDS = 1.0  # in which requests that are on their way when the service is stopped still arrive
PAUSE_SECONDS = 1.0  # before a worker that has ended is replaced, which may end at once, too
LOOPBACK = ("127.0.0.1", "localhost", "::1")
STOPS = signal.SIGTERM, signal.SIGINT


class Server(uvicorn.Server):
    """A server that shares its socket with others fairly, and is stopped without losing a request."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept connections: one at a time, so that none takes all while another is idle."""
        await super().startup(sockets)
        for sock in sockets or []:
            sock.listen(BACKLOG)  # which asyncio has set to the number of connections that it accepts at a time

    async def on_tick(self, counter: int) -> bool:
        """Whether to stop: also a worker whose parent was killed."""
        parent = multiprocessing.parent_process()
        return await super().on_tick(counter) or bool(parent and not parent.is_alive())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept what waits, and no more; answer whatever arrives on open connections, and then close these."""
        loop, state = asyncio.get_running_loop(), self.server_state
        state.default_headers = [*state.default_headers, (b"connection", b"close")]
        waiting = []
        for sock in sockets or []:
            with suppress(OSError):  # such as that none is left
                while True:
                    waiting.append(sock.accept()[0])
        for server in self.servers:
            server.close()
        protocol = partial(limits.Protocol, self.config, state, self.lifespan.state)
        for connection in waiting:
            await loop.connect_accepted_socket(protocol, connection)
        until = time.monotonic() + LINGER_SECONDS
        while state.connections and time.monotonic() < until:
            await asyncio.sleep(0.01)
        await super().shutdown(sockets)


def serve(model: Model, report: Path | None, host: str, port: int, workers: int) -> None:
    """Answer requests until the process gets SIGTERM or Ctrl-C, and all that were accepted are answered.

    Several workers are forked when the model is loaded and its compiled code is there, so that they share both. The
    threads of all workers together are as many as there are CPUs.

    Args:
        report: see `create_app`.
        port: 0: one that is free, which is printed.

    Raises:
        UserError: when the address cannot be used, or this system cannot fork.
    """
    if workers < 1 or (workers > 1 and not hasattr(os, "fork")):
        raise UserError(f"--workers is {workers}; choose 1, or more on Linux and macOS")
    cpus = threads.count()
    with ExitStack() as stack:
        if workers > 1:
            os.environ[limits.SHARED] = stack.enter_context(tempfile.TemporaryDirectory(prefix="imdb-rnn-"))
            _use_threads(1)  # a process that has threads should not be forked
        model.predict(["warm"])  # compiles, or loads what was compiled
        hosts = [*LOOPBACK, "[::1]"] if host in LOOPBACK else ["*"]
        app = create_app(model, report, hosts)
        sock = stack.enter_context(_listening(host, port))
        shown = f"[{host}]" if ":" in host else host
        print(f"serving on http://{shown}:{sock.getsockname()[1]}; stop with Ctrl-C", file=sys.stderr, flush=True)
        if workers == 1:
            _run(app, sock)
        else:
            _supervise(workers, sock, partial(_work, app, sock, max(1, cpus // workers)))


def _use_threads(count: int) -> None:
    numba.config.NUMBA_NUM_THREADS = count  # type: ignore[attr-defined]
    threads.count.cache_clear()


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        sock = socket.create_server((host, port), family=family, backlog=BACKLOG)
        # For those that it accepts, too: or the body of an answer waits 40 ms until the client has confirmed its head.
        # asyncio does that only for sockets that are said to be TCP when they are made, as these cannot be.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock
    except (OSError, OverflowError) as error:  # the second of a port that is no port
        reason: object = error
        if isinstance(error, OSError):  # a resolver's numbers are negative
            reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        raise UserError(f"{host}:{port} cannot be used ({reason}); choose another --host or --port") from error


def _run(app: FastAPI, sock: socket.socket) -> None:
    for stop in STOPS:  # before uvicorn handles them, and when it has stopped
        signal.signal(stop, lambda *_: sys.exit())
    options: dict = {"http": limits.Protocol, "ws": "none", "loop": "asyncio", "backlog": 1}
    logging: dict = {"access_log": False, "log_level": "error", "server_header": False}
    config = uvicorn.Config(app, limit_concurrency=CONNECTIONS, proxy_headers=False, **options, **logging)
    Server(config).run([sock])


def _supervise(count: int, sock: socket.socket, work: Callable[[], None]) -> None:
    """Keep so many processes working until this one is told to stop, and then until they have ended."""
    awaited = {*STOPS, signal.SIGCHLD}
    signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
    gc.freeze()  # or the collector would write to the pages that the workers share
    workers = [_fork(work) for _ in range(count)]
    while signal.sigwait(awaited) == signal.SIGCHLD:
        for place, worker in enumerate(workers):
            if not worker.is_alive():
                print(f"a worker ended with status {worker.exitcode}; another one takes its place", file=sys.stderr)
                time.sleep(PAUSE_SECONDS)
                workers[place] = _fork(work)
    sock.close()  # or connections could wait for this process, which accepts none
    for worker in workers:
        worker.terminate()
    for worker in workers:
        worker.join()


def _fork(work: Callable[[], None]) -> BaseProcess:
    worker = multiprocessing.get_context("fork").Process(target=work)
    worker.start()
    return worker


def _work(app: FastAPI, sock: socket.socket, count: int) -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
    _use_threads(count)
    _run(app, sock)
