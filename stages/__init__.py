"""The verbs of the pipeline: one file a stage, run by DVC as `python -m stages NAME`."""

from pathlib import Path

HERE = Path(__file__).parent
IS_CHECKOUT = not (HERE / "project").is_dir()
PROJECT = HERE.parent if IS_CHECKOUT else HERE / "project"  # dvc.yaml and the like; setup.py puts them into the wheel
