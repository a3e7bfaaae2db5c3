import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from material import ROOT, contents

from imdb_rnn.core import frames
from imdb_rnn.core.errors import UserError


def test_a_table_is_written_the_same_on_every_system(tmp_path):
    frames.write_csv(tmp_path / "table.csv", pd.DataFrame({"word": ["影评", "a,b"], "rank": [1, 2]}))
    assert contents(tmp_path) == {"table.csv": 'word,rank\n影评,1\n"a,b",2\n'.encode()}


def test_points_are_the_columns_that_are_asked_for(tmp_path):
    (tmp_path / "roc.csv").write_text("fpr,threshold,tpr\n0,inf,0\n1,0.5,1\n")
    points = frames.read_points(tmp_path / "roc.csv", ("fpr", "tpr"), "evaluate")
    assert points.to_dict("list") == {"fpr": [0.0, 1.0], "tpr": [0.0, 1.0]}
    assert set(points.dtypes) == {np.dtype(float)}


@pytest.mark.parametrize(
    "content",
    [b"", b"fpr,tpr\n", b"fpr\n0\n", b"fpr,tpr\n0,a\nb,1\n", b"fpr,tpr\n0,nan\n", b"fpr,tpr\n0,inf\n", b"\xff"],
)
def test_a_damaged_curve_is_named(tmp_path, content):
    (tmp_path / "roc.csv").write_bytes(content)
    with pytest.raises(UserError, match=r"roc\.csv is damaged .*; run `dvc repro evaluate`"):
        frames.read_points(tmp_path / "roc.csv", ("fpr", "tpr"), "evaluate")


def test_a_table_in_markdown():
    assert frames.markdown(["a", "b"], [[1, None], ["x", 0.5]]) == "| a | b |\n| --- | --- |\n| 1 |  |\n| x | 0.5 |"


def test_no_other_module_of_the_room_loads_pandas():
    """It takes a quarter of a second, which a command that answers one question does not have."""
    script = "import sys; from imdb_rnn.core import files, params, stage; print('pandas' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", script], cwd=ROOT, text=True).strip() == "False"
