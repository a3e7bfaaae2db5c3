from pathlib import Path

import pytest

from imdb_rnn.core.errors import UserError
from imdb_rnn.text.tables.table import Table, described, named


def test_each_column_has_a_name_of_its_own():
    assert named(Path("a"), ["text", " ", "text", 5, ""]) == ["text", "column 2", "text (3)", "5", "column 5"]
    with pytest.raises(UserError, match="a has 10001 columns, more than 10000"):
        named(Path("a"), map(str, range(10_001)))


def test_a_table_is_described():
    table = Table(Path("a"), "delimited", delimiter=";", encoding="GB18030", compression="zip", member="b.csv")
    assert described(table) == "semicolon-separated, GB18030, zip, b.csv"
    assert described(Table(Path("a"), "lines", encoding="UTF-8")) == "one text a line, UTF-8"
    assert described(Table(Path("a"), "excel", member="Reviews")) == "Excel, sheet Reviews"
