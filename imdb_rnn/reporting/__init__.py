"""What shows: figures, and the page in which the network reads along."""
