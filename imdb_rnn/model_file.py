"""The file of a trained model: its arrays in the safetensors format, and one metadata entry, JSON, with all the rest.

A file may come from anybody. Reading it executes nothing, takes no more memory than the file is large, and checks
everything that the file says about itself.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

from imdb_rnn.core import files
from imdb_rnn.decision import num_logits
from imdb_rnn.engine.layout import Layout
from imdb_rnn.engine.weights import from_named, named
from imdb_rnn.model import Model
from imdb_rnn.text.metadata import KEY, Metadata, opened, parse

CODES = "ngram_codes"


def metadata(model: Model) -> str:
    """The metadata as JSON, the keys in the order of `Metadata`."""
    values = Metadata(
        model=model.params,
        pad=model.encoding,
        tokenizer=model.tokenizer,  # type: ignore[arg-type]
        labels=list(model.labels),
        best_epoch=model.best_epoch,
        threshold=model.threshold,
        profile=model.profile,
        provenance=model.provenance,
        vocabulary=model.vocabulary,
    )
    return json.dumps(values.model_dump(), ensure_ascii=False)


def save(model: Model, path: Path) -> None:
    """Write a model to a file whose bytes depend on nothing but the model. Raises `UserError` if that fails."""
    content = safetensors.numpy.save(named(model.weights) | {CODES: model.ngram_codes}, {KEY: metadata(model)})
    with files.replacing(path) as new:
        new.write_bytes(content)


def load(path: Path, stage: str = "train") -> Model:
    """Read a model that `stage` wrote. Raises `UserError` when the file is missing, damaged, or not a model."""
    with opened(path, stage) as file:
        return _read(file)


def _read(file: Any) -> Model:
    about = parse(file)
    found = {}
    for name in file.keys():  # noqa: SIM118, it is not a dictionary
        array = file.get_slice(name)  # of which only the header is looked at
        found[name] = f"{array.get_dtype()} {tuple(array.get_shape())}"
    (count,) = file.get_slice(CODES).get_shape()
    if (count > 0) != (about.model.ngrams > 0):
        raise ValueError(f"it has {count} n-grams, model.ngrams is {about.model.ngrams}")
    matrices = Layout(about.model, about.pad.vocab_size, count, num_logits(len(about.labels))).blocks
    expected = {name: f"F32 {matrix.shape}" for name, matrix in matrices.items()} | {CODES: f"I64 {(count,)}"}
    for name in [*expected, *found]:
        if expected.get(name) != found.get(name):
            raise ValueError(f"{name} is {found.get(name)}, it should be {expected.get(name)}")
    arrays = {name: file.get_tensor(name) for name in expected}
    codes = arrays.pop(CODES)
    if np.any(np.diff(codes) <= 0):
        raise ValueError("the codes of its n-grams are not in ascending order")
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ValueError(f"{name} is not finite everywhere")
    texts = about.vocabulary, about.tokenizer, tuple(about.labels)
    of_training = about.best_epoch, about.provenance, about.threshold
    return Model(about.model, about.pad, from_named(arrays), codes, *texts, *of_training, about.profile)
