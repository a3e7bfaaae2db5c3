"""The compiled form of what `reference.py` says in NumPy: matrix products, cells, the recurrence, n-grams, the optimizer."""
