import subprocess
import sys

import pytest
from material import ROOT

pytestmark = pytest.mark.slow

STAGES = sorted(path.stem for path in (ROOT / "stages").glob("*.py") if not path.stem.startswith("__"))


def test_these_are_the_stages():
    assert STAGES == ["baseline", "check", "download", "evaluate", "export", "folds", "pad", "plot", "report", "train"]


def test_no_stage_but_export_can_load_tensorflow():
    """It takes seconds, and hundreds of megabytes. Training loads it where `train.engine` is keras."""
    stages = [*(stage for stage in STAGES if stage != "export"), "export"]
    script = f"""if True:
        import importlib, sys
        for stage in {stages}:
            importlib.import_module("stages." + stage)
            print(stage, *{{"keras", "tensorflow", "imdb_rnn.keras_model"}} & set(sys.modules))
    """
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == [*stages, "imdb_rnn.keras_model"]
