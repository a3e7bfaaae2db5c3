import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress

import pytest
from material import ROOT

pytestmark = pytest.mark.slow


def ask_until_refused(service, answered: list, lost: list) -> None:
    """Ask, on one connection as long as it is kept, until no new one is accepted."""
    connection = service.connect()
    while True:
        try:
            connection.connect()
        except ConnectionRefusedError:
            return
        except OSError as error:
            lost.append(error)
            return
        kept = True
        while kept:
            try:
                connection.request("POST", "/predict", b'{"text": "wonderful"}', {"Content-Type": "application/json"})
                answer = connection.getresponse()
                answered.append((answer.status, answer.read()))
                kept = answer.headers["Connection"] != "close"
            except (OSError, http.client.HTTPException) as error:
                lost.append(error)
                kept = False
        connection.close()


@pytest.mark.parametrize("workers", [1, 3])
def test_a_service_that_is_stopped_answers_what_it_has_accepted(serve, workers):
    answered, lost = [], []
    with serve("--workers", str(workers)) as service:
        clients = [threading.Thread(target=ask_until_refused, args=(service, answered, lost)) for _ in range(12)]
        for client in clients:
            client.start()
        while len(answered) < 200:
            time.sleep(0.01)
        service.process.send_signal(signal.SIGTERM)
        for client in clients:
            client.join(30)
        assert service.process.wait(10) == 0
    assert lost == []
    assert {status for status, _ in answered} == {200}
    assert len({said for _, said in answered}) == 1


def test_workers_count_together_and_one_that_dies_is_replaced(serve):
    with serve("--workers", "2", setup="server.PAUSE_SECONDS = 0") as service:
        for _ in range(40):
            assert service.ask("/predict", {"text": "wonderful"})[0] == 200
        assert b"\nimdb_rnn_texts_total 40.0\n" in service.ask("/metrics")[1]
        children = f"/proc/{service.process.pid}/task/{service.process.pid}/children"
        with open(children) as file:  # noqa: PTH123
            first, second = map(int, file.read().split())
        os.kill(first, signal.SIGKILL)
        assert service.process.stderr.readline().startswith(
            "a worker ended with status -9; another one takes its place"
        )
        os.kill(second, signal.SIGKILL)
        service.process.stderr.readline()
        assert service.ask("/predict", {"text": "wonderful"})[0] == 200
        assert b"\nimdb_rnn_texts_total 41.0\n" in service.ask("/metrics")[1]


def test_workers_end_with_the_process_that_started_them(serve):
    with suppress(AssertionError), serve("--workers", "2") as service:  # `serve` asserts that it ends by SIGTERM
        service.process.kill()
        service.process.wait()
    deadline = time.monotonic() + 20
    with pytest.raises(ConnectionRefusedError):
        while time.monotonic() < deadline:
            service.ask("/healthz")
            time.sleep(0.2)


def test_an_address_that_is_taken_is_named(project):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        serve = [sys.executable, "-m", "imdb_rnn", "serve", "--port", port]
        done = subprocess.run(serve, cwd=project, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: 127.0.0.1:{port} cannot be used (Address already in use); choose another")
