"""What computes: cells, the recurrence over them, n-grams, the trained network and its file."""
