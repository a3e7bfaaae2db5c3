import errno
import io
import os
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from material import ROOT, model_params, network_of
from networks import CELLS, NETWORKS, VOCAB_SIZE, arrays_of, as_keras, ragged

from imdb_rnn import keras_model, model_file
from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import ModelParams, PadParams
from imdb_rnn.engine.kernels.cells import CELLS as CELLS_BY_NAME
from imdb_rnn.engine.kernels.cells import cell_named
from imdb_rnn.engine.weights import Layout

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("keras")]

NO_CODES = np.empty(0, np.int64)


@pytest.fixture(autouse=True)
def templates(tmp_path_factory, monkeypatch):
    """Where what Keras says of a kind of network is kept: nothing yet."""
    monkeypatch.setattr(keras_model, "TEMPLATES", tmp_path_factory.mktemp("templates") / "keras")
    return keras_model.TEMPLATES


def python(script: str, folder, **env: str) -> subprocess.CompletedProcess:
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, **env},
        capture_output=True,
        text=True,
        check=True,
    )


def test_the_article_s_network_has_the_article_s_weights():
    model = keras_model.build(ModelParams(), PadParams().vocab_size, NO_CODES)
    assert [weights.shape for weights in model.get_weights()] == [(10000, 32), (32, 32), (32, 32), (32,), (32, 1), (1,)]
    assert [type(layer).__name__ for layer in model.layers] == ["InputLayer", "Embedding", "SimpleRNN", "Dense"]


@pytest.mark.parametrize(("cell", "layer"), [("simple_rnn", "SimpleRNN"), ("lstm", "LSTM"), ("gru", "GRU")])
def test_each_cell_has_its_own_layer(cell, layer):
    model = keras_model.build(model_params(cell=cell, layers=2), VOCAB_SIZE, NO_CODES)
    assert [type(layer).__name__ for layer in model.layers[2:4]] == [layer, layer]


def test_an_unknown_cell_is_refused():
    with pytest.raises(UserError, match=r"model\.cell is 'x'"):
        keras_model.build(model_params(cell="x"), VOCAB_SIZE, NO_CODES)


@pytest.mark.parametrize("kind", NETWORKS)
def test_the_trained_variables_are_the_arrays_that_the_engine_lays_out(kind):
    """In this order; those of n-grams come behind them."""
    params = NETWORKS[kind]
    model = keras_model.build(params, VOCAB_SIZE, np.arange(1, 5))
    *shapes, _ = (matrix.shape for matrix in Layout(params, VOCAB_SIZE, 4).matrices.values())
    variables = keras_model.variables(model, params)
    assert [variable.shape for variable in variables] == shapes


def test_saved_networks_are_read_by_keras_alone(tmp_path):
    """As a user would: no module of the project, and the least trusting of Keras' modes. Every kind of network."""
    random = np.random.default_rng(0)
    x = random.integers(1, VOCAB_SIZE, (7, 12), dtype=np.int32)
    x[:3, :4] = 0
    np.save(tmp_path / "ids.npy", x)
    networks = [network_of(params) for params in NETWORKS.values()]
    for number, network in enumerate(networks):
        keras_model.save(network, tmp_path / f"{number}.keras")
    script = f"""if True:
        import keras, numpy
        ids = numpy.load("ids.npy")
        for number in range({len(networks)}):
            model = keras.models.load_model(f"{{number}}.keras", safe_mode=True)
            numpy.save(f"{{number}}.npy", model(ids).numpy())
        # Of the last one, with everything in it, as a graph too, which takes longer to make.
        numpy.testing.assert_allclose(model.predict(ids, verbose=0), model(ids).numpy(), atol=1e-6)
    """
    python(script, tmp_path, PYTHONPATH="")
    ids = ragged(*(row[row != 0] for row in x))
    for number, network in enumerate(networks):
        probability = np.load(tmp_path / f"{number}.npy")[:, 0]
        np.testing.assert_allclose(probability, network.predict_proba(ids), atol=1e-6)
        assert np.ptp(probability) > 0.01


def test_keras_is_loaded_when_it_is_needed_says_nothing_and_the_saved_bytes_depend_on_the_network_alone(tmp_path):
    """The smallest and the largest network, each with the same weights in two processes at different times, in one of
    which the user has other settings, of Keras too.
    """
    script = """if True:
        import sys
        from pathlib import Path
        from material import network_of
        from networks import NETWORKS
        from imdb_rnn import keras_model
        assert not {"keras", "tensorflow"} & set(sys.modules)
        keras_model.TEMPLATES = Path("templates")
        keras, tf = keras_model.load_keras()
        assert keras.config.backend() == "tensorflow"
        assert (keras.config.floatx(), keras.config.epsilon()) == ("float32", 1e-7)
        assert not tf.config.get_visible_devices("GPU")
        assert not {"matplotlib", "sklearn"} & set(sys.modules)
        for name in ("simple_rnn", "everything"):
            keras_model.save(network_of(NETWORKS[name]), Path(f"{name}.keras"))
    """
    here = {}
    for name in ("simple_rnn", "everything"):
        keras_model.save(network_of(NETWORKS[name]), tmp_path / f"{name}.keras")
        here[name] = (tmp_path / f"{name}.keras").read_bytes()
    (tmp_path / ".keras").mkdir()
    (tmp_path / ".keras/keras.json").write_text('{"backend": "jax", "floatx": "float64", "epsilon": 0.1}')
    environment = {"HOME": str(tmp_path), "KERAS_BACKEND": "jax", "KERAS_HOME": str(tmp_path / ".keras")}
    environment |= {"LC_ALL": "C", "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7", "SOURCE_DATE_EPOCH": "1"}
    # The process takes longer than two seconds, the grain of the time stamps in an archive.
    ran = python(script, tmp_path, **environment)
    assert (ran.stdout, ran.stderr) == ("", "")
    assert {name: (tmp_path / f"{name}.keras").read_bytes() for name in here} == here


@pytest.mark.parametrize("kind", NETWORKS)
def test_the_saved_bytes_do_not_depend_on_what_was_built_before(monkeypatch, tmp_path, kind):
    """And the weights are written as Keras writes them, to the byte."""
    network, saved = network_of(NETWORKS[kind]), []
    for turn in range(2):
        monkeypatch.setattr(keras_model, "TEMPLATES", tmp_path / f"templates{turn}")
        keras_model.save(network, tmp_path / "model.keras")
        saved.append((tmp_path / "model.keras").read_bytes())
    assert saved[0] == saved[1]
    as_keras(network).save(tmp_path / "theirs.keras")
    ours, theirs = (
        zipfile.ZipFile(tmp_path / name).read(model_file.WEIGHTS) for name in ("model.keras", "theirs.keras")
    )
    assert ours == theirs


@pytest.mark.parametrize("kind", ["simple_rnn", "everything"])
def test_keras_is_asked_once_for_a_kind_of_network(monkeypatch, tmp_path, kind):
    first, other = (network_of(NETWORKS[kind], seed=seed) for seed in (1, 2))
    other = replace(other, ngram_codes=first.ngram_codes)
    keras_model.save(other, tmp_path / "expected.keras")
    shutil.rmtree(keras_model.TEMPLATES)
    keras_model.save(first, tmp_path / "model.keras")
    monkeypatch.setattr(keras_model, "load_keras", lambda: pytest.fail("Keras is loaded"))
    keras_model.save(other, tmp_path / "model.keras")
    assert (tmp_path / "model.keras").read_bytes() == (tmp_path / "expected.keras").read_bytes()


def test_what_keras_said_of_another_network_or_cell_is_not_used(monkeypatch, tmp_path):
    keras_model.save(network_of(model_params()), tmp_path / "model.keras")
    asked, template = [], keras_model._template
    monkeypatch.setattr(keras_model, "_template", lambda *of: asked.append(of) or template(*of))
    keras_model.save(network_of(model_params(dropout=0.5)), tmp_path / "model.keras")
    keras_model.save(network_of(model_params(), vocab_size=30), tmp_path / "model.keras")
    with_ngrams = network_of(model_params(ngrams=1))
    keras_model.save(with_ngrams, tmp_path / "model.keras")
    keras_model.save(replace(with_ngrams, ngram_codes=with_ngrams.ngram_codes + 1), tmp_path / "model.keras")
    changed = replace(cell_named("simple_rnn"), layer_options={"unroll": False})
    monkeypatch.setitem(CELLS_BY_NAME, "simple_rnn", changed)
    keras_model.save(network_of(model_params()), tmp_path / "model.keras")
    assert len(asked) == 5
    monkeypatch.setattr(keras_model, "version", lambda package: f"another {package}")
    keras_model.save(network_of(model_params()), tmp_path / "model.keras")
    assert len(asked) == 6


def test_what_keras_said_is_kept_for_the_code_that_asked(tmp_path):
    """Not for that to which its file was changed while the process ran."""
    shutil.copytree(ROOT / "imdb_rnn", tmp_path / "imdb_rnn", ignore=shutil.ignore_patterns("__pycache__"))
    keras_model.save(network_of(model_params()), tmp_path / "answer.keras")
    path = os.pathsep.join([str(tmp_path), str(ROOT / "tests")])
    script = """if True:
        from pathlib import Path
        from material import model_params, network_of
        from imdb_rnn import keras_model
        file = Path(keras_model.__file__)
        assert file.is_relative_to(Path.cwd())
        {change}
        keras_model.save(network_of(model_params()), Path("model.keras"))
        assert len(list(keras_model.TEMPLATES.iterdir())) == 1
    """
    change = "file.write_text(file.read_text() + 'CHANGED = True')"
    answer = "keras_model._template = lambda *_: keras_model._read(Path('answer.keras'))"
    python(script.format(change=f"{change}; {answer}"), tmp_path, PYTHONPATH=path)
    with pytest.raises(subprocess.CalledProcessError) as failed:
        python(script.format(change="keras_model.load_keras = None"), tmp_path, PYTHONPATH=path)
    assert "'NoneType' object is not callable" in failed.value.stderr


def test_other_threads_find_every_package_while_keras_is_loaded(tmp_path):
    """This thread finds them again afterwards. Keras is a stand-in."""
    stand_in = """if True:
        import importlib.util, threading
        from unittest.mock import Mock
        config, found = Mock(), []

        def look():
            try:
                found.append(importlib.util.find_spec("sklearn").name)
            except ImportError as error:
                found.append(str(error))

        look()
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    """
    for name, code in {"keras": stand_in, "tensorflow": "from keras import config", "sklearn": ""}.items():
        (tmp_path / f"{name}.py").write_text(code)
    script = """if True:
        from imdb_rnn import keras_model
        keras, _ = keras_model.load_keras()
        keras.look()
        print(*keras.found, sep="; ")
    """
    ran = python(script, tmp_path, PYTHONPATH=os.pathsep.join([str(tmp_path), str(ROOT)]))
    assert ran.stdout == "sklearn is hidden while Keras is loaded; sklearn; sklearn\n"


def test_threads_that_load_keras_at_once_leave_stderr_and_imports_as_they_were(tmp_path):
    """Keras is a stand-in that takes a while."""
    keras = "import time\nfrom unittest.mock import Mock\nconfig = Mock()\ntime.sleep(0.5)\nloaded = True\n"
    (tmp_path / "keras.py").write_text(keras)
    (tmp_path / "tensorflow.py").write_text("from keras import config")
    script = """if True:
        import sys, time
        from concurrent.futures import ThreadPoolExecutor
        from imdb_rnn import keras_model
        before = list(sys.meta_path)
        loads = []
        with ThreadPoolExecutor(3) as pool:
            for _ in range(3):
                loads.append(pool.submit(keras_model.load_keras))
                time.sleep(0.1)
        assert all(load.result()[0].loaded for load in loads)
        assert sys.meta_path == before
        print("heard", file=sys.stderr)
    """
    ran = python(script, tmp_path, PYTHONPATH=os.pathsep.join([str(tmp_path), str(ROOT)]))
    assert ran.stderr == "heard\n"


@pytest.mark.parametrize("computing", [True, False])
def test_the_first_call_decides_whether_keras_has_the_gpu(tmp_path, computing):
    """Training is first, building and saving come after. TensorFlow is a stand-in, for there may be no GPU."""
    (tmp_path / "keras.py").write_text("from unittest.mock import Mock\nconfig = Mock()\n")
    (tmp_path / "tensorflow.py").write_text("from keras import Mock\nconfig = Mock()\n")
    script = f"""if True:
        from imdb_rnn import keras_model
        for computing in ({computing}, {not computing}, {computing}):
            _, tf = keras_model.load_keras(computing=computing)
        print(tf.config.set_visible_devices.call_args_list)
    """
    ran = python(script, tmp_path, PYTHONPATH=os.pathsep.join([str(tmp_path), str(ROOT)]))
    assert ran.stdout == ("[]\n" if computing else "[call([], 'GPU')]\n")


def test_a_full_disk_is_said_in_one_line(monkeypatch, tmp_path):
    def save(model, path):
        raise OSError(errno.ENOSPC, "No space left on device")

    keras, _ = keras_model.load_keras()
    monkeypatch.setattr(keras.Model, "save", save)
    with pytest.raises(UserError, match=r"model\.keras cannot be written \(No space left on device\)"):
        keras_model.save(network_of(model_params()), tmp_path / "model.keras")
    assert not list(tmp_path.iterdir())


def without_weights(content: bytes) -> bytes:
    other = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(other, "w") as target:
        target.writestr("config.json", archive.read("config.json"))
    return other.getvalue()


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:-100],
        lambda content: content[:100] + bytes([content[100] ^ 1]) + content[101:],
        without_weights,
    ],
    ids=["empty", "cut", "flipped", "without weights"],
)
def test_keras_is_asked_again_where_its_answer_is_damaged(tmp_path, damage):
    network = network_of(model_params())
    keras_model.save(network, tmp_path / "model.keras")
    expected = (tmp_path / "model.keras").read_bytes()
    (kept,) = keras_model.TEMPLATES.iterdir()
    answer = kept.read_bytes()
    kept.write_bytes(damage(answer))
    keras_model.save(network, tmp_path / "model.keras")
    assert (tmp_path / "model.keras").read_bytes() == expected
    assert kept.read_bytes() == answer


def test_keras_is_asked_every_time_where_its_answer_cannot_be_kept(monkeypatch, tmp_path):
    network = network_of(model_params())
    keras_model.save(network, tmp_path / "expected.keras")
    (tmp_path / "file").touch()
    monkeypatch.setattr(keras_model, "TEMPLATES", tmp_path / "file/keras")
    keras_model.save(network, tmp_path / "model.keras")
    assert (tmp_path / "model.keras").read_bytes() == (tmp_path / "expected.keras").read_bytes()


def test_the_kinds_that_were_used_last_are_kept(monkeypatch, tmp_path, templates):
    monkeypatch.setattr(keras_model, "KEPT_TEMPLATES", 2)
    kept = {}
    for number, units in enumerate((1, 2, 1, 3)):
        keras_model.save(network_of(model_params(units=units)), tmp_path / "model.keras")
        (used,) = set(templates.iterdir()) - set(kept.values()) or {kept.get(units)}
        assert used.stat().st_mtime > 4
        os.utime(used, (number, number))
        kept[units] = used
    assert set(templates.iterdir()) == {kept[1], kept[3]}


def test_saving_leaves_nothing_beside_the_file(tmp_path):
    keras_model.save(network_of(model_params()), tmp_path / "model.keras")
    assert [path.name for path in tmp_path.iterdir()] == ["model.keras"]


@pytest.mark.parametrize("cell", CELLS)
def test_keras_keeps_the_weights_where_the_reader_looks_for_them(cell, tmp_path):
    """That is what `model_file` knows of Keras, besides that the file is a zip archive with HDF5 in it."""
    network = network_of(model_params(cell=cell, layers=2, bidirectional=True, ngrams=1, dropout=0.5))
    as_keras(network).save(tmp_path / "theirs.keras")
    with (
        zipfile.ZipFile(tmp_path / "theirs.keras") as theirs,
        zipfile.ZipFile(tmp_path / "model.keras", "w") as ours,
    ):
        ours.writestr(model_file.WEIGHTS, theirs.read(model_file.WEIGHTS))
        for name, content in model_file.members(network).items():
            ours.writestr(name, content)
    again = model_file.load(tmp_path / "model.keras")
    for array, other in zip(arrays_of(again.weights), arrays_of(network.weights), strict=True):
        np.testing.assert_array_equal(array, other)


def test_the_archive_holds_no_date_and_no_address(tmp_path):
    """What Keras writes of the day and of the memory is replaced."""
    keras_model.save(network_of(NETWORKS["everything"]), tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert keras_model.FIXED_DATE in archive.read("metadata.json").decode()
        shared = re.findall(r'"shared_object_id": (\d+)', archive.read("config.json").decode())
    assert set(map(int, shared)) <= set(range(100))
