import subprocess
import sys

import pytest
from material import ROOT

pytestmark = pytest.mark.slow

STAGES = sorted(path.stem for path in (ROOT / "stages").glob("*.py") if not path.stem.startswith("__"))


def test_these_are_the_stages():
    assert STAGES == ["check", "download", "evaluate", "explain", "export", "pad", "plot", "report", "train"]


def test_no_stage_but_train_loads_tensorflow():
    """It takes seconds, and hundreds of megabytes. Without `keras_model` no stage can load it later either."""
    script = f"""if True:
        import importlib, sys
        for stage in {[stage for stage in STAGES if stage != "train"]}:
            importlib.import_module("stages." + stage)
            print(stage, *{{"keras", "tensorflow", "imdb_rnn.keras_model"}} & set(sys.modules))
    """
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == [stage for stage in STAGES if stage != "train"]
