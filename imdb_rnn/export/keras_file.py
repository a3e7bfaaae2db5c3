"""The model as a `.keras` file, for Keras: `keras.models.load_model` opens it.

Also a program: `python -m imdb_rnn.export.keras_file MODEL FILE` writes one from a model file.
"""

import os
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from imdb_rnn import model_file
from imdb_rnn.core import files
from imdb_rnn.core.errors import run_command
from imdb_rnn.decision import num_logits
from imdb_rnn.engine.weights import named
from imdb_rnn.keras_model import build, load_keras, named_variables, trie_of
from imdb_rnn.model import Model

# Keras imports these wherever they are installed: a third of the time that it takes to load, and no use here.
UNUSED = ("matplotlib", "pandas", "sklearn")
METADATA, CONFIG = "metadata.json", "config.json"  # members of the archive


def as_keras(model: Model) -> Any:
    """The model as a `keras.Model`, with its weights; see `keras_model.build` for input and output."""
    trie, arrays = trie_of(model.ngram_codes, model.encoding.vocab_size), named(model.weights)
    logits = num_logits(len(model.labels))
    network = build(model.params, model.encoding.vocab_size, trie, logits)
    for name, variable in named_variables(network, model.params).items():
        variable.assign(arrays[name])
    if model.params.ngrams:
        scores = np.zeros((len(trie.base), logits), np.float32)
        scores[trie.places] = model.weights.ngrams.reshape(-1, logits)
        network.get_layer("ngram_scores").embeddings.assign(scores)
    return network


def write(model: Model, path: Path) -> None:
    """Write a `.keras` file whose bytes depend on the model and on the versions of Keras and h5py alone.

    Keras writes dates, memory addresses, and names that it counts in the process; here the date is fixed, and both
    counts begin at 0.
    """
    os.environ.pop("SOURCE_DATE_EPOCH", None)  # Python 3.14 dates members by it, and fails on dates before 1980
    keras = load_keras()
    keras.utils.clear_session()  # begins to count names at 0
    as_keras(model).save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in sorted(archive.namelist())}
    members[METADATA] = re.sub(rb'("date_saved": ")[^"]*', rb"\g<1>1980-01-01@00:00:00", members[METADATA])
    addresses = list(dict.fromkeys(re.findall(rb'"shared_object_id": (\d+)', members[CONFIG])))
    members[CONFIG] = re.sub(
        rb'("shared_object_id": )(\d+)', lambda m: m[1] + str(addresses.index(m[2])).encode(), members[CONFIG]
    )
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)  # dated 1980 and not compressed


def main(source: Path, target: Path) -> None:
    """Read a model file, and write the Keras file. Raises `UserError` where one of them cannot be."""
    with files.replacing(target) as new:
        write(model_file.load(source), new)


if __name__ == "__main__":
    sys.modules |= dict.fromkeys(UNUSED)  # type: ignore[arg-type]  # as if they were not installed, in this process
    run_command(lambda: main(*map(Path, sys.argv[1:])))
