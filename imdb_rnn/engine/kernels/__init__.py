"""The compiled form of what `reference.py` says in NumPy: matrix product, cells, recurrence, n-grams, optimizer."""
