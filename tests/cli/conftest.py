"""A model that knows two words with a sentiment, and a folder with its file."""

from pathlib import Path

import pytest
from material import model_of_two_words

from imdb_rnn import model_file
from imdb_rnn.core import files
from imdb_rnn.model import Model


@pytest.fixture(scope="session")
def model() -> Model:
    return model_of_two_words()


@pytest.fixture
def folder(model, tmp_path, monkeypatch) -> Path:
    """The current folder, a project with a trained model."""
    model_file.save(model, tmp_path / files.MODEL)
    monkeypatch.chdir(tmp_path)
    return tmp_path
