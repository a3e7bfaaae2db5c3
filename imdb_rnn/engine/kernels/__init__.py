"""The compiled form of `reference.py`: matrix products, cells, the recurrence, n-grams, the optimizer."""
