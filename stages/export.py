"""Write the model for other programs, as an ONNX and as a Keras file, with a model card.

In: `data/model.safetensors`, and what `evaluate` found. Out: `results/export/`: `model.onnx`, which takes
`ids`, int64 (batch, length), padded as in `data/padded/`, and gives `probability`, float32 (batch,), that a review is
positive, or of more than two classes (batch, classes), with labels, vocabulary and parameters among its metadata;
`model.keras`, which `keras.models.load_model` opens and which takes the same ids; and `model_card.md`, with the
metadata that Hugging Face reads.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from imdb_rnn import model_file
from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import Params
from imdb_rnn.evaluation import results
from imdb_rnn.export import keras_file
from imdb_rnn.model import Model
from imdb_rnn.reporting.card import model_card


@contextmanager
def writing_keras(model: Path, path: Path) -> Iterator[None]:
    """Let a process of its own write the Keras file meanwhile: it is slow to begin, and TensorFlow prints notes.

    Raises:
        UserError: when that process fails; what it printed is printed then.
    """
    command = [sys.executable, "-m", keras_file.__name__, str(model), str(path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, errors="replace") as process:  # noqa: S603
        try:
            yield
        except BaseException:
            process.kill()
            raise
        _, printed = process.communicate()
    if process.returncode:
        print(printed, end="", file=sys.stderr)
        reason = f"Keras ended with status {process.returncode}; see its output above"
        raise UserError(f"{path.name} was not written: {reason}")


def main(params: Params, root: Path) -> None:
    from imdb_rnn.export import onnx_file  # here, because `card_of` is also called where ONNX is not installed

    network = model_file.load(root / files.MODEL)
    with files.replacing(root / files.EXPORT) as new:
        new.mkdir()
        with writing_keras(root / files.MODEL, new / "model.keras"):
            (new / "model_card.md").write_text(card_of(network, params, root), encoding="utf-8", newline="\n")
            onnx_file.write(network, new / "model.onnx")
        for file in sorted(new.iterdir()):
            print(f"{files.EXPORT / file.name} ({file.stat().st_size / 1e3:,.0f} kB)")


def card_of(network: Model, params: Params, root: Path) -> str:
    """The model card, from what `evaluate` found."""
    metrics = files.read_json(results.Metrics, root / files.METRICS, "evaluate")
    sensitivity = files.read_json(results.SensitivityMetrics, root / files.SENSITIVITY_METRICS, "evaluate").sensitivity
    classes = results.read_rows(results.ClassScores, root / files.CLASSES, "evaluate")
    slices = results.read_rows(results.Slice, root / files.SLICES, "evaluate")
    behaviour = results.read_rows(results.Behaviour, root / files.EXPLANATION / "behaviour.csv", "evaluate")
    half_life, language = sensitivity.half_life_words, params.plots.language
    return model_card(network, params.train, metrics, half_life, classes, slices, behaviour, language)
