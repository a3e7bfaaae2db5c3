"""The service as a process of its own, on a free port of this machine."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from material import ROOT, model_of_two_words

from imdb_rnn import model_file

HOST = "127.0.0.1"


class Service(NamedTuple):
    process: subprocess.Popen
    port: int

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(HOST, self.port, timeout=30)

    def ask(self, path: str, body: Any = None, kind: str = "application/json", **headers: str) -> tuple[int, bytes]:
        """Get a path, or post a body: an object as JSON, bytes, or parts without the length of the whole."""
        content = json.dumps(body).encode() if isinstance(body, dict) else body
        connection = self.connect()
        connection.request("GET" if body is None else "POST", path, content, {"Content-Type": kind} | headers)
        answer = connection.getresponse()
        said = answer.status, answer.read()
        connection.close()
        return said

    def upload(self, name: str, table: bytes, **fields: str) -> tuple[int, bytes]:
        """Post a table and fields as a form."""
        mark = uuid.uuid4().hex
        parts = [f'Content-Disposition: form-data; name="table"; filename="{name}"\r\n\r\n'.encode() + table]
        parts += [f'Content-Disposition: form-data; name="{key}"\r\n\r\n{fields[key]}'.encode() for key in fields]
        body = b"".join(f"--{mark}\r\n".encode() + part + b"\r\n" for part in parts) + f"--{mark}--\r\n".encode()
        return self.ask("/predict", body, f"multipart/form-data; boundary={mark}")

    def fault(self, *arguments: Any, **headers: str) -> tuple[int, str]:
        status, said = self.ask(*arguments, **headers)
        return status, json.loads(said)["detail"]


@contextmanager
def running(folder: Path, *options: str, setup: str = "") -> Iterator[Service]:
    """Serve the model of a folder.

    setup: Python that is run first, such as `limits.MAX_BODY = 10`
    """
    modules = (
        "import sys; from imdb_rnn.cli.serving import app, limits, server, uploads; from imdb_rnn.cli import command"
    )
    arguments = ["serve", "--port", "0", *options]
    code = f"{modules}\n{setup}\nsys.argv[1:] = {arguments}\ncommand.main()"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=folder, env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr
            started = re.fullmatch(rf"serving on http://{HOST}:(\d+); stop with Ctrl-C\n", process.stderr.readline())
            assert started, process.stderr.read()
            yield Service(process, int(started[1]))
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
            assert process.stderr.read() == ""
        finally:
            process.kill()


@pytest.fixture(scope="session")
def project(tmp_path_factory) -> Path:
    """A folder with a trained model."""
    folder = tmp_path_factory.mktemp("served")
    model_file.save(model_of_two_words(), folder / "data/model.safetensors")
    return folder


@pytest.fixture(scope="session")
def service(project) -> Iterator[Service]:
    with running(project) as service:
        yield service


@pytest.fixture(scope="session")
def serve(project) -> Callable[..., Any]:
    return lambda *options, **setup: running(project, *options, **setup)


@pytest.fixture
def predict(project):
    """What the command prints, and the table that it writes."""

    def predict(*arguments: str) -> str:
        command = [sys.executable, "-m", "imdb_rnn", "predict", *arguments]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        return subprocess.run(command, cwd=project, env=environment, capture_output=True, check=True, text=True).stdout

    return predict
