"""Training is interrupted by Ctrl-C at random moments, several at once; each ends with one line and status 130.

INTERRUPTS says how many there are for each engine; SEED draws the moments.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest
from material import changed, needs_tensorflow, write_params

from imdb_rnn.core.params import parse_params

INTERRUPTS, SEED = int(os.environ.get("INTERRUPTS", "4")), int(os.environ.get("SEED", "1"))
TOGETHER = 4  # on two cores, so that all are late now and then
LINE = "\ninterrupted: run the same command again; what is finished is kept\n"


@pytest.mark.parametrize("engine", ["compiled", pytest.param("keras", marks=needs_tensorflow)])
def test_ctrl_c_ends_training_with_one_line(finished, tmp_path, outcome, engine):
    draw = random.Random(f"{SEED} {engine}")
    params = parse_params((finished.folder / "params.yaml").read_text(encoding="utf-8"))
    for first in range(0, INTERRUPTS, TOGETHER):
        running = []
        for number in range(first, min(first + TOGETHER, INTERRUPTS)):
            folder = tmp_path / str(number)
            (folder / "data").mkdir(parents=True)
            for name in ("out_of_fold", "padded", "reviews"):
                (folder / "data" / name).symlink_to(finished.folder / "data" / name)
            write_params(folder, changed(params, train={"epochs": 1000, "engine": engine}))
            process = subprocess.Popen(
                [sys.executable, "-m", "stages", "train"],
                cwd=folder,
                env=finished.env | {"PYTHONPATH": str(finished.folder)},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                # Where the tests run in the background, Ctrl-C may be ignored, and that would be handed on.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )
            running.append((draw.uniform(0, 3), process))
        for _, process in running:
            assert process.stdout.readline().startswith("epoch 1/"), process.communicate()
        begun = time.monotonic()
        for seconds, process in sorted(running, key=lambda one: one[0]):
            time.sleep(max(0, begun + seconds - time.monotonic()))
            process.send_signal(signal.SIGINT)
        for seconds, process in running:
            _, said = process.communicate(timeout=120)
            assert (process.returncode, said.endswith(LINE), "Traceback" in said) == (130, True, False), (seconds, said)
        shutil.rmtree(tmp_path)
    outcome(f"{INTERRUPTS} times Ctrl-C in training, engine {engine}", "one line and status 130")
