"""The verbs of the pipeline: one file a stage, run by DVC as `python -m stages NAME`."""
