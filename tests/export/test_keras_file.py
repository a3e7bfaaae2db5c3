import os
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from material import ROOT, network_of
from networks import NETWORKS, VOCAB_SIZE, ragged

from imdb_rnn.export import keras_file

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("keras")]


def python(script: str, folder, **env: str) -> subprocess.CompletedProcess:
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    environment = {**os.environ, "PYTHONPATH": path, **env}
    return subprocess.run([sys.executable, "-c", script], cwd=folder, env=environment, capture_output=True, text=True)


def test_exported_models_are_read_by_keras_alone(tmp_path):
    """As a user would: no module of the project, and the least trusting of Keras' modes. Every kind of network."""
    random = np.random.default_rng(0)
    x = random.integers(1, VOCAB_SIZE, (7, 12), dtype=np.int32)
    x[:3, :4] = 0
    np.save(tmp_path / "ids.npy", x)
    models = [network_of(params) for params in NETWORKS.values()]
    for number, model in enumerate(models):
        keras_file.write(model, tmp_path / f"{number}.keras")
    script = f"""if True:
        import keras, numpy
        ids = numpy.load("ids.npy")
        for number in range({len(models)}):
            model = keras.models.load_model(f"{{number}}.keras", safe_mode=True)
            numpy.save(f"{{number}}.npy", keras.ops.convert_to_numpy(model(ids)))
        # Of the last one, with everything in it, as a graph too, which takes longer to make.
        numpy.testing.assert_allclose(model.predict(ids, verbose=0), keras.ops.convert_to_numpy(model(ids)), atol=1e-6)
    """
    ran = python(script, tmp_path, PYTHONPATH="")
    assert ran.returncode == 0, ran.stderr
    ids = ragged(*(row[row != 0] for row in x))
    for number, model in enumerate(models):
        probability = np.load(tmp_path / f"{number}.npy")[:, 0]
        np.testing.assert_allclose(probability, model.probabilities(ids), atol=1e-6)
        assert np.ptp(probability) > 0.01


def test_the_bytes_depend_on_the_model_alone(tmp_path):
    """Twice in one process, after other models, and in another process, later, with other settings, of Keras too."""
    script = """if True:
        import sys
        from pathlib import Path
        from material import HAS_TENSORFLOW, network_of
        from networks import NETWORKS
        from imdb_rnn.export import keras_file
        assert not {"keras", "tensorflow"} & set(sys.modules), "they are imported with the module"
        for name in ("everything", "simple_rnn"):
            keras_file.write(network_of(NETWORKS[name]), Path(f"{name}.keras"))
        import keras
        assert keras.config.backend() == ("tensorflow" if HAS_TENSORFLOW else "jax")
        assert (keras.config.floatx(), keras.config.epsilon()) == ("float32", 1e-7)
    """
    here = {}
    for name in ("simple_rnn", "everything", "simple_rnn", "everything"):
        path = tmp_path / f"{name}.keras"
        keras_file.write(network_of(NETWORKS[name]), path)
        assert here.setdefault(name, path.read_bytes()) == path.read_bytes()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["everything.keras", "simple_rnn.keras"]
    with zipfile.ZipFile(path) as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    (tmp_path / ".keras").mkdir()
    (tmp_path / ".keras/keras.json").write_text('{"backend": "jax", "floatx": "float64", "epsilon": 0.1}')
    environment = {"HOME": str(tmp_path), "KERAS_BACKEND": "jax", "KERAS_HOME": str(tmp_path / ".keras")}
    environment |= {"LC_ALL": "C", "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7", "SOURCE_DATE_EPOCH": "1"}
    # The process takes longer than two seconds, the grain of the time stamps in an archive.
    ran = python(script, tmp_path, **environment)
    assert (ran.returncode, ran.stdout) == (0, ""), ran.stderr
    assert {name: (tmp_path / f"{name}.keras").read_bytes() for name in here} == here
