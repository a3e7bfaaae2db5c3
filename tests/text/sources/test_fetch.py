import hashlib
import resource
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pooch
import pytest
from material import contents

from imdb_rnn.core.errors import UserError
from imdb_rnn.text.sources.fetch import fetch

CONTENT = bytes(range(256)) * 400
SHA256 = "sha256:" + hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    """The servers of these tests are on this machine, whatever proxy the environment names."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1")


class Server(ThreadingHTTPServer):
    """A web server on loopback that treats each address in its own bad way, and counts what it is asked."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked = []
        self.released = threading.Event()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{path}"


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        self.server.asked.append(self.path)
        tries = self.server.asked.count(self.path)
        path = self.path.strip("/")
        status, _, then = path.partition("-")  # 404, 429-then-fine
        if status.isdecimal() and not (then and tries == 3):
            self.send_error(int(status))
            return
        content = b"<html>Please log in</html>" if path == "html" else CONTENT
        if path == "redirect":
            self.send_response(302)
            self.send_header("Location", self.server.url("fine"))
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        half = len(content) // 2
        self.wfile.write(content[:half])
        if path == "cut-off" or (path == "cut-off-then-fine" and tries == 1):
            return
        if path == "stalls":
            self.wfile.flush()
            self.server.released.wait(30)
        if path == "slow":
            time.sleep(0.3)
        self.wfile.write(content[half:])


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def no_pause(monkeypatch):
    """Do without pooch's pauses between tries, and list them."""
    pauses = []
    monkeypatch.setattr(pooch.core.time, "sleep", pauses.append)
    return pauses


@pytest.mark.parametrize("path", ["fine", "slow", "redirect"])
def test_a_download_arrives(server, tmp_path, path):
    target = tmp_path / "downloads/file"
    assert fetch(server.url(path), SHA256, target, timeout=5, retries=0) == target
    assert contents(tmp_path) == {"downloads/file": CONTENT}


def test_a_download_without_an_end_is_cut(server, tmp_path):
    for limit in (3, len(CONTENT) - 1):
        with pytest.raises(UserError, match=f"the server sends more than {limit} bytes"):
            fetch(server.url("fine"), SHA256, tmp_path / "file", timeout=5, retries=0, limit=limit)
        assert contents(tmp_path) == {}
    fetch(server.url("fine"), SHA256, tmp_path / "file", timeout=5, retries=0, limit=len(CONTENT))


@pytest.mark.parametrize("limit", [0, 10_000, 100_000])
def test_a_full_disk_is_named_as_that(server, tmp_path, limit):
    """A limit on file size stands in for it: the system writes what fits, and says only how much that was."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        with pytest.raises(UserError) as error:
            fetch(server.url("fine"), SHA256, tmp_path / "file", timeout=5, retries=3)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    (line,) = str(error.value).splitlines()
    assert line.startswith(f"{server.url('fine')}: cannot be copied to {tmp_path / 'file'} (File too large); ")
    assert "that there is space" in line
    assert "checksum" not in line
    assert server.asked == ["/fine"]
    assert contents(tmp_path) == {}


def test_a_file_that_is_there_is_not_fetched_again(server, tmp_path):
    for _ in range(2):
        fetch(server.url("fine"), SHA256, tmp_path / "file", retries=0)
    assert server.asked == ["/fine"]


def test_a_damaged_file_that_is_there_is_fetched_again(server, tmp_path):
    (tmp_path / "file").write_bytes(CONTENT[:-1])
    fetch(server.url("fine"), SHA256, tmp_path / "file", retries=0)
    assert (tmp_path / "file").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("path", "tries"),
    [("503-then-fine", 3), ("429-then-fine", 3), ("408-then-fine", 3), ("cut-off-then-fine", 2)],
)
def test_a_passing_fault_is_overcome_with_growing_pauses(server, tmp_path, no_pause, path, tries):
    fetch(server.url(path), SHA256, tmp_path / "file", timeout=5, retries=3)
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert len(server.asked) == tries
    assert no_pause == [1, 2][: tries - 1]


@pytest.mark.parametrize(
    ("path", "tries", "says"),
    [
        ("404", 1, "the server says 404 Not Found"),
        ("403", 1, "the server says 403 Forbidden"),
        ("410", 1, "the server says 410 Gone"),
        ("408", 2, "408"),
        ("429", 2, "429"),
        ("503", 2, "503"),
        ("cut-off", 2, "download failed"),
        ("stalls", 2, "timed out"),
        ("html", 2, "not the expected file"),
    ],
)
def test_a_lasting_fault_ends_in_one_line_and_leaves_nothing(server, tmp_path, no_pause, path, tries, says):
    with pytest.raises(UserError) as error:
        fetch(server.url(path), SHA256, tmp_path / "file", timeout=0.3 if path == "stalls" else 5, retries=1)
    (line,) = str(error.value).splitlines()
    assert line.startswith(server.url(path))
    assert says in line
    assert "params.yaml" in line
    assert len(server.asked) == tries
    assert contents(tmp_path) == {}


def test_an_unreachable_host_ends_in_one_line(tmp_path, no_pause):
    with Server() as server:
        url = server.url("fine")  # nobody listens there any more
    with pytest.raises(UserError, match=f"^{url}: download failed"):
        fetch(url, SHA256, tmp_path / "file", timeout=0.3, retries=1)
    assert contents(tmp_path) == {}


@pytest.mark.parametrize("url", ["http://[::1/x", "http://a..b/x", "file:///%00x"])
def test_an_address_that_is_none_is_named(tmp_path, no_pause, url):
    with pytest.raises(UserError) as error:
        fetch(url, SHA256, tmp_path / "file", timeout=5, retries=0)
    assert "checksum" not in str(error.value)
    assert str(error.value).startswith(url)


def test_a_file_address_serves_too_even_with_odd_letters(tmp_path):
    source = tmp_path / "my films 影评 #1"
    source.write_bytes(CONTENT)
    fetch(source.as_uri(), SHA256, tmp_path / "copy", retries=0)
    assert (tmp_path / "copy").read_bytes() == CONTENT
    with pytest.raises(UserError, match="No such file"):
        fetch((tmp_path / "absent").as_uri(), SHA256, tmp_path / "other", retries=0)
    assert not (tmp_path / "other").exists()
