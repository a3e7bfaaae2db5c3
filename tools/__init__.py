"""Commands around the pipeline: presets, and what to do after DVC was killed."""
