"""A model file may come from anybody: it is the network that it says, or one line says what is wrong."""

import io
import json
import os
import subprocess
import sys
import zipfile
from dataclasses import fields

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from material import ROOT, model_params, network_of
from networks import NETWORKS, arrays_of

from imdb_rnn import keras_model, model_file
from imdb_rnn.core.errors import UserError

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("keras")]

KERNEL = "layers/gru/cell/vars/0"  # of the network below: float32 (4, 15)


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("saved") / "model.keras"
    keras_model.save(network_of(model_params(cell="gru", ngrams=2)), path)
    return path.read_bytes()


@pytest.fixture
def path(saved, tmp_path):
    path = tmp_path / "model.keras"
    path.write_bytes(saved)
    return path


def members(path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def replace(path, **replacements: bytes | None) -> None:
    """Write the archive anew with other members, those without content left out; `__` in a name is a dot."""
    contents = members(path) | {name.replace("__", "."): content for name, content in replacements.items()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            if content is not None:
                archive.writestr(name, content)


def change_about(path, **changes) -> None:
    about = json.loads(members(path)[model_file.ABOUT])
    for section, values in changes.items():
        about[section] = about.get(section, {}) | values if isinstance(values, dict) else values
    replace(path, imdb_rnn__json=json.dumps(about).encode())


def change_weights(path, change) -> None:
    """Let `change` do something to the weights' HDF5 file."""
    content = io.BytesIO(members(path)[model_file.WEIGHTS])
    with h5py.File(content, "r+") as store:
        change(store)
    replace(path, model__weights__h5=content.getvalue())


def assert_refused(path, message: str = "") -> None:
    with pytest.raises(UserError, match=rf"^{path} is damaged \(.*{message}.*\); run `dvc repro train`") as caught:
        model_file.load(path)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_network_is_read_as_saved(kind, tmp_path):
    network = network_of(NETWORKS[kind], padding="post", maxlen=9)
    keras_model.save(network, tmp_path / "model.keras")
    again = model_file.load(tmp_path / "model.keras")
    for name in (field.name for field in fields(network)):
        one, other = getattr(network, name), getattr(again, name)
        if name == "weights":
            for array, same in zip(arrays_of(one), arrays_of(other), strict=True):
                np.testing.assert_array_equal(array, same)
        elif name.startswith("ngram"):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)
        else:
            assert one == other


@pytest.mark.slow
def test_a_network_is_read_without_tensorflow(path):
    """And so are its answers computed."""
    script = f"""if True:
        import sys
        from pathlib import Path
        from networks import ragged
        from imdb_rnn import model_file
        network = model_file.load(Path({str(path)!r}))
        ids = ragged([1, 4, 5])
        network.predict_proba(ids), network.gradient_norms(ids), network.trace(ids[0], 1)
        assert not {{"keras", "tensorflow"}} & set(sys.modules)
    """
    python_path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    subprocess.run([sys.executable, "-c", script], env=os.environ | {"PYTHONPATH": python_path}, check=True)


def lambda_layer() -> dict:
    """A layer of pickled code, as Keras' configurations have had them."""
    code = {"class_name": "__lambda__", "config": {"code": "4wEAAAA="}}
    return {"module": "keras.layers", "class_name": "Lambda", "config": {"name": "embedding", "function": code}}


@pytest.mark.parametrize(
    "config",
    [
        lambda content: None,
        lambda content: b"\xff{{",
        lambda content: json.dumps(lambda_layer()).encode(),
        lambda content: json.dumps({"module": "os", "class_name": "system", "config": "touch harmed"}).encode(),
        lambda content: content.replace(b'"GRU"', b'"LSTM"'),
    ],
    ids=["none", "no JSON", "code", "another module", "another network"],
)
def test_what_keras_would_build_of_the_file_is_not_looked_at(path, config):
    expected = model_file.load(path)
    replace(path, config__json=config(members(path)["config.json"]), metadata__json=b"{}")
    network = model_file.load(path)
    assert network.params == expected.params
    for array, same in zip(arrays_of(network.weights), arrays_of(expected.weights), strict=True):
        np.testing.assert_array_equal(array, same)


@pytest.mark.parametrize("damage", ["empty", "cut", "flipped", "other archive", "Keras' own"])
def test_a_damaged_file_is_refused(path, damage):
    content, middle = path.read_bytes(), len(path.read_bytes()) // 2
    if damage == "Keras' own":
        keras, _ = keras_model.load_keras()
        keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]).save(path)
    elif damage == "other archive":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("x", "y")
    else:
        path.write_bytes(
            {
                "empty": b"",
                "cut": content[:middle],
                "flipped": content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :],
            }[damage]
        )
    assert_refused(path)


def test_a_missing_file_names_the_stage_that_makes_it(tmp_path):
    with pytest.raises(UserError, match=r"model\.keras is missing; run `dvc repro train`"):
        model_file.load(tmp_path / "model.keras")


def test_a_folder_in_its_place_is_named(tmp_path):
    with pytest.raises(UserError, match=rf"^{tmp_path} cannot be read: Is a directory$"):
        model_file.load(tmp_path)


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_file_with_other_bytes_is_a_network_or_one_line(saved, tmp_path_factory, data):
    content = bytearray(saved)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / "model.keras"
    path.write_bytes(content[: data.draw(st.integers(len(content) // 2, len(content)))])
    try:
        model_file.load(path)
    except UserError as error:
        assert len(str(error).splitlines()) == 1


def test_a_compressed_file_is_refused(path):
    """It could be a bomb: little on disk, much in memory."""
    contents = members(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    assert_refused(path, "it is compressed")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": {"units": 6}}, r"gru/cell/vars/0 are not float32 \(4, 18\)"),
        ({"model": {"units": "5"}}, "units"),
        ({"model": {"layers": 2}}, "it has no weights layers/gru_1/cell/vars/0"),
        ({"model": {"pooling": "max+mean"}}, r"dense/vars/0 are not float32 \(10, 1\)"),
        ({"model": {"ngrams": 4}}, "ngrams"),
        ({"model": {"gates": 3}}, "gates"),
        ({"pad": {"vocab_size": 21}}, r"embedding/vars/0 are not float32 \(21, 4\)"),
        ({"pad": {"vocab_size": 1_000_000}, "model": {"embedding_dim": 4096}}, "it is smaller than its weights"),
        ({"pad": {"vocab_size": 18}}, "its vocabulary has 16 words"),
        ({"best_epoch": 0}, "best_epoch"),
        ({"more": 1}, "more"),
    ],
)
def test_what_a_file_says_of_itself_must_be_true_and_allowed(path, changes, message):
    change_about(path, **changes)
    assert_refused(path, message)


def test_a_cell_that_is_not_there_is_named_with_those_that_are(path):
    change_about(path, model={"cell": "transformer"})
    with pytest.raises(UserError, match=r"'transformer', it should be 'simple_rnn', 'lstm' or 'gru'$"):
        model_file.load(path)


def array_bytes(array: np.ndarray) -> bytes:
    content = io.BytesIO()
    np.save(content, array, allow_pickle=True)
    return content.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        array_bytes(np.arange(1, 4001)[::-1]),
        array_bytes(np.ones(4000, np.int64)),
        array_bytes(np.arange(4000, dtype=np.int32)),
        array_bytes(np.arange(4000).reshape(2, 2000)),
        array_bytes(np.array([{}], object)),
        array_bytes(np.arange(1, 4001))[:-8],
        array_bytes(np.empty(0, np.int64)),
        array_bytes(np.arange(1, 4000)),
    ],
    ids=["none", "empty", "descending", "equal", "int32", "a matrix", "objects", "cut", "no codes", "one too few"],
)
def test_codes_of_ngrams_are_as_many_as_their_scores_and_in_order(path, content):
    replace(path, ngram_codes__npy=content)
    assert_refused(path)


def put(store: h5py.File, **options) -> None:
    """Put the kernel in again, made with other options of h5py."""
    values = store[KERNEL][()]
    del store[KERNEL]
    store.create_dataset(KERNEL, **{"data": values} | options)


def external_link(store):
    del store[KERNEL]
    store[KERNEL] = h5py.ExternalLink("/etc/passwd", "/x")


def soft_link(store):
    store["aside"] = store[KERNEL]
    del store[KERNEL]
    store[KERNEL] = h5py.SoftLink("/aside")


def soft_link_above(store):
    store.move("layers/gru", "aside")
    store["layers/gru"] = h5py.SoftLink("/aside")


def external_data(store):
    put(store, data=None, shape=(4, 15), dtype=np.float32, external=[("/dev/zero", 0, h5py.h5f.UNLIMITED)])


def virtual(store):
    del store[KERNEL]
    layout = h5py.VirtualLayout((4, 15), np.float32)
    layout[:] = h5py.VirtualSource("elsewhere.h5", "x", (4, 15))
    store.create_virtual_dataset(KERNEL, layout)


def a_group(store):
    del store[KERNEL]
    store.create_group(KERNEL)


def not_finite(store):
    store[KERNEL][0, 0] = np.nan


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (external_link, "it has no weights"),
        (soft_link, "it has no weights"),
        (soft_link_above, "it has no weights"),
        (external_data, "do not lie in the file"),
        (virtual, "do not lie in the file"),
        (lambda store: put(store, chunks=(2, 15)), "do not lie in the file"),
        (lambda store: put(store, compression="gzip"), "do not lie in the file"),
        (lambda store: put(store, data=np.zeros((4, 16), np.float32)), "are not float32"),
        (lambda store: put(store, data=np.zeros((15, 4), np.float32)), "are not float32"),
        (lambda store: put(store, data=np.zeros((4, 15))), "are not float32"),
        (lambda store: put(store, dtype=">f4"), "are not float32"),
        (a_group, "are not float32"),
        (not_finite, "are not all finite"),
        (lambda store: store.__delitem__(KERNEL), "it has no weights"),
        (lambda store: store.move("layers", "others"), "it has no weights"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_weights_lie_in_the_file_as_they_are_or_are_refused(path, change, message):
    change_weights(path, change)
    assert_refused(path, message)


def test_weights_that_were_never_written_take_no_memory(path):
    """HDF5 would fill them with zeros: a file of a few kilobytes that asks for 16 gigabytes."""
    change_about(path, pad={"vocab_size": 1_000_000}, model={"embedding_dim": 4096})

    def claim(store):
        del store["layers/embedding/vars/0"]
        store.create_dataset("layers/embedding/vars/0", (1_000_000, 4096), np.float32)

    change_weights(path, claim)
    assert path.stat().st_size < 1 << 20
    assert_refused(path, "it is smaller than its weights")
