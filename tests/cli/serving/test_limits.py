import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

pytestmark = pytest.mark.slow

SETUP = "limits.HEAD_SECONDS = limits.BODY_SECONDS = 3; limits.MAX_BODY = 1000"
HEAD = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
HALF = {
    b"": b"408",
    b"\r\n": b"408",
    b"POST /pre": b"408",
    HEAD: b"408",
    HEAD + b"Content-Length: 100\r\n\r\n{": b"408",
    HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n": b"408",
    b"no HTTP at all\r\n\r\n": b"400",
    b"POST /predict HTTP/1.1\r\nContent-Length: -1\r\n\r\n": b"400",
    HEAD + b"X: " + b"x" * 2**16: b"431",
}


@pytest.fixture(scope="module")
def short(serve):
    """A service that waits three seconds."""
    with serve(setup=SETUP) as service:
        yield service


def send(service, *parts: bytes, pause: float = 0.0) -> bytes:
    """Send parts of a request, one after the other, and return everything that comes back until the end."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=60) as connection:
        for part in parts:
            connection.sendall(part)
            time.sleep(pause)
        said = b""
        while more := connection.recv(2**16):
            said += more
        return said


def test_requests_that_are_never_whole_are_ended_while_others_are_answered(short):
    with ThreadPoolExecutor(len(HALF)) as clients:
        ended = clients.map(lambda begun: send(short, begun), HALF)
        assert short.ask("/predict", {"text": "a"})[0] == 200
        for begun, said in zip(HALF, ended, strict=True):
            assert said.startswith(b"HTTP/1.1 " + HALF[begun]), begun[:100]
    assert short.ask("/predict", {"text": "a"})[0] == 200


def test_a_request_that_comes_byte_by_byte_is_ended(short):
    with pytest.raises((ConnectionResetError, BrokenPipeError)):
        send(short, *(bytes([byte]) for byte in HEAD), pause=0.1)
    assert short.ask("/predict", {"text": "a"})[0] == 200


def test_a_second_request_on_a_connection_is_ended_too_if_it_is_half(short):
    body = b'{"text": "a"}'
    whole = HEAD + b"Content-Length: 13\r\n\r\n" + body
    said = send(short, whole, HEAD, pause=0.2)
    assert said.startswith(b"HTTP/1.1 200")
    assert b"HTTP/1.1 408" in said


@pytest.mark.parametrize("parts", [1, 100])
def test_a_body_that_is_too_large_is_refused_with_and_without_its_length(short, parts):
    body = json.dumps({"text": "a" * 5000}).encode()
    chunks = [body[i::parts] for i in range(parts)]
    status, fault = short.fault("/predict", iter(chunks) if parts > 1 else body)
    assert (status, fault) == (413, "the request is larger than 0 MB; send it in parts")


def test_a_client_that_goes_in_the_middle_leaves_nothing_in_the_log(short):
    with socket.create_connection(("127.0.0.1", short.port)) as connection:
        connection.sendall(HEAD + b"Content-Length: 100\r\n\r\n{")
    assert short.ask("/healthz")[0] == 200


def test_a_client_that_takes_no_answer_is_left(serve):
    with serve(setup="limits.WRITE_SECONDS = 0.5; server.LINGER_SECONDS = 0") as service:
        connection = socket.create_connection(("127.0.0.1", service.port))
        body = json.dumps({"texts": ["a wonderful film " * 1000] * 1000}).encode()
        connection.sendall(HEAD + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        deadline = time.monotonic() + 20
        with pytest.raises(ConnectionResetError):
            while time.monotonic() < deadline:
                time.sleep(1)
                connection.sendall(b"\r\n")
