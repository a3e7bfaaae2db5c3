"""Small networks of each cell as they are after some epochs, as `make cells` writes them and the page shows them.

The file has their arrays in the safetensors format, named `CELL.EPOCH.NAME`, and one metadata entry, JSON, with all the
rest. Embeddings are most of it, and are there as 16-bit integers and the factor that makes them numbers again.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import safetensors.numpy
from pydantic import Field
from safetensors import SafetensorError

from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import ModelParams, PadParams, Tokenizer
from imdb_rnn.decision import num_logits
from imdb_rnn.engine.layout import Layout
from imdb_rnn.engine.weights import Weights, from_named, named
from imdb_rnn.evaluation.results import Result, Share
from imdb_rnn.model import Model
from imdb_rnn.text.corpus import Labels
from imdb_rnn.text.metadata import KEY

SMALL_NETWORKS = Path("results/experiments/cells.safetensors")  # in git, written by `make cells`


class SmallNetwork(NamedTuple):
    """A network as it is after the epoch `best_epoch`, 0: before training. Its embeddings are `rounded`."""

    network: Model
    validation_accuracy: float
    test_accuracy: float


class _One(Result):
    model: ModelParams
    epoch: Annotated[int, Field(ge=0)]
    validation_accuracy: Share
    test_accuracy: Share


class _All(Result):
    pad: PadParams
    tokenizer: Tokenizer
    labels: Labels
    vocabulary: list[str]
    provenance: dict
    networks: Annotated[list[_One], Field(min_length=1)]


def integers(embeddings: np.ndarray) -> tuple[np.ndarray, np.float32]:
    """Embeddings, not all zero, as int16, and the factor that makes them numbers again."""
    scale = np.float32(np.abs(embeddings).max() / np.iinfo(np.int16).max)
    return np.rint(embeddings / scale).astype(np.int16), scale


def rounded(weights: Weights) -> Weights:
    """The weights with embeddings that `integers` does not change any more."""
    codes, scale = integers(weights.embeddings)
    return weights._replace(embeddings=codes * scale)


def save(networks: Sequence[SmallNetwork], path: Path) -> None:
    """Write networks that differ in their weights and cells alone."""
    arrays: dict[str, np.ndarray] = {}
    for network, *_ in networks:
        codes, scale = integers(network.weights.embeddings)
        of_network = named(network.weights) | {"embeddings": codes, "scale": np.array([scale])}
        arrays |= {f"{network.params.cell}.{network.best_epoch}.{name}": array for name, array in of_network.items()}
    first = networks[0].network
    about = _All(
        pad=first.encoding,
        tokenizer=first.tokenizer,  # type: ignore[arg-type]
        labels=list(first.labels),
        vocabulary=first.vocabulary,
        provenance=first.provenance,
        networks=[
            _One(model=network.params, epoch=network.best_epoch, validation_accuracy=validation, test_accuracy=test)
            for network, validation, test in networks
        ],
    )
    content = safetensors.numpy.save(arrays, {KEY: about.model_dump_json()})
    with files.replacing(path) as new:
        new.write_bytes(content)


def load(path: Path) -> list[SmallNetwork]:
    """Read what `save` wrote. Raises `UserError` when the file is missing or damaged."""
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            about = _All.model_validate_json((file.metadata() or {}).get(KEY, ""))
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, it is not a dictionary
        return [_network(one, about, arrays) for one in about.networks]
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path} cannot be read ({reason}); `git checkout {path}` or run `make cells`") from error


def _network(one: _One, about: _All, arrays: dict[str, np.ndarray]) -> SmallNetwork:
    found = {}
    for name, matrix in Layout(one.model, about.pad.vocab_size, 0, num_logits(len(about.labels))).blocks.items():
        found[name] = arrays[f"{one.model.cell}.{one.epoch}.{name}"]
        if found[name].shape != matrix.shape:
            raise ValueError(f"{name} of {one.model.cell} is {found[name].shape}, it should be {matrix.shape}")
    found["embeddings"] = found["embeddings"] * arrays[f"{one.model.cell}.{one.epoch}.scale"]
    weights, texts = from_named(found), (about.vocabulary, about.tokenizer, tuple(about.labels))
    model = Model(one.model, about.pad, weights, np.empty(0, np.int64), *texts, one.epoch, about.provenance)
    return SmallNetwork(model, one.validation_accuracy, one.test_accuracy)
