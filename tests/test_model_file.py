"""A model file may come from anybody: it is the model that it says, or one line says what is wrong."""

import json
import os
import struct
import subprocess
import sys
from dataclasses import fields, replace

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from material import ROOT, model_params, network_of, run_limited
from networks import NETWORKS, arrays_of
from safetensors import safe_open

from imdb_rnn import model_file
from imdb_rnn.core.errors import UserError
from imdb_rnn.text import metadata
from imdb_rnn.text.profiles import bins


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("saved") / "model.safetensors"
    model_file.save(network_of(model_params(cell="gru", ngrams=2)), path)
    return path.read_bytes()


@pytest.fixture
def path(saved, tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(saved)
    return path


def rewrite(path, arrays=None, **changes) -> None:
    """Write the file again with other arrays and values in the metadata, None for what is left out."""
    found = safetensors.numpy.load(path.read_bytes()) | (arrays or {})
    with safe_open(path, framework="numpy") as file:
        about = json.loads(file.metadata()[metadata.KEY])
    for section, values in changes.items():
        about[section] = (about.get(section) or {}) | values if isinstance(values, dict) else values
    about = {section: values for section, values in about.items() if values is not None}
    found = {name: np.ascontiguousarray(array) for name, array in found.items() if array is not None}
    path.write_bytes(safetensors.numpy.save(found, {metadata.KEY: json.dumps(about)}))


def assert_refused(path, message: str = "") -> None:
    with pytest.raises(UserError, match=rf"^{path} is damaged \(.*{message}.*\); run `dvc repro train`") as caught:
        model_file.load(path)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(("kind", "classes"), [*((kind, 2) for kind in NETWORKS), ("max", 3), ("everything", 100)])
def test_a_model_is_read_as_saved(kind, classes, tmp_path):
    model = network_of(NETWORKS[kind], classes=classes, padding="post", maxlen=9)
    model = replace(model, threshold=0.83, profile={name: [1] * size for name, size in bins(classes).items()})
    model_file.save(model, tmp_path / "model.safetensors")
    again = model_file.load(tmp_path / "model.safetensors")
    for name in (field.name for field in fields(model)):
        one, other = getattr(model, name), getattr(again, name)
        if name == "weights":
            for array, same in zip(arrays_of(one), arrays_of(other), strict=True):
                np.testing.assert_array_equal(array, same)
        elif name == "ngram_codes":
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)
        else:
            assert one == other


def test_the_bytes_depend_on_the_model_alone(saved, tmp_path):
    """And the file says itself what its arrays are called, and the rest in one entry of JSON."""
    script = f"""if True:
        from pathlib import Path
        from material import model_params, network_of
        from imdb_rnn import model_file
        model_file.save(network_of(model_params(cell="gru", ngrams=2)), Path({str(tmp_path / "again")!r}))
    """
    environment = {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")]), "PYTHONHASHSEED": "7"}
    subprocess.run([sys.executable, "-c", script], env=os.environ | environment, check=True)
    assert (tmp_path / "again").read_bytes() == saved
    with safe_open(tmp_path / "again", framework="numpy") as file:
        assert set(file.keys()) == {
            *("embeddings", "layers.0.forward.kernel", "layers.0.forward.recurrent_kernel", "layers.0.forward.bias"),
            *("head.kernel", "head.bias", "ngrams", "ngram_codes"),
        }
        (metadata,) = file.metadata().values()
    assert [*json.loads(metadata)] == [*model_file.Metadata.model_fields]


def test_an_older_file_has_no_threshold_and_no_profile(path):
    rewrite(path, threshold=None, profile=None)
    assert model_file.load(path).threshold == 0.5
    assert model_file.load(path).profile is None


@pytest.mark.parametrize(
    "wrong", [{"words": [1]}, {"predicted": [0, 0]}, {"predicted": [3, -1]}, {"other": [1]}], ids=str
)
def test_a_profile_that_counts_no_texts_is_refused(path, wrong):
    whole = {name: [1] * size for name, size in bins(2).items()}
    rewrite(path, profile=whole)
    assert model_file.load(path).profile == whole
    rewrite(path, profile=whole | wrong)
    assert_refused(path, "its profile does not count texts")


@pytest.mark.parametrize("damage", ["empty", "cut", "no header", "no metadata", "not JSON"])
def test_a_damaged_file_is_refused(path, damage):
    content = path.read_bytes()
    arrays = {"embeddings": np.ones((2, 2), np.float32)}
    path.write_bytes(
        {
            "empty": b"",
            "cut": content[: len(content) // 2],
            "no header": bytes([content[0] ^ 255]) + content[1:],
            "no metadata": safetensors.numpy.save(arrays),
            "not JSON": safetensors.numpy.save(arrays, {metadata.KEY: "{"}),
        }[damage]
    )
    assert_refused(path)


def test_a_missing_file_names_the_stage_that_makes_it(tmp_path):
    with pytest.raises(UserError, match=r"model\.safetensors is missing; run `dvc repro train`"):
        model_file.load(tmp_path / "model.safetensors")


def test_a_folder_in_its_place_is_named(tmp_path):
    with pytest.raises(UserError, match=rf"^{tmp_path} cannot be read \("):
        model_file.load(tmp_path)


@given(data=st.data())
def test_a_file_with_other_bytes_is_a_model_or_one_line(saved, tmp_path_factory, data):
    """Most of the bytes that are changed are in the header, where there is something to misunderstand."""
    content, header = bytearray(saved), 8 + struct.unpack("<Q", saved[:8])[0]
    for _ in range(data.draw(st.integers(1, 4))):
        end = data.draw(st.sampled_from([header, header, len(content)]))
        content[data.draw(st.integers(0, end - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / "model.safetensors"
    path.write_bytes(content[: data.draw(st.sampled_from([len(content), len(content) // 2]))])
    try:
        model_file.load(path)
    except UserError as error:
        assert len(str(error).splitlines()) == 1


def header_of(size: int, **arrays: dict) -> bytes:
    header = json.dumps(arrays).encode()
    return struct.pack("<Q", size or len(header)) + header


@pytest.mark.parametrize(
    "content",
    [
        header_of(2**62),
        header_of(99_000_000),
        header_of(0, embeddings={"dtype": "F32", "shape": [10**6, 4096], "data_offsets": [0, 4 * 4096 * 10**6]}),
        header_of(0, embeddings={"dtype": "F32", "shape": [2**62, 4], "data_offsets": [0, 0]}),
    ],
    ids=["header of exabytes", "header of megabytes", "array of gigabytes", "array beyond 64 bits"],
)
def test_a_file_that_lies_about_its_size_takes_no_memory(tmp_path, content):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    script = f"from pathlib import Path\nfrom imdb_rnn import model_file\nmodel_file.load(Path({str(path)!r}))"
    ran = run_limited(script, 2000)
    assert f"UserError: {path} is damaged" in ran.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": {"units": 6}}, r"layers.0.forward.kernel is F32 \(4, 15\), it should be F32 \(4, 18\)"),
        ({"model": {"units": "5"}}, "units"),
        ({"model": {"layers": 2}}, "layers.1.forward.kernel is None"),
        ({"model": {"pooling": "max+mean"}}, r"head.kernel is F32 \(5, 1\), it should be F32 \(10, 1\)"),
        ({"model": {"ngrams": 4}}, "ngrams"),
        ({"model": {"ngrams": 0}}, "it has 4000 n-grams"),
        ({"model": {"gates": 3}}, "gates"),
        ({"model": {"cell": "transformer"}}, "transformer|simple_rnn"),
        ({"pad": {"vocab_size": 21}}, r"embeddings is F32 \(20, 4\), it should be F32 \(21, 4\)"),
        ({"pad": {"vocab_size": 18}}, "its vocabulary has 16 words"),
        ({"vocabulary": []}, "its vocabulary has 0 words"),
        ({"vocabulary": [1]}, "vocabulary"),
        ({"tokenizer": "x"}, "tokenizer"),
        ({"labels": ["one"]}, "labels"),
        ({"best_epoch": 0}, "best_epoch"),
        ({"threshold": 1.0}, "threshold"),
        ({"more": 1}, "more"),
    ],
)
def test_what_a_file_says_of_itself_must_be_true_and_allowed(path, changes, message):
    rewrite(path, **changes)
    assert_refused(path, message)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"head.bias": None}, "head.bias is None"),
        ({"other": np.ones(1, np.float32)}, "other is F32"),
        ({"head.bias": np.ones(1)}, "head.bias is F64"),
        ({"head.bias": np.ones((1, 1), np.float32)}, r"head.bias is F32 \(1, 1\)"),
        ({"head.bias": np.array([np.nan], np.float32)}, "head.bias is not finite"),
        ({"ngram_codes": None}, "ngram_codes"),
        ({"ngram_codes": np.arange(4001)[:0]}, "it has 0 n-grams"),
        ({"ngram_codes": np.arange(1, 4001)[::-1]}, "ascending"),
        ({"ngram_codes": np.ones(4000, np.int64)}, "ascending"),
        ({"ngram_codes": np.arange(4000, dtype=np.int32)}, "ngram_codes is I32"),
        ({"ngram_codes": np.arange(4000).reshape(2, 2000)}, ""),
        ({"ngram_codes": np.array(4000)}, ""),
        ({"ngram_codes": np.arange(1, 4000)}, "ngrams is F32"),
    ],
)
def test_arrays_are_those_of_the_settings_or_are_refused(path, arrays, message):
    rewrite(path, arrays)
    assert_refused(path, message)
