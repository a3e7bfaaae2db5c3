"""Metrics and their intervals, accuracy on slices, sensitivity, traces, behaviour tests."""
