"""The comparison: every cell, the best networks and a linear baseline, on the same reviews, with several seeds."""
