import os
import subprocess
import sys

from material import ROOT


def test_the_package_is_run_as_the_command(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-m", "imdb_rnn"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.startswith("usage: imdb-rnn ")
