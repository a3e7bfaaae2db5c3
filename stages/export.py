"""Write the network for others, as an ONNX file that needs neither Keras nor this project, with a model card.

In: `data/model.keras`, and what `evaluate` and `explain` found. Out: `results/export/`: `model.onnx`, which takes
`ids`, int64 (batch, length), padded as in `data/padded/`, and gives `probability`, float32 (batch,), that a review is
positive, with vocabulary and parameters among its metadata; and `model_card.md`, with the metadata that Hugging Face
reads. A cell that ONNX has no operator for has the card alone.
"""

from pathlib import Path

from imdb_rnn import model_file
from imdb_rnn.core import files
from imdb_rnn.core.params import Params
from imdb_rnn.engine.kernels.cells import cell_named
from imdb_rnn.evaluation import results
from imdb_rnn.export import onnx_file
from imdb_rnn.reporting.card import model_card


def main(params: Params, root: Path) -> None:
    network = model_file.load(root / files.MODEL)
    metrics = files.read_json(results.Metrics, root / files.METRICS, "evaluate")
    sensitivity = files.read_json(results.SensitivityMetrics, root / files.SENSITIVITY_METRICS, "explain").sensitivity
    slices = results.read_rows(results.Slice, root / files.SLICES, "evaluate")
    behaviour = results.read_rows(results.Behaviour, root / files.EXPLANATION / "behaviour.csv", "explain")
    half_life, language = sensitivity.half_life_words, params.plots.language
    card = model_card(network, params.train, metrics, half_life, slices, behaviour, language)
    with files.replacing(root / files.EXPORT) as new:
        new.mkdir()
        (new / "model_card.md").write_text(card, encoding="utf-8", newline="\n")
        if cell_named(network.params.cell).onnx:
            onnx_file.write(network, new / "model.onnx")
            print(
                f"{files.EXPORT / 'model.onnx'} runs without Keras ({(new / 'model.onnx').stat().st_size / 1e6:.1f} MB)"
            )
        else:
            print(f"ONNX has no operator for the cell {network.params.cell}; there is the model card alone")
