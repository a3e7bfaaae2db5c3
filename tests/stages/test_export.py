import errno
from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
from material import ROOT, network_of
from networks import NETWORKS, ragged

from imdb_rnn import model_file
from imdb_rnn.core import files, frames
from imdb_rnn.core.errors import UserError
from imdb_rnn.evaluation import behaviour, intervals, metrics, results, slices
from imdb_rnn.export import onnx_file
from stages import export

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("keras")]


@pytest.fixture
def measured(tmp_path):
    """A folder with a network, and what the stages before `export` say of it."""
    provenance = {"source": "bundled", "description": "reviews", "test": {"reviews": 4}}
    network = replace(network_of(NETWORKS["everything"]), provenance=provenance)
    model_file.save(network, tmp_path / files.MODEL)
    y, logits = np.array([0, 1, 0, 1]), np.array([-1.0, 2.0, 0.5, 0.1])
    files.write_json(
        tmp_path / files.METRICS,
        {
            "best_epoch": 3,
            "test": metrics.scores(y, logits),
            "test_intervals": intervals.of_scores(y, logits),
            **metrics.beside_baseline(y, logits, logits),
        },
    )
    files.write_json(tmp_path / files.SENSITIVITY_METRICS, {"sensitivity": {}})
    frames.write_csv(tmp_path / files.CLASSES, metrics.classes(y, logits, results.CLASSES))
    frames.write_csv(tmp_path / files.SLICES, slices.measure(y, logits, np.array([1, 2, 3, 4]), np.zeros(4)))
    frames.write_csv(tmp_path / files.EXPLANATION / "behaviour.csv", behaviour.measure(network))
    return tmp_path


def test_the_file_gives_what_the_network_gives(params, measured, capsys):
    export.main(params, measured)
    network = network_of(NETWORKS["everything"])
    session = onnxruntime.InferenceSession(measured / files.EXPORT / "model.onnx", providers=["CPUExecutionProvider"])
    (probability,) = session.run(None, {"ids": np.array([[1, 5, 9, 4]])})
    np.testing.assert_allclose(probability, network.probabilities(ragged([1, 5, 9, 4])), rtol=0, atol=1e-5)
    written = capsys.readouterr().out.splitlines()
    assert [line.split(" ")[0] for line in written] == [
        f"results/export/{name}" for name in ("model.keras", "model.onnx", "model_card.md")
    ]
    assert "model-index" in (measured / files.EXPORT / "model_card.md").read_text()


def test_the_notes_of_tensorflow_are_not_shown_but_what_it_says_when_it_fails_is(params, measured, monkeypatch, capfd):
    export.main(params, measured)
    assert capfd.readouterr().err == ""
    crash = "import os\nos.write(2, b'the instructions are missing\\n')\nos.abort()\n"
    (measured / "keras.py").write_text(crash)
    monkeypatch.setenv("PYTHONPATH", f"{measured}:{ROOT}")
    with pytest.raises(UserError, match=r"^model.keras was not written: Keras ended with status -6; see its output"):
        export.main(params, measured)
    assert "the instructions are missing" in capfd.readouterr().err
    assert (measured / files.EXPORT / "model.keras").exists(), "the older folder is gone"


def test_a_full_disk_is_said_in_one_line(params, measured, monkeypatch):
    def write(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(onnx_file, "write", write)
    with pytest.raises(UserError, match=r"results.export cannot be written \(No space left on device\)"):
        export.main(params, measured)
    assert not list((measured / files.EXPORT.parent).glob("*export*"))
    assert not list((measured / files.EXPORT.parent).glob(f"{files.TEMPORARY}*"))
