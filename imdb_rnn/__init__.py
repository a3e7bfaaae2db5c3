"""Recurrent networks on film reviews: what the stages of the pipeline share, a package for each subject."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from os import PathLike

    from imdb_rnn.cli.model import Model


def load(path: "str | PathLike[str]" = "data/model.keras") -> "Model":
    """Load a trained network, to ask it about texts. Raises `UserError` when the file is missing or damaged.

    >>> import imdb_rnn
    >>> model = imdb_rnn.load()
    >>> model.predict(["A wonderful film.", "A terrible film."])
    ['positive', 'negative']
    """
    from pathlib import Path

    from imdb_rnn import model_file
    from imdb_rnn.cli.model import Model

    return Model(model_file.load(Path(path)))
