"""A model that knows two words with a sentiment, and a folder with its file."""

from pathlib import Path

import pytest
from material import model_of_two_words

from imdb_rnn import model_file
from imdb_rnn.cli.scoring import Counts, find_text_columns, score_table
from imdb_rnn.core import files
from imdb_rnn.model import Model
from imdb_rnn.text.tables import open_table


@pytest.fixture(scope="session")
def model() -> Model:
    return model_of_two_words()


@pytest.fixture
def folder(model, tmp_path, monkeypatch) -> Path:
    """The current folder, a project with a trained model."""
    model_file.save(model, tmp_path / files.MODEL)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def score(tmp_path, model):
    """Score a table, by names of files, and return the counts."""

    def scored(table: str, out: str, *texts: str) -> Counts:
        opened = open_table(tmp_path / table)
        return score_table(model, opened, tmp_path / out, find_text_columns(opened, list(texts)))

    return scored
