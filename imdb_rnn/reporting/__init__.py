"""Figures, the model card, and the page in which the network reads along."""
