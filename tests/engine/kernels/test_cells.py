import re

from material import ROOT
from networks import CELLS as NAMES


def test_each_table_of_the_cells_is_known():
    """A fourth cell is a file of its own and an entry in each of these: no other code asks for a cell by its name."""
    asking = re.compile(rf"""["']({"|".join(NAMES)})["']""")
    files = [path for part in ("imdb_rnn", "stages") for path in (ROOT / part).rglob("*.py")]
    files.append(ROOT / "imdb_rnn/reporting/page/network.js")
    assert len(files) > 50
    naming = {str(path.relative_to(ROOT)) for path in files if asking.search(path.read_text(encoding="utf-8"))}
    assert naming == {
        f"imdb_rnn/{name}.py"
        for name in (
            *("engine/kernels/cells/__init__", "engine/reference", "core/params"),
            *("keras_model", "export/onnx_file"),
        )
    }
