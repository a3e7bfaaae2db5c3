"""The file of a trained network, read without TensorFlow and without obeying anything that it says.

A `.keras` file is a zip archive. Keras reads three members of it: configuration, version, and the weights as HDF5. Here
the configuration is not looked at: the network is built from its parameters, which are checked, and the weights are
taken from where Keras puts those of such a network, if they have the shapes that the parameters say.
"""

import io
import json
import math
import re
import zipfile
from pathlib import Path
from typing import Annotated, Any

import h5py
import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import ModelParams, PadParams, Tokenizer
from imdb_rnn.engine.kernels.cells import cell_named
from imdb_rnn.engine.weights import Layout, Weights, from_named, named
from imdb_rnn.model import Network
from imdb_rnn.text.vocabulary import RANK_OFFSET

ABOUT, VOCABULARY, CODES = "imdb_rnn.json", "vocabulary.txt", "ngram_codes.npy"
WEIGHTS = "model.weights.h5"  # Keras' name
SCORES = "layers/embedding_1/vars/0"  # of n-grams, where Keras puts them; the first one is of unknown n-grams


class About(BaseModel):
    """What the file says of the network besides its weights."""

    model_config = ConfigDict(extra="forbid", strict=True)
    model: ModelParams
    pad: PadParams
    best_epoch: Annotated[int, Field(ge=1)]
    provenance: dict[str, Any]
    tokenizer: Tokenizer
    labels: tuple[str, str]


def filled(template: dict[str, bytes], network: Network) -> dict[str, bytes]:
    """The members of the file of a network, from those that Keras saves of one of its kind."""
    file = io.BytesIO(template[WEIGHTS])
    with h5py.File(file, "r+") as store:
        for name, array in zip(_names(network.params), list(named(network.weights).values())[:-1], strict=True):
            store[name].write_direct(np.ascontiguousarray(array))
        if network.params.ngrams:
            store[SCORES][1:, 0] = network.weights.ngrams
    return template | {WEIGHTS: file.getvalue()} | members(network)


def members(network: Network) -> dict[str, bytes]:
    """What is added to Keras' archive, by name."""
    about = About(
        model=network.params,
        pad=network.encoding,
        best_epoch=network.best_epoch,
        provenance=network.provenance,
        tokenizer=network.tokenizer,  # type: ignore[arg-type]
        labels=network.labels,
    )
    added = {
        ABOUT: json.dumps(about.model_dump(), indent=2, ensure_ascii=False).encode(),
        VOCABULARY: "\n".join(network.vocabulary).encode(),
    }
    if network.params.ngrams:
        codes = io.BytesIO()
        np.save(codes, network.ngram_codes)
        added[CODES] = codes.getvalue()
    return added


def load(path: Path) -> Network:
    """Read a trained network. Raises `UserError` when the file is missing, damaged, or is not one."""
    files.require(path, "train")
    try:
        with zipfile.ZipFile(path) as archive:
            if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
                raise ValueError("it is compressed")  # `save` never does, so that no file is larger than it looks
            about = About.model_validate_json(archive.read(ABOUT))
            vocabulary = archive.read(VOCABULARY).decode().split("\n")
            codes = _read_codes(archive.read(CODES)) if about.model.ngrams else np.empty(0, np.int64)
            content = archive.read(WEIGHTS)
        if not 0 < len(vocabulary) < about.pad.vocab_size - RANK_OFFSET:
            raise ValueError(f"its vocabulary has {len(vocabulary)} words")
        with h5py.File(io.BytesIO(content), "r") as store:
            weights = _read_weights(store, about, len(codes))
    except Exception as error:  # zip, JSON, NumPy and HDF5 each fail in ways of their own
        if isinstance(error, UserError) or (isinstance(error, OSError) and error.errno):
            raise UserError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
        raise files.damaged(path, "train", error) from error
    of_training = about.best_epoch, about.provenance, about.tokenizer, about.labels
    return Network(about.model, about.pad, weights, codes, vocabulary, *of_training)


def _read_codes(content: bytes) -> np.ndarray:
    file = io.BytesIO(content)
    shape, dtype = files.read_header(file)
    if dtype != np.int64 or len(shape) != 1 or not shape[0] or len(content) - file.tell() != shape[0] * dtype.itemsize:
        raise ValueError("it has no codes of n-grams")
    codes = np.frombuffer(content, dtype, offset=file.tell())
    if np.any(np.diff(codes) <= 0):
        raise ValueError("the codes of its n-grams are not in order")
    return codes


def _read_weights(store: h5py.File, about: About, ngrams: int) -> Weights:
    params = about.model
    matrices = Layout(params, about.pad.vocab_size, 0).matrices
    *names, _ = matrices
    shapes = [matrices[name].shape for name in names]
    if 4 * (sum(map(math.prod, shapes)) + ngrams) > store.id.get_filesize():
        raise ValueError("it is smaller than its weights")  # HDF5 would make up what was never written
    weights = [_read_array(store, name, shape) for name, shape in zip(_names(params), shapes, strict=True)]
    scores = _read_array(store, SCORES, (ngrams + 1, 1))[1:, 0] if params.ngrams else np.empty(0, np.float32)
    return from_named(dict(zip(names, weights, strict=True)) | {"ngrams": scores})


def _names(params: ModelParams) -> list[str]:
    """Where in the HDF5 file Keras puts the weights, in the order of `weights.Layout`, but for the n-grams' scores."""
    snake = _snake_case(cell_named(params.cell).layer)
    cells = [f"{way}_layer/cell" for way in ("forward", "backward")] if params.bidirectional else ["cell"]
    names = ["embedding/vars/0"]
    for number in range(params.layers):
        numbered = ("bidirectional" if params.bidirectional else snake) + (f"_{number}" if number else "")
        names += [f"{numbered}/{cell}/vars/{i}" for cell in cells for i in range(3)]
    return [f"layers/{name}" for name in (*names, "dense/vars/0", "dense/vars/1")]


def _snake_case(name: str) -> str:
    """How Keras names the place of a layer of this class: `SimpleRNN` is `simple_rnn`, `LSTM` is `lstm`."""
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def _read_array(store: h5py.File, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Read an array that lies whole in this very file, so that it is no larger than the file, and of nobody else's."""
    parts = name.split("/")
    for depth in range(1, len(parts) + 1):
        if not isinstance(store.get("/".join(parts[:depth]), getlink=True), h5py.HardLink):
            raise ValueError(f"it has no weights {name}")
    array = store[name]
    if not isinstance(array, h5py.Dataset) or array.shape != shape or array.dtype != np.float32:
        raise ValueError(f"its weights {name} are not float32 {shape}")
    if array.chunks or array.is_virtual or array.external:
        raise ValueError(f"its weights {name} do not lie in the file as they are")
    values = array[()]
    if not np.isfinite(values).all():
        raise ValueError(f"its weights {name} are not all finite")
    return values
