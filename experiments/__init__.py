"""Experiments of many runs, apart from the pipeline."""
