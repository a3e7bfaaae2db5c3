"""What judges: metrics, their intervals, history, and how far back a network remembers."""
