"""Where reviews come from: a module a source, with one function from the source's parameters to a checked corpus.

A new source is a module here, an entry in `SOURCES`, and a group of parameters of the same name in
`base.params.DataParams` and `params.yaml`. The function takes that group, the project's folder, and `data.tokenizer`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from imdb_rnn.text.corpus import Corpus
from imdb_rnn.text.sources import bundled, keras, own

SOURCES: dict[str, Callable[[Any, Path, str], Corpus]] = {"bundled": bundled.read, "keras": keras.read, "own": own.read}
