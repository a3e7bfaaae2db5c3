"""Recurrent networks on film reviews: what the stages of the pipeline share, a package for each subject."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from os import PathLike

    from imdb_rnn.model import Model


def load(path: "str | PathLike[str]" = "data/model.safetensors") -> "Model":
    """Load a trained model. Raises `UserError` when the file is missing or damaged.

    >>> import imdb_rnn
    >>> model = imdb_rnn.load()
    >>> model.predict(["A wonderful film.", "A terrible film."])
    ['positive', 'negative']
    """
    from pathlib import Path

    from imdb_rnn import model_file

    return model_file.load(Path(path))
