"""The verbs of the pipeline: one file a stage, run by DVC as `python -m stages.NAME`.

DVC runs whatever `python` is first on the path. Where that is not the one with the project's packages, the line below
takes the place of a traceback about the first of them.
"""

import importlib.util
import sys

if sys.version_info < (3, 10) or not all(map(importlib.util.find_spec, ("numba", "tensorflow"))):
    sys.exit(
        f"error: {sys.executable} does not have the project's packages; run `make repro`, or `. .venv/bin/activate` "
        "and then `dvc repro`"
    )
