"""Data that means harm, or none in particular: every reader answers with its value or one line, in bounded memory."""

import io
import json
import os
import pickle
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from material import ROOT, as_lists, model_params, write_archive
from test_network import made

from stages import files, network, sources
from imdb_rnn.base.errors import UserError
from imdb_rnn.base.params import Params, parse_params
from stages.reviews import from_lists
from imdb_rnn.reviews.vocabulary import tokenize

TEXT = (ROOT / "params.yaml").read_text(encoding="utf-8")
ONE_LINE_EACH = settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])


@ONE_LINE_EACH
@given(st.text())
def test_any_text_is_parameters_or_lines(text):
    with pytest.raises(UserError):
        parse_params(text)


@ONE_LINE_EACH
@given(position=st.integers(0, len(TEXT) - 1), put=st.text(max_size=8), cut=st.integers(0, 20))
def test_a_changed_parameter_file_is_parameters_or_lines(position, put, cut):
    try:
        assert isinstance(parse_params(TEXT[:position] + put + TEXT[position + cut :]), Params)
    except UserError as error:
        assert all(line.startswith("params.yaml: ") for line in str(error).splitlines())


def limited(code: str, mebibytes: int) -> subprocess.CompletedProcess:
    """Run Python with so much memory, and no more than a minute of the processor."""
    head = f"import resource\nresource.setrlimit(resource.RLIMIT_AS, ({mebibytes << 20}, {mebibytes << 20}))\n"
    head += "resource.setrlimit(resource.RLIMIT_CPU, (60, 60))\n"
    return subprocess.run(
        [sys.executable, "-c", head + code],
        cwd=ROOT,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},  # each thread takes address space
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_aliases_cannot_fill_the_memory():
    """Ten lines of YAML that stand for a thousand million strings."""
    laughs = "a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n"
    for name, before in zip("bcdefghi", "abcdefgh", strict=True):
        laughs += f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
    code = f"from imdb_rnn.base.params import parse_params\nparse_params({laughs + 'pad: *i'!r})"
    ran = limited(code, 2000)
    assert "stages.errors.UserError: params.yaml: " in ran.stderr, ran.stderr[-500:]
    assert len(ran.stderr) < 20_000


def test_an_archive_that_unpacks_to_more_than_it_may_is_refused(tmp_path):
    path = tmp_path / "imdb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("x_train", "y_train", "x_test", "y_test"):
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array_header_1_0(
                    member, {"descr": "|u1", "fortran_order": False, "shape": (300 << 20,)}
                )
                for _ in range(300):
                    member.write(bytes(1 << 20))
    assert path.stat().st_size < 2 << 20
    code = f"from pathlib import Path\nfrom stages.sources import read_archive\nread_archive(Path({str(path)!r}))"
    ran = limited(code, 2000)
    assert "stages.errors.UserError" in ran.stderr, ran.stderr[-500:]
    assert "unpacked it would be more than" in ran.stderr


def test_a_pickle_cannot_multiply_reviews_without_end(tmp_path):
    """One list of words, referred to again and again, is small as a pickle and large when laid out."""
    review = [1] * 10_000
    path = tmp_path / "imdb.npz"
    write_archive(path, x_train=[review] * 100_000, y_train=np.ones(100_000, int), x_test=[[1]], y_test=np.ones(1, int))
    assert path.stat().st_size < 3 << 20
    arrays = sources.read_archive(path)
    with pytest.raises(UserError, match=r"the reviews have 1000000000 words, more than 268435456"):
        from_lists(list(arrays["x_train"]), arrays["y_train"])


class Harmful:
    def __reduce__(self):
        return os.system, ("touch harmed",)


def test_nothing_that_a_file_asks_for_is_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "|O", "fortran_order": False, "shape": (1,)})
    stream.write(pickle.dumps(np.array([Harmful()], object)))
    (tmp_path / "harmful.npy").write_bytes(stream.getvalue())
    with pytest.raises(UserError, match="is damaged"):
        files.read_array(tmp_path / "harmful.npy", "pad")
    with zipfile.ZipFile(tmp_path / "imdb.npz", "w") as archive:
        for name in ("x_train", "y_train", "x_test", "y_test"):
            archive.writestr(f"{name}.npy", stream.getvalue())
    with pytest.raises(UserError, match="asks for"):
        sources.read_archive(tmp_path / "imdb.npz")
    assert not (tmp_path / "harmed").exists()


@pytest.mark.parametrize("shape", [(10**15,), (2**62, 4), (-1,)])
def test_an_array_that_claims_any_size_is_refused(tmp_path, shape):
    path = tmp_path / "x.npy"
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<i8", "fortran_order": False, "shape": shape})
    for memory_map in (False, True):
        with pytest.raises(UserError, match="is damaged"):
            files.read_array(path, "pad", memory_map=memory_map)


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("saved") / "model.keras"
    params = model_params(cell="gru", ngrams=2)
    network.save(made(params), params, path)
    return path.read_bytes()


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_damaged_model_is_a_model_or_one_line(saved, tmp_path_factory, data):
    content = bytearray(saved)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / "model.keras"
    path.write_bytes(content[: data.draw(st.integers(len(content) // 2, len(content)))])
    try:
        network.load(path)
    except UserError as error:
        assert len(str(error).splitlines()) == 1


def test_a_model_with_code_in_it_is_refused(saved, tmp_path):
    """Keras' safe mode, which refuses a Lambda layer of pickled code, is on."""
    path = tmp_path / "model.keras"
    path.write_bytes(saved)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    config["config"]["layers"][1] = {
        "module": "keras.layers",
        "class_name": "Lambda",
        "config": {"name": "embedding", "function": {"class_name": "__lambda__", "config": {"code": "4wEAAAA="}}},
        "registered_name": None,
        "name": "embedding",
        "inbound_nodes": config["config"]["layers"][1]["inbound_nodes"],
    }
    members["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(UserError, match="is damaged"):
        network.load(path)


def test_a_compressed_model_is_refused(saved, tmp_path):
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(io.BytesIO(saved)) as archive, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as other:
        for name in archive.namelist():
            other.writestr(name, archive.read(name))
    with pytest.raises(UserError, match="it is compressed"):
        network.load(path)


@given(st.text())
def test_any_text_is_cut_into_words(text):
    words = tokenize(text)
    assert all(words)
    assert tokenize(" ".join(words)) == words


def test_a_real_archive_passes_all_of_this(corpus, tmp_path):
    x, y = as_lists(corpus.test)[:50], corpus.test.labels[:50].astype(int)
    write_archive(tmp_path / "imdb.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    arrays = sources.read_archive(tmp_path / "imdb.npz")
    assert list(arrays["x_train"]) == x
