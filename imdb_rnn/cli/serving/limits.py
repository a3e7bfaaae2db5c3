"""What a client may send, and how long it may take; and what is counted of it."""

import asyncio
import os
import time
from typing import TYPE_CHECKING, NamedTuple

from fastapi import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    from prometheus_client import Counter, Histogram

MAX_HEAD, MAX_BODY = 2**16, 2**25  # bytes
HEAD_SECONDS, BODY_SECONDS = 10.0, 30.0  # in which the head, and then the body, of a request has to arrive
SECONDS = 120.0  # in which it is answered
PART = 2**16  # bytes of an answer that are written at a time
WRITE_SECONDS = 30.0  # in which a client has to take a part of an answer
LATE = b"408 Request Timeout"
# The scripts and styles of the page /docs are in it or next to it; it can ask this service and nobody else.
ONLY_HERE = b"default-src 'self' 'unsafe-inline'; img-src 'self' data:"
SHARED = "PROMETHEUS_MULTIPROC_DIR"  # where several processes count; prometheus_client reads it when it is imported


class Metrics(NamedTuple):
    """Numbers of requests, by path and status, their durations in seconds, and the number of texts."""

    requests: "Counter"
    seconds: "Histogram"
    texts: "Counter"


def make_metrics() -> Metrics:
    """Begin to count; once for a process, and for those that are forked from it."""
    from prometheus_client import Counter, Histogram

    return Metrics(
        Counter("imdb_rnn_requests", "Requests that were answered", ["path", "status"]),
        Histogram("imdb_rnn_request_seconds", "From the head of a request to the end of its answer", ["path"]),
        Counter("imdb_rnn_texts", "Texts and rows of tables that were predicted"),
    )


def collected() -> tuple[bytes, str]:
    """The metrics as Prometheus reads them, those of all workers added up, and the type of that content."""
    from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = REGISTRY
    if SHARED in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
    return generate_latest(registry), CONTENT_TYPE_LATEST


class Protocol(HttpToolsProtocol):
    """HTTP that does not wait for ever: for the head or the body of a request, or for a client that takes no answer.

    What uvicorn waits for without a limit is limited here; between two requests its own limit holds.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Read a part of a request."""
        if self.cycle is None or self.cycle.response_complete:
            self._await_head()
            self._head_size += len(data)
        super().data_received(data)
        if "head" in self._timers and self._head_size > MAX_HEAD:
            self._refuse(b"431 Request Header Fields Too Large")

    def on_headers_complete(self) -> None:
        """Begin to answer."""
        self._stop("head")
        self._timers["body"] = self.loop.call_later(BODY_SECONDS, self._refuse, LATE)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Wait for nothing: the request is whole."""
        self._stop("body")
        super().on_message_complete()

    def pause_writing(self) -> None:
        """Wait for the client to take what was written."""
        super().pause_writing()
        self._timers["write"] = self.loop.call_later(WRITE_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: the client has taken it."""
        self._stop("write")
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave no timer behind."""
        for name in list(self._timers):
            self._stop(name)
        super().connection_lost(exc)

    def _await_head(self) -> None:
        if "head" not in self._timers:
            self._timers["head"] = self.loop.call_later(HEAD_SECONDS, self._refuse, LATE)
            self._head_size = 0

    def _stop(self, name: str) -> None:
        if name in self._timers:
            self._timers.pop(name).cancel()

    def _refuse(self, status: bytes) -> None:
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            self.transport.write(b"HTTP/1.1 " + status + b"\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        self.transport.close()


def limited(app: ASGIApp, metrics: Metrics) -> ASGIApp:
    """An application that reads no more than `MAX_BODY` of a request, and is counted."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        begun, status = time.perf_counter(), 500

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if scope["path"] == "/docs":
                    message["headers"].append((b"content-security-policy", ONLY_HERE))
            while len(body := message.get("body", b"")) > PART:  # so that a client may take each part by itself
                await send({**message, "body": body[:PART], "more_body": True})
                message = {**message, "body": body[PART:]}
            await send(message)

        try:
            await app(scope, _receive_limited(receive), note_status)
        finally:
            path = getattr(scope.get("route"), "path", "other")  # not what somebody makes up
            metrics.requests.labels(path, status).inc()
            metrics.seconds.labels(path).observe(time.perf_counter() - begun)

    return answer


def _receive_limited(receive: Receive) -> Receive:
    """A function that gives the parts of a body as `receive` does, and raises an `HTTPException` if it is too large."""
    size = 0

    async def receive_part() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > MAX_BODY:
            while message.get("more_body"):  # most clients look for an answer only when they have sent everything
                message = await receive()
            raise HTTPException(413, f"the request is larger than {MAX_BODY >> 20} MB; send it in parts")
        return message

    return receive_part
