"""Where reviews come from: one module per source, each with a function from parameters to a checked corpus.

A new source is a module here, an entry in `SOURCES`, a group of parameters with the same name in
`core.params.DataParams` and `params.yaml`, and a folder with that name in `data/`. The function takes that group, the
project's folder, `data.tokenizer`, and words that follow in the vocabulary.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from imdb_rnn.core.params import DataParams
from imdb_rnn.text.corpus import Corpus
from imdb_rnn.text.sources import bundled, keras, own
from imdb_rnn.text.sources.rows import find_sources
from imdb_rnn.text.vocabulary import get_tokenizer

SOURCES: dict[str, Callable[[Any, Path, str, Sequence[str]], Corpus]] = {
    "bundled": bundled.read,
    "keras": keras.read,
    "own": own.read,
}


def require_source(data: DataParams, root: Path) -> None:
    """Raise a `UserError` when the chosen source lacks a package, or `data.own.path` has no reviews to read.

    Reads no review. What the other sources lack does not matter.
    """
    if data.tokenizer != "auto":
        get_tokenizer(data.tokenizer)
    if data.source == "bundled":
        bundled.find_file()
    if data.source == "own":
        find_sources(data.own, root / data.own.path, root)
