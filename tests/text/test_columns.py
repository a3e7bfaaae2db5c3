from pathlib import Path

import pytest

from imdb_rnn.core.errors import UserError
from imdb_rnn.text import columns

TABLE = Path("own.csv")


@pytest.mark.parametrize("name", ["text", "Review", "评论", " content "])
def test_a_column_is_found_by_its_name(name):
    assert columns.find(["id", name, "label"], columns.TEXT, TABLE, "data.own.text_columns") == name


def test_two_columns_that_could_be_it_are_not_guessed():
    with pytest.raises(
        UserError, match=r"own.csv: cannot tell which column to use \(candidates: text, review\); set data"
    ):
        columns.find(["text", "review"], columns.TEXT, TABLE, "data.own.text_columns")


def test_no_column_is_one_line_however_many_there_are():
    many = [f"column\n{number}" for number in range(10_000)]
    with pytest.raises(UserError) as caught:
        columns.find(many, columns.TEXT, TABLE, "--text-column")
    assert "cannot tell which column to use (columns: column 0, column 1" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_semicolons_are_named():
    with pytest.raises(UserError, match="fields are separated by ';'; save the file with commas"):
        columns.find(["text;label"], columns.TEXT, TABLE, "--text-column")


def test_a_column_that_is_not_there_is_named():
    columns.require(["text", "label"], ["label"], TABLE)
    with pytest.raises(UserError, match=r"own\.csv has no column 'film'; it has text, label"):
        columns.require(["text", "label"], ["text", "film"], TABLE)
